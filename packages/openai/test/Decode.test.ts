import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import { endOf, receive } from "../src/internal/decode.ts"
import * as Schema from "effect/Schema"
import * as F from "./fixtures/frames.ts"
import { cut, answers, errors, events, KEY, send, start, summary, types } from "./support/protocol.ts"

const usage = {
  _tag: "Usage",
  inputTokens: 132,
  outputTokens: 121,
  totalTokens: 253,
  byModality: [
    { modality: "text", inputTokens: 119, outputTokens: 30 },
    { modality: "audio", inputTokens: 13, outputTokens: 91 }
  ],
  cacheReadInputTokens: 64
} as const

const rename = (frame: object) => JSON.parse(JSON.stringify(frame).replaceAll("resp_1", "resp_2"))

const words = (delta: string) =>
  ({ _tag: "TranscriptDelta", role: "assistant", itemId: "item_1", responseId: "resp_1", delta }) as const
const allWords = (text: string) =>
  ({ _tag: "TranscriptDone", role: "assistant", itemId: "item_1", responseId: "resp_1", text }) as const
const started = { _tag: "ResponseStarted", responseId: "resp_1" } as const

describe("what the provider says", () => {
  it("is a spoken reply, with its words, its sound and what it cost", () => {
    const silence = (millis: number) =>
      ({
        _tag: "AudioDelta",
        responseId: "resp_1",
        itemId: "item_1",
        audio: new Uint8Array(millis * 48)
      }) as const
    assert.deepStrictEqual(events(start(), F.sessionCreated(), ...F.spokenReply), [
      started,
      words("Hello"),
      silence(100),
      words(" there."),
      silence(50),
      allWords("Hello there."),
      { ...usage, responseId: "resp_1" },
      { _tag: "ResponseDone", responseId: "resp_1", stopReason: "complete" }
    ])
  })

  it("gives sound as plain bytes, byte for byte", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const [, delta] = events(start(), F.audio("resp_1", "item_1", Buffer.from(bytes).toString("base64")))
    assert(delta?._tag === "AudioDelta")
    assert.deepStrictEqual(delta.audio, bytes)
    assert.isFalse(Buffer.isBuffer(delta.audio))
  })

  it("is a written reply", () => {
    assert.deepStrictEqual(events(start(), ...F.textReply), [
      started,
      words("Hi"),
      words("!"),
      allWords("Hi!"),
      { _tag: "ResponseDone", responseId: "resp_1", stopReason: "complete" }
    ])
  })

  it("has one final text for an item of several parts", () => {
    const parts = [
      F.wordsDone("resp_1", "item_1", "One. "),
      F.wordsDone("resp_1", "item_1", "Two.", { content_index: 1 })
    ]
    const heard = events(start(), F.created("resp_1"), ...parts, F.itemDone("resp_1", "item_1"), F.done("resp_1"))
    assert.deepStrictEqual(
      heard.filter((event) => event._tag === "TranscriptDone"),
      [allWords("One. Two.")]
    )
  })

  it("finishes the words of an item that was never finished", () => {
    const heard = events(start(), F.created("resp_1"), F.wordsDone("resp_1", "item_1", "Well"), F.cancelled("resp_1"))
    assert.deepStrictEqual(heard, [
      started,
      allWords("Well"),
      { _tag: "ResponseDone", responseId: "resp_1", stopReason: "interrupted" }
    ])
  })

  it("is a turn of the user, whose words come later", () => {
    assert.deepStrictEqual(events(start(), ...F.userSpeech), [
      { _tag: "SpeechStarted", interrupts: true },
      { _tag: "SpeechStopped" },
      { _tag: "UserTurn", itemId: "item_u", respond: true },
      { _tag: "TranscriptDelta", role: "user", itemId: "item_u", delta: "What" },
      { _tag: "TranscriptDelta", role: "user", itemId: "item_u", delta: " now?" },
      { _tag: "TranscriptDone", role: "user", itemId: "item_u", text: "What now?" },
      {
        _tag: "Usage",
        inputTokens: 17,
        outputTokens: 5,
        totalTokens: 22,
        byModality: [
          { modality: "text", inputTokens: 0, outputTokens: 5 },
          { modality: "audio", inputTokens: 17, outputTokens: 0 }
        ]
      }
    ])
  })

  it("does not promise a reply that it does not start by itself", () => {
    const heard = events(start({ responds: false }), ...F.userSpeech)
    assert.deepStrictEqual(
      heard.filter((event) => event._tag === "UserTurn"),
      [{ _tag: "UserTurn", itemId: "item_u", respond: false }]
    )
  })

  it("says of speech whether it interrupts", () => {
    const [heard] = events(start({ interrupts: false }), ...F.userSpeech)
    assert.deepStrictEqual(heard, { _tag: "SpeechStarted", interrupts: false })
  })

  it("has no tokens for a transcription by the second", () => {
    const completed = F.frame("conversation.item.input_audio_transcription.completed", {
      item_id: "item_u",
      transcript: "Hm",
      usage: { type: "duration", seconds: 2 }
    })
    assert.deepStrictEqual(events(start(), completed), [
      { _tag: "TranscriptDone", role: "user", itemId: "item_u", text: "Hm" }
    ])
  })

  it("is a turn whose words never come, which is no fault of the server", () => {
    const failed = F.frame("conversation.item.input_audio_transcription.failed", {
      item_id: "item_u",
      content_index: 0,
      error: { type: "transcription_error", code: "audio_unintelligible", message: "Too quiet.", param: null }
    })
    assert.deepStrictEqual(summary(start(), failed), [
      {
        _tag: "TranscriptFailed",
        itemId: "item_u",
        error: ["InvalidRequest", "audio_unintelligible"]
      }
    ])
  })

  it("means nothing where it is only bookkeeping", () => {
    const heard = events(
      start(),
      F.frame("conversation.created", { conversation: { id: "conv_1" } }),
      F.frame("conversation.item.done", { item: {} }),
      F.frame("conversation.item.truncated", { item_id: "item_1", content_index: 0, audio_end_ms: 10 }),
      F.frame("conversation.item.deleted", { item_id: "item_1" }),
      F.frame("input_audio_buffer.cleared"),
      F.frame("input_audio_buffer.timeout_triggered", { item_id: "item_1", audio_start_ms: 0, audio_end_ms: 9 }),
      F.frame("conversation.item.input_audio_transcription.segment", { item_id: "item_1", text: "Hm" }),
      F.frame("output_audio_buffer.started", { response_id: "resp_1" })
    )
    assert.deepStrictEqual(heard, [])
  })

  it("is told as it is where nobody here knows it, without the key", () => {
    const frame = F.frame("a.thing.of.tomorrow", { whatever: [KEY] })
    const [unknown, ...others] = events(start(), frame)
    assert(unknown?._tag === "Unknown" && others.length === 0)
    assert.strictEqual(unknown.type, "a.thing.of.tomorrow")
    assert.deepStrictEqual(unknown.raw, { ...frame, whatever: ["<redacted>"] } as any)
  })

  // the names of the beta, as servers that speak its protocol still have them
  it("is told to be of another time, once, where it has the names of the beta", () => {
    const at = { response_id: "resp_1", item_id: "item_1", content_index: 0, output_index: 0 }
    const heard = events(
      start(),
      F.created("resp_1"),
      F.frame("response.audio_transcript.delta", { ...at, delta: "Hello" }),
      F.frame("response.audio.delta", { ...at, delta: F.pcm(10) }),
      F.done("resp_1", { usage: null })
    )
    const problems = heard.flatMap((event) => (event._tag === "Problem" ? [event.error] : []))
    assert.deepStrictEqual(
      problems.map(({ reason }) => reason.code),
      ["beta_events"]
    )
    assert.include(problems[0]!.message, "response.audio_transcript.delta")
  })
})

describe("the end of a reply", () => {
  const calls = [
    { id: "call_1", name: "weather", arguments: '{"city":"Bern"}' },
    { id: "call_2", name: "time", arguments: "{}" }
  ]

  it("brings the calls, together and in their order", () => {
    assert.deepStrictEqual(events(start(), ...F.twoCalls), [
      started,
      { _tag: "ToolCalls", responseId: "resp_1", calls },
      { ...usage, responseId: "resp_1" },
      { _tag: "ResponseDone", responseId: "resp_1", stopReason: "tool_use" }
    ])
  })

  it("brings calls that it does not list itself", () => {
    const heard = events(start(), ...F.twoCalls.slice(0, -1), F.done("resp_1", { output: undefined, usage: null }))
    assert.deepStrictEqual(heard[1], { _tag: "ToolCalls", responseId: "resp_1", calls })
  })

  it("brings all calls of one id, each once", () => {
    const pay = [10, 1000].map((sum) => ({ id: "call_0", name: "pay", arguments: `{"sum":${sum}}` }))
    const heard = events(
      start(),
      F.created("resp_1"),
      ...pay.map((call, index) => F.argumentsDone("resp_1", index, call.id, call.name, call.arguments)),
      F.done("resp_1", { output: pay.map((call) => F.call(call.id, call.name, call.arguments)), usage: null })
    )
    assert.deepStrictEqual(heard[1], { _tag: "ToolCalls", responseId: "resp_1", calls: pay })
  })

  it("brings calls that it only lists", () => {
    const output = [F.call("call_1", "weather", "not json")]
    assert.deepStrictEqual(events(start(), F.created("resp_1"), F.done("resp_1", { output }))[1], {
      _tag: "ToolCalls",
      responseId: "resp_1",
      calls: [{ id: "call_1", name: "weather", arguments: "not json" }]
    })
  })

  it.each([
    ["cancelled", { status: "cancelled", status_details: { type: "cancelled", reason: "turn_detected" } }],
    ["incomplete", { status: "incomplete", status_details: { type: "incomplete", reason: "max_output_tokens" } }],
    ["failed", { status: "failed", status_details: { type: "failed", error: { code: "server_error" } } }]
  ])("brings no calls when it was %s", (_, fields) => {
    const output = [F.call("call_1", "weather", '{"ci')]
    const heard = events(start(), ...F.twoCalls.slice(0, -1), F.done("resp_1", { ...fields, output }))
    assert.notInclude(
      heard.map((event) => event._tag),
      "ToolCalls"
    )
  })

  const ending = (fields: object) =>
    summary(start(), F.created("resp_1"), F.done("resp_1", { usage: null, ...fields })).slice(1)
  const ResponseDone = { _tag: "ResponseDone", responseId: "resp_1" } as const

  it("is a completion that was cut, when it was incomplete", () => {
    const incomplete = (reason: string) =>
      ending({ status: "incomplete", status_details: { type: "incomplete", reason } })
    assert.deepStrictEqual(incomplete("max_output_tokens"), [
      { ...ResponseDone, stopReason: "complete", detail: "max_tokens" }
    ])
    assert.deepStrictEqual(incomplete("content_filter"), [
      { ...ResponseDone, stopReason: "complete", detail: "content_filter" }
    ])
  })

  it.each([
    ["rate_limit_exceeded", "RateLimited"],
    ["insufficient_quota", "Quota"],
    ["server_error", "ServerFault"],
    ["something_new", "ServerFault"]
  ])("is an error when it failed: %s", (code, reason) => {
    const failed = { status: "failed", status_details: { type: "failed", error: { code, message: "no" } } }
    assert.deepStrictEqual(ending(failed), [{ ...ResponseDone, stopReason: "error", error: [reason, code] }])
  })

  it("is an error when nobody says what it is", () => {
    assert.deepStrictEqual(ending({ status: { toString: 1 } }), [
      { ...ResponseDone, stopReason: "error", error: ["ServerFault", "malformed_message"] }
    ])
  })

  it("comes once, after everything else of the reply", () => {
    const state = start()
    const late = [F.audio("resp_1", "item_1", F.pcm(10)), F.words("resp_1", "item_1", "late"), F.created("resp_1")]
    const heard = events(state, ...F.spokenReply, ...late, F.wordsDone("resp_1", "item_1", "x"), F.done("resp_1"))
    assert.deepStrictEqual(heard.at(-1), { ...ResponseDone, stopReason: "complete" })
    assert.strictEqual(heard.filter((event) => event._tag === "ResponseDone").length, 1)
  })

  it("reports a call that cannot be answered, and answers the others", () => {
    const output = [{ ...F.call("call_1", "weather", "{}"), call_id: undefined }, F.call("call_2", "time", "{}")]
    assert.deepStrictEqual(summary(start(), F.created("resp_1"), F.done("resp_1", { output, usage: null })).slice(1), [
      { _tag: "Problem", error: ["ServerFault", "malformed_message"] },
      { _tag: "ToolCalls", responseId: "resp_1", calls: [calls[1]] },
      { ...ResponseDone, stopReason: "tool_use" }
    ])
  })
})

describe("frames that nobody vouches for", () => {
  it("count once, however often they come", () => {
    const state = start()
    const twice = F.spokenReply.flatMap((frame) => [frame, frame])
    assert.deepStrictEqual(events(state, ...twice), events(start(), ...F.spokenReply))
  })

  it("count once also when others came between", () => {
    const state = start()
    const between = F.spokenReply.flatMap((frame, i, all) => (i === 0 ? [frame] : [frame, all[i - 1]!]))
    assert.deepStrictEqual(events(state, ...between), events(start(), ...F.spokenReply))
  })

  // as mudler/LocalAI names all its events (wires.md)
  it("are all heard where the provider gives one id to all of them", () => {
    const one = (frame: object) => ({ ...(frame as { readonly type: string }), event_id: "event_TODO" })
    const all = [F.sessionCreated(), ...F.spokenReply, ...F.userSpeech, ...F.spokenReply.map(rename)]
    assert.deepStrictEqual(events(start(), ...all.map(one)), events(start(), ...all))
  })

  it("are all heard where the sounds of a reply have one id", () => {
    const sounds = [1, 2, 3].map((n) => ({ ...F.audio("resp_1", "item_1", F.pcm(n)), event_id: "event_1" }))
    const heard = events(start(), F.created("resp_1"), ...sounds).filter(({ _tag }) => _tag === "AudioDelta")
    assert.strictEqual(heard.length, 3)
  })

  it("are remembered for a bounded time only", () => {
    const state = start()
    for (let i = 0; i < 10_000; i++) receive(state, [{ type: "input_audio_buffer.cleared", event_id: `e${i}` }])
    for (let i = 0; i < 10_000; i++) receive(state, [F.audio(`r${i}`, `i${i}`, F.pcm(1)), F.done(`r${i}`)])
    assert.isAtMost(state.items.size, 128)
    assert.strictEqual(state.responses.size, 0)
    for (let i = 0; i < 10_000; i++) send(state, { _tag: "TurnClear" })
    assert.isAtMost(state.sent.size, 512)
  })

  const broken: ReadonlyArray<readonly [string, any]> = [
    ["no object", undefined],
    ["sound without an item", F.audio("resp_1", 7 as never, F.pcm(1))],
    ["sound without sound", F.audio("resp_1", "item_1", null as never)],
    ["a response without itself", F.frame("response.done")],
    ["a response without an id", F.frame("response.created", { response: {} })],
    ["a call without a name", F.argumentsDone("resp_1", 0, "call_1", null as never, "{}")],
    ["an error without an error", F.frame("error")],
    ["a turn without an item", F.frame("input_audio_buffer.committed")]
  ]

  it.each(broken)("are problems: %s", (_, frame) => {
    const state = start()
    assert.deepStrictEqual(summary(state, frame), [{ _tag: "Problem", error: ["ServerFault", "malformed_message"] }])
    assert.deepStrictEqual(events(state, ...F.textReply), events(start(), ...F.textReply))
  })

  const known = [...F.spokenReply, ...F.twoCalls, ...F.userSpeech, F.error({}), F.busy("bidi_1"), F.sessionExpired()]
  const types = [...new Set(known.map((frame) => frame.type))]
  const keys = [...new Set(known.flatMap((frame) => Object.keys(frame)))]

  it.prop(
    "never throw, whatever is in them",
    [
      Schema.Array(
        Schema.Struct({
          type: Schema.Literals(types),
          fields: Schema.Array(Schema.Tuple([Schema.Literals(keys), Schema.Json]))
        })
      )
    ],
    ([frames]) => {
      receive(
        start(),
        frames.map(({ fields, type }) => ({ ...Object.fromEntries(fields), type }))
      )
    },
    cases(300)
  )

  it.prop(
    "keep the order of a reply, however they are repeated and mixed",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 })))],
    ([picks]) => {
      const pool = [...F.spokenReply, ...F.twoCalls.map((frame) => rename(frame))]
      const heard = events(start(), ...picks.map((pick) => ({ ...pool[pick % pool.length]!, event_id: undefined })))
      const open = new Set<string>()
      const over = new Set<string>()
      for (const event of heard) {
        if (!("responseId" in event) || event.responseId === undefined) continue
        const id = event.responseId
        assert.isFalse(over.has(id))
        if (event._tag === "ResponseStarted") {
          assert.isFalse(open.has(id))
          open.add(id)
        }
        assert.isTrue(open.has(id))
        if (event._tag === "ResponseDone") over.add(id)
      }
    }
  )
})

describe("what the provider complains about", () => {
  it("is a reply that will not come", () => {
    const state = start()
    const [request] = send(state, { _tag: "Respond" })
    const refusal = F.error({ type: "tokens", code: "rate_limit_exceeded", event_id: request.event_id })
    assert.deepStrictEqual(summary(state, refusal), [
      { _tag: "NoResponse", error: ["RateLimited", "rate_limit_exceeded"] }
    ])
    assert.deepStrictEqual(types(send(state, { _tag: "Respond" })), ["response.create"])
  })

  it("is a problem with the event that it names", () => {
    const state = start()
    const [item] = send(state, { _tag: "Note", text: "x", respond: false })
    const complaint = { code: "invalid_value", param: "item.content", event_id: item.event_id }
    assert.deepStrictEqual(summary(state, F.error(complaint)), [
      {
        _tag: "Problem",
        error: ["InvalidRequest", "invalid_value"],
        details: { param: "item.content", event: "conversation.item.create", about: null }
      }
    ])
  })

  it("is a message that it does not take, which will not be sent again", () => {
    const state = start()
    const [item] = send(state, { _tag: "UserMessage", id: "m1", parts: ["x"] })
    const complaint = { code: "invalid_value", param: "item.content", event_id: item.event_id }
    assert.deepStrictEqual(summary(state, F.error(complaint)), [
      {
        _tag: "Refused",
        id: "m1",
        error: ["InvalidRequest", "invalid_value"],
        details: { param: "item.content", event: "conversation.item.create", about: "m1" }
      }
    ])
  })

  it("says which item could not be cut", () => {
    const state = start()
    receive(state, F.spokenReply)
    const [truncate] = send(state, { _tag: "Interrupt", responseId: "resp_1", items: [cut("item_1", 20)] })
    assert.deepStrictEqual(summary(state, F.error({ message: "already shorter", event_id: truncate.event_id })), [
      {
        _tag: "Problem",
        error: ["InvalidRequest", "invalid_request_error"],
        details: { event: "conversation.item.truncate", about: "item_1" }
      }
    ])
  })

  it("is nothing when there was nothing to cancel", () => {
    const state = start()
    receive(state, [F.created("resp_1")])
    const [cancel] = send(state, { _tag: "Interrupt", responseId: "resp_1", items: [] })
    const complaint = F.error({ code: "response_cancel_not_active", event_id: cancel.event_id })
    assert.deepStrictEqual(
      events(state, F.cancelled("resp_1"), complaint).map((event) => event._tag),
      ["ResponseDone"]
    )
    assert.deepStrictEqual(events(state, F.error({ code: "response_cancel_not_active" })), [])
  })

  it("lets a waiting request go when there was nothing to cancel and the end of the reply got lost", () => {
    const state = start()
    receive(state, [F.created("resp_1")])
    const [cancel, ...rest] = send(state, { _tag: "Interrupt", responseId: "resp_1", items: [] })
    assert.deepStrictEqual(rest, [])
    assert.deepStrictEqual(send(state, { _tag: "Respond" }), [])
    const complaint = F.error({ code: "response_cancel_not_active", event_id: cancel.event_id })
    assert.deepStrictEqual(types(answers(state, complaint)), ["response.create"])
  })

  it("ends the session when its time is over, and nothing after it counts", () => {
    const out = receive(start(), [F.created("resp_1"), F.sessionExpired(), F.done("resp_1")])
    assert.deepStrictEqual(out.events, [started])
    assert.strictEqual(out.fatal?.reason._tag, "SessionExpired")
  })

  it("explains the close that follows it, not a later one", () => {
    const state = start()
    const close = errors.closed(1006, "")
    assert.strictEqual(endOf(state, close).reason._tag, "ConnectionLost")
    receive(state, [F.error({ code: "account_deactivated" })])
    assert.strictEqual(endOf(state, close).reason._tag, "Auth")
    assert.strictEqual(endOf(state, errors.tooSlow(1)).reason._tag, "ConsumerTooSlow")
    receive(state, [F.frame("input_audio_buffer.cleared")])
    assert.strictEqual(endOf(state, close).reason._tag, "ConnectionLost")
    receive(state, [F.error({ code: "invalid_value" })])
    assert.strictEqual(endOf(state, close).reason._tag, "ConnectionLost")
  })

  it("explains the close that follows a reply that failed", () => {
    const state = start()
    const error = { code: "insufficient_quota", message: "You exceeded your current quota." }
    receive(state, [
      F.created("resp_1"),
      F.done("resp_1", { status: "failed", status_details: { type: "failed", error } }),
      F.frame("rate_limits.updated", { rate_limits: [] })
    ])
    assert.strictEqual(endOf(state, errors.closed(1000, "")).reason._tag, "Quota")
  })

  it("explains a close for a moment only, and not at all when it was one wrong request", () => {
    const failing = (error: object) => {
      const state = start()
      receive(state, [
        F.created("resp_1"),
        F.done("resp_1", { status: "failed", status_details: { type: "failed", error } })
      ])
      return state
    }
    const close = errors.closed(1006, "")
    const wrong = failing({ type: "invalid_request_error", code: "invalid_value", message: "no" })
    assert.strictEqual(endOf(wrong, close).reason._tag, "ConnectionLost")
    const poor = failing({ type: "insufficient_quota", code: "insufficient_quota", message: "no" })
    assert.strictEqual(endOf(poor, close, 1000).reason._tag, "Quota")
    assert.strictEqual(endOf(poor, close, 60_000).reason._tag, "ConnectionLost")
  })

  it("is the refusal of what somebody waits for, by its name or without", () => {
    const updating = () => {
      const state = start({ instructions: "You are Ada." })
      const [update] = send(state, { _tag: "Update", instructions: "You are Bo.", tools: [] })
      return { state, eventId: update.event_id }
    }
    const complaints = (eventId: string) => [
      { code: "invalid_value", param: "session.tools[0].parameters", event_id: eventId },
      { code: "invalid_value", param: "session.tools[0].parameters" },
      { type: "server_error", message: "Sorry." }
    ]
    for (let i = 0; i < 3; i++) {
      const { eventId, state } = updating()
      const { events, settled } = receive(state, [F.error(complaints(eventId)[i]!)])
      assert.deepStrictEqual(events, [])
      assert.deepStrictEqual(
        settled?.map(({ error, eventId }) => [eventId, error?.reason._tag]),
        [[eventId, "InvalidRequest"]]
      )
      assert.strictEqual(state.session.instructions, "You are Ada.")
      // a confirmation of something else confirms nothing
      assert.isUndefined(receive(state, [F.frame("session.updated", { session: {} })]).settled)
    }
  })

  it("is the refusal of a turn in which nothing was said: no reply is asked for", () => {
    for (const named of [true, false]) {
      const state = start()
      const [commit] = send(state, { _tag: "TurnCommit" })
      const eventId = named ? commit.event_id : null
      const out = receive(state, [F.error({ code: "input_audio_buffer_commit_empty", event_id: eventId })])
      assert.deepStrictEqual(out.frames, [])
      assert.deepStrictEqual(out.events, [])
      assert.strictEqual(out.settled?.[0]?.error?.reason._tag, "InvalidRequest")
      assert.deepStrictEqual(answers(state, F.userSpeech[2]!), [])
    }
  })

  it("never repeats the key", () => {
    const complaint = { code: `code ${KEY}`, message: `Incorrect API key: ${KEY}`, param: KEY, event_id: "bidi_1" }
    const state = start()
    send(state, { _tag: "Note", text: "x", respond: false })
    const told = events(
      state,
      F.error(complaint),
      F.error({ ...complaint, event_id: null }),
      { type: KEY },
      { type: "response.done", response: 1, event_id: KEY },
      F.created("resp_1"),
      F.done("resp_1", { status: KEY })
    )
    assert.include(JSON.stringify(told), "<redacted>")
    assert.notInclude(JSON.stringify(told), KEY)
  })
})
