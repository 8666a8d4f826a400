import { assert, describe, it } from "@effect/vitest"
import type { Untimed, Usage } from "@effect-bidi/core/BidiEvent"
import * as Duration from "effect/Duration"
import * as M from "./fixtures/messages.ts"
import { brief, events, hear, KEY, older, send, start, summary } from "./support/protocol.ts"

const usage: Untimed<Usage> = {
  _tag: "Usage",
  inputTokens: 150,
  outputTokens: 105,
  totalTokens: 255,
  byModality: [
    { modality: "text", inputTokens: 70, outputTokens: 5 },
    { modality: "audio", inputTokens: 60, outputTokens: 100 },
    { modality: "image", inputTokens: 20, outputTokens: 0 }
  ],
  cacheReadInputTokens: 64
}

const started = { _tag: "ResponseStarted", responseId: "c_r1" } as const
const done = { _tag: "ResponseDone", responseId: "c_r1", stopReason: "complete" } as const
const delta = (delta: string) =>
  ({ _tag: "TranscriptDelta", role: "assistant", itemId: "c_a1", responseId: "c_r1", delta }) as const
const whole = (text: string) =>
  ({ _tag: "TranscriptDone", role: "assistant", itemId: "c_a1", responseId: "c_r1", text }) as const
const sound = (bytes: number) =>
  ({ _tag: "AudioDelta", responseId: "c_r1", itemId: "c_a1", audio: new Uint8Array(bytes) }) as const

describe("what the provider says", () => {
  it("is a spoken reply, with its words, its sound and what it cost", () => {
    assert.deepStrictEqual(events(start(), M.setupComplete(), ...M.spokenReply), [
      started,
      delta("Hello"),
      sound(4800),
      delta(" there."),
      sound(2400),
      whole("Hello there."),
      done,
      { ...usage, responseId: "c_r1" }
    ])
  })

  it("gives sound as plain bytes, byte for byte, all parts of it", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const parts = [bytes.subarray(0, 100), bytes.subarray(100)]
    const message = M.speech(...parts.map((part) => M.part(Buffer.from(part).toString("base64"))))
    const audio = events(start(), message).flatMap((event) => (event._tag === "AudioDelta" ? [event.audio] : []))
    assert.deepStrictEqual(
      audio,
      parts.map((part) => new Uint8Array(part))
    )
    assert.isFalse(audio.some(Buffer.isBuffer))
  })

  it("is text as well, of which nobody hears anything, whether it is marked as a thought or not", () => {
    const parts = [{ text: "thinking...", thought: true }, { text: "Hi" }, { text: "" }, { text: " you" }]
    const written = ["c_r1 started", "Reasoning", "Reasoning", "Reasoning"]
    assert.deepStrictEqual(brief(start(), M.speech(...parts)), written)
    assert.deepStrictEqual(brief(start(), M.speech(...parts), M.words("Well"), M.turnComplete()), [
      ...written,
      "c_a1 +Well",
      "c_a1 =Well",
      "c_r1 complete"
    ])
  })

  it.each([
    ["nothing", M.content({})],
    ["no sound", M.speech(M.part(""))],
    ["no words", M.words("")],
    ["pictures", M.speech(M.part("AAAA", "image/png"))],
    ["code", M.speech({ executableCode: { code: "1" } })],
    ["grounding", M.content({ groundingMetadata: { webSearchQueries: ["x"] } })],
    ["the end of generation", M.generationComplete],
    ["waiting", M.content({ waitingForInput: true })],
    ["guesses", M.content({ interimInputTranscription: { text: "What" } })],
    ["a call without calls", M.toolCall()],
    ["an end without a beginning", M.turnComplete()]
  ])("begins no reply with %s", (_, message) => {
    assert.deepStrictEqual(brief(start(), message), [])
  })

  it("is taken in one order, all of one message", () => {
    const everything = {
      goAway: { timeLeft: "50s" },
      usageMetadata: M.usageMetadata,
      voiceActivity: { voiceActivityType: "ACTIVITY_START" },
      toolCallCancellation: { ids: ["call_0"] },
      toolCall: { functionCalls: [M.call("call_1")] },
      serverContent: {
        turnComplete: true,
        modelTurn: { parts: [M.part(M.silence(2)), { text: "!" }] },
        outputTranscription: { text: "Hello" },
        inputTranscription: { text: "Hi" }
      },
      sessionResumptionUpdate: { newHandle: "h", resumable: true }
    }
    assert.deepStrictEqual(brief(start(), everything), [
      "Resumable",
      "c_u1 turn",
      "c_u1 +Hi",
      "c_u1 =Hi",
      "c_r1 started",
      "c_a1 +Hello",
      "c_a1 sound",
      "Reasoning",
      "c_a1 =Hello",
      "c_r1 complete",
      "c_r2 started",
      "ToolCalls",
      "c_r2 tool_use",
      "ToolCallsCancelled",
      "SpeechStarted",
      "Usage",
      "Expiring"
    ])
  })

  it("is asked for calls once, however often they come under their ids, and again when they were taken back", () => {
    const calls = M.toolCall(M.call("call_1"), M.call("call_2"))
    const taken = { toolCallCancellation: { ids: ["call_1"] } }
    assert.deepStrictEqual(brief(start(), calls, calls, M.toolCall(M.call("call_1")), taken, calls), [
      "c_r1 started",
      "ToolCalls",
      "c_r1 tool_use",
      "ToolCallsCancelled",
      "c_r2 started",
      "ToolCalls",
      "c_r2 tool_use"
    ])
  })

  it("has ids that no other reply has", () => {
    assert.deepStrictEqual(
      brief(start({ prefix: "x" }), M.words("One"), M.turnComplete(), M.words("Two"), M.turnComplete()),
      [
        "x_r1 started",
        "x_a1 +One",
        "x_a1 =One",
        "x_r1 complete",
        "x_r2 started",
        "x_a2 +Two",
        "x_a2 =Two",
        "x_r2 complete"
      ]
    )
  })

  it("is the same however the messages are batched", () => {
    const messages = [M.heard("Hi"), ...M.spokenReply, M.interrupted(), M.turnComplete(), ...M.spokenReply]
    const one = start()
    assert.deepStrictEqual(
      messages.flatMap((message) => events(one, message)),
      events(start(), ...messages)
    )
  })
})

// "Transcriptions are sent independently of other messages, in no guaranteed order" (reference of serverContent)
describe("words that come behind the end of their turn", () => {
  const turn = [M.speech(), M.words("It is"), M.turnComplete()]

  it("are told, and leave no reply open", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, ...turn, M.words(" fine.")).slice(-4), [
      "c_r2 started",
      "c_a2 +fine.",
      "c_a2 =fine.",
      "c_r2 complete"
    ])
    assert.isUndefined(state.reply)
  })

  it("are told where the turn had none", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete(), M.words("Fine.")).slice(-4), [
      "c_r2 started",
      "c_a2 +Fine.",
      "c_a2 =Fine.",
      "c_r2 complete"
    ])
    assert.deepStrictEqual(brief(state, M.words("Fine."), M.turnComplete()), [
      "c_r3 started",
      "c_a3 +Fine.",
      "c_a3 =Fine.",
      "c_r3 complete"
    ])
  })

  it("are not told of a turn that was cut off, and leave no reply open", () => {
    const state = start()
    events(state, M.speech(), M.words("It is"), M.interrupted(), M.turnComplete())
    assert.deepStrictEqual(brief(state, M.words(" fine.")), [])
    assert.isUndefined(state.reply)
  })

  it("are the beginning of a reply where one is asked for", () => {
    const state = start()
    events(state, ...turn)
    send(state, { _tag: "UserMessage", id: "m1", parts: ["And now?"] })
    assert.deepStrictEqual(brief(state, M.words("Now"), M.turnComplete()), [
      "c_r2 started",
      "c_a2 +Now",
      "c_a2 =Now",
      "c_r2 complete"
    ])
  })

  it("are the beginning of a reply where the user has spoken since", () => {
    const state = start()
    events(state, ...turn)
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.words("Now")).slice(-2), ["c_r2 started", "c_a2 +Now"])
    assert.isDefined(state.reply)
  })
})

describe("an interruption", () => {
  it("cuts the reply off, once, and drops what comes with it", () => {
    const state = start()
    const late = { outputTranscription: { text: " late" }, modelTurn: { parts: [M.part(M.silence(100))] } }
    assert.deepStrictEqual(
      events(state, M.words("Hello"), M.speech(), M.interrupted(late), M.turnComplete(), M.turnComplete()),
      [
        started,
        delta("Hello"),
        sound(4800),
        { _tag: "Interrupted", responseId: "c_r1" },
        whole("Hello"),
        { ...done, stopReason: "interrupted" }
      ]
    )
  })

  it("cuts the last reply off while it is played, once", () => {
    const state = start()
    events(state, ...M.spokenReply)
    assert.deepStrictEqual(brief(state, M.interrupted(), M.interrupted()), ["c_r1 cut"])
  })

  it("is not told twice of one reply", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.speech(), M.interrupted(), M.interrupted(), M.turnComplete()), [
      "c_r1 started",
      "c_a1 sound",
      "c_r1 cut",
      "c_r1 interrupted"
    ])
  })

  it("of nothing is nothing", () => {
    assert.deepStrictEqual(brief(start(), M.interrupted(), M.turnComplete()), [])
  })

  it("comes with the words that caused it, which are another turn", () => {
    const state = start()
    const messages = [M.heard("Tell me."), M.words("Once"), M.interrupted({ inputTranscription: { text: "Stop" } })]
    assert.deepStrictEqual(brief(state, ...messages, M.turnComplete(), M.words("OK")), [
      "c_u1 turn",
      "c_u1 +Tell me.",
      "c_u1 =Tell me.",
      "c_r1 started",
      "c_a1 +Once",
      "c_r1 cut",
      "c_a1 =Once",
      "c_r1 interrupted",
      "c_u2 turn",
      "c_u2 +Stop",
      "c_u2 =Stop",
      "c_r2 started",
      "c_a2 +OK"
    ])
  })

  it("of a reply that has not begun does not end the wait for the next", () => {
    const state = start()
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    assert.deepStrictEqual(brief(state, M.interrupted(), M.turnComplete()), [])
    assert.strictEqual(state.owed, "command")
  })
})

describe("a call", () => {
  it("ends the reply that it is part of; the answer is another", () => {
    const state = start()
    assert.deepStrictEqual(events(state, M.words("Let me see."), M.toolCall(M.call("call_1"), M.call("call_2"))), [
      started,
      delta("Let me see."),
      {
        _tag: "ToolCalls",
        responseId: "c_r1",
        calls: [
          { id: "call_1", name: "weather", arguments: '{"city":"Bern"}' },
          { id: "call_2", name: "weather", arguments: '{"city":"Bern"}' }
        ]
      },
      whole("Let me see."),
      { ...done, stopReason: "tool_use" }
    ])
    assert.deepStrictEqual(brief(state, M.generationComplete, M.turnComplete(), M.words("Sunny."), M.turnComplete()), [
      "c_r2 started",
      "c_a2 +Sunny.",
      "c_a2 =Sunny.",
      "c_r2 complete"
    ])
  })

  it("may follow another, and speech may follow it, before any answer", () => {
    const calls = [M.toolCall(M.call("call_1")), M.toolCall(M.call("call_2")), M.words("One moment."), M.turnComplete()]
    assert.deepStrictEqual(brief(start(), ...calls), [
      "c_r1 started",
      "ToolCalls",
      "c_r1 tool_use",
      "c_r2 started",
      "ToolCalls",
      "c_r2 tool_use",
      "c_r3 started",
      "c_a1 +One moment.",
      "c_a1 =One moment.",
      "c_r3 complete"
    ])
  })

  it("may have no arguments", () => {
    const [, calls] = events(start(), M.toolCall({ id: "call_1", name: "time" }))
    assert(calls?._tag === "ToolCalls")
    assert.deepStrictEqual(calls.calls, [{ id: "call_1", name: "time", arguments: "{}" }])
  })

  it("that cannot be answered is a problem, and does not take others with it", () => {
    const message = M.toolCall({ name: "time" }, { id: "call_1" }, "x" as never, M.call("call_2"))
    const seen = summary(start(), message)
    assert.deepStrictEqual(
      seen.slice(0, 3),
      Array(3).fill({ _tag: "Problem", error: ["ServerFault", "malformed_message"] })
    )
    assert.deepStrictEqual(brief(start(), message).slice(3), ["c_r1 started", "ToolCalls", "c_r1 tool_use"])
  })

  it("can be taken back", () => {
    assert.deepStrictEqual(events(start(), M.cancellation("call_1", "call_2"), M.cancellation()), [
      { _tag: "ToolCallsCancelled", ids: ["call_1", "call_2"] }
    ])
  })
})

describe("the end of a turn", () => {
  const blocked = { detail: "content_filter" } as const

  it.each([
    ["MALFORMED_FUNCTION_CALL", "ServerFault", {}],
    ["RESPONSE_REJECTED", "InvalidRequest", {}],
    ["NEED_MORE_INPUT", "InvalidRequest", {}],
    ["MAX_REGENERATION_REACHED", "InvalidRequest", {}],
    ["GENERATED_AUDIO_SAFETY", "InvalidRequest", blocked],
    ["PROHIBITED_INPUT_CONTENT", "InvalidRequest", blocked],
    ["SOMETHING_NEW", "InvalidRequest", blocked]
  ] as const)("for the reason %s is an error", (reason, tag, detail) => {
    assert.deepStrictEqual(summary(start(), M.words("Well"), M.turnComplete(reason)).at(-1), {
      ...done,
      stopReason: "error",
      ...detail,
      error: [tag, reason]
    })
  })

  it("for no reason is none", () => {
    const reason = "TURN_COMPLETE_REASON_UNSPECIFIED"
    assert.deepStrictEqual(summary(start(), M.words("Well"), M.turnComplete(reason)).at(-1), done)
  })

  it("without anything said is no answer to who asked for one, and told once", () => {
    const state = start()
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    assert.deepStrictEqual(summary(state, M.turnComplete(), M.turnComplete()), [
      { _tag: "NoResponse", error: ["ServerFault", "empty_turn"] }
    ])
  })

  it("without anything said, for a reason, tells who asked for it", () => {
    const state = start()
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    assert.deepStrictEqual(summary(state, M.turnComplete("PROHIBITED_INPUT_CONTENT"), M.turnComplete()), [
      { _tag: "NoResponse", error: ["InvalidRequest", "PROHIBITED_INPUT_CONTENT"] }
    ])
  })

  it.each([
    ["RESPONSE_REJECTED", "InvalidRequest", "RESPONSE_REJECTED"],
    ["NEED_MORE_INPUT", "InvalidRequest", "NEED_MORE_INPUT"],
    [undefined, "ServerFault", "empty_turn"]
  ])("without anything said to what the user said is an error, for the reason %s", (reason, tag, code) => {
    const state = start(older)
    events(state, M.activity("START"), M.activity("END"))
    assert.deepStrictEqual(summary(state, M.turnComplete(reason)), [
      { _tag: "ResponseStarted", responseId: "c_r1" },
      { _tag: "ResponseDone", responseId: "c_r1", stopReason: "error", error: [tag, code] }
    ])
    // also where a model is free to say nothing
    const free = start()
    events(free, M.heard("Hello?"))
    assert.deepStrictEqual(summary(free, M.turnComplete(reason)), [
      { _tag: "TranscriptDone", role: "user", itemId: "c_u1", text: "Hello?" },
      { _tag: "Problem", error: [tag, code] }
    ])
  })

  it("without anything said answers the command, whatever was said aloud since", () => {
    const state = start(older)
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    events(state, M.activity("START"), M.activity("END"))
    assert.deepStrictEqual(summary(state, M.turnComplete("BLOCKLIST")), [
      { _tag: "NoResponse", error: ["InvalidRequest", "BLOCKLIST"] }
    ])
  })

  it("without anything said is nothing after the reply that was asked for", () => {
    const state = start()
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    events(state, ...M.spokenReply)
    assert.deepStrictEqual(events(state, M.turnComplete()), [])
  })

  it("without anything said, asked for by nobody, is a problem only where it says one", () => {
    const turns = [M.turnComplete("BLOCKLIST"), M.turnComplete(), M.turnComplete("RESPONSE_REJECTED")]
    assert.deepStrictEqual(summary(start(), ...turns), [
      { _tag: "Problem", error: ["InvalidRequest", "BLOCKLIST"] },
      { _tag: "Problem", error: ["InvalidRequest", "RESPONSE_REJECTED"] }
    ])
  })

  it("that held a call is not taken for the answer to it, which comes in the next", () => {
    const state = start()
    events(state, M.toolCall(M.call("call_1")))
    send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
    })
    assert.deepStrictEqual(brief(state, M.turnComplete()), [])
    assert.deepStrictEqual(brief(state, M.turnComplete()), ["NoResponse"])
  })

  it("that held a call is not the answer to it where the model has waited, either: that comes a little later", () => {
    const state = start(older)
    events(state, M.toolCall(M.call("call_1")))
    send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
    })
    assert.deepStrictEqual(brief(state, M.turnComplete()), [])
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete()), ["c_r2 started", "c_a1 sound", "c_r2 complete"])
    assert.deepStrictEqual(brief(state, M.turnComplete()), [])
  })

  it("that is empty twice behind an answer is all there is", () => {
    const state = start(older)
    events(state, M.toolCall(M.call("call_1")))
    send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
    })
    assert.deepStrictEqual(brief(state, M.turnComplete(), M.turnComplete()), ["NoResponse"])
  })

  it("is not the end of a reply in which the model thinks", () => {
    const state = start()
    const turns = [M.words("Checking."), M.turnComplete(undefined, M.thinking), M.words("Found."), M.speech()]
    assert.deepStrictEqual(brief(state, ...turns, M.turnComplete(undefined, { interactionStatus: "IDLE" })), [
      "c_r1 started",
      "c_a1 +Checking.",
      "c_a1 =Checking.",
      "c_a2 +Found.",
      "c_a2 sound",
      "c_a2 =Found.",
      "c_r1 complete"
    ])
  })

  it("is the end of a reply where the model only waits for answers", () => {
    const state = start()
    const [busy, idle] = [
      M.turnComplete(undefined, M.thinking),
      M.turnComplete(undefined, { interactionStatus: "IDLE" })
    ]
    assert.deepStrictEqual(brief(state, M.toolCall(M.call("call_1")), busy, M.words("One moment."), busy), [
      "c_r1 started",
      "ToolCalls",
      "c_r1 tool_use",
      "c_r2 started",
      "c_a1 +One moment.",
      "c_a1 =One moment.",
      "c_r2 complete"
    ])
    send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
    })
    assert.deepStrictEqual(brief(state, M.words("Sunny."), idle), [
      "c_r3 started",
      "c_a2 +Sunny.",
      "c_a2 =Sunny.",
      "c_r3 complete"
    ])
  })

  it("is not the end of the reply to answers, in which the model thinks", () => {
    const state = start()
    events(state, M.toolCall(M.call("call_1")))
    send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
    })
    assert.deepStrictEqual(brief(state, M.words("Hm."), M.turnComplete(undefined, M.thinking), M.words("Sunny.")), [
      "c_r2 started",
      "c_a1 +Hm.",
      "c_a1 =Hm.",
      "c_a2 +Sunny."
    ])
  })

  it("is the end of a reply where the answers are not wanted any more", () => {
    const state = start()
    events(state, M.toolCall(M.call("call_1")), M.cancellation("call_1"), M.words("Hm."))
    assert.deepStrictEqual(brief(state, M.turnComplete(undefined, M.thinking), M.words(" Well.")), [
      "c_a1 =Hm.",
      "c_a2 + Well."
    ])
  })

  it("is not the end of a reply that goes on, whatever is said meanwhile", () => {
    const state = start()
    events(state, M.words("Checking."), M.turnComplete(undefined, M.thinking), M.words("Found"))
    assert.deepStrictEqual(brief(state, M.heard("Yes?"), M.words(" it.")), ["c_u1 turn", "c_u1 +Yes?", "c_a2 + it."])
  })

  it("becomes the end of a reply in which the model thinks when something else is answered", () => {
    const state = start()
    events(state, M.words("Checking."), M.turnComplete(undefined, M.thinking))
    send(state, { _tag: "UserMessage", id: "m", parts: ["Never mind."] })
    assert.deepStrictEqual(brief(state, M.words("OK.")), ["c_r1 complete", "c_r2 started", "c_a2 +OK."])
    events(state, M.turnComplete(undefined, M.thinking))
    assert.deepStrictEqual(brief(state, M.heard("Bye"), M.words("Bye.")), [
      "c_u1 turn",
      "c_u1 +Bye",
      "c_r2 complete",
      "c_u1 =Bye",
      "c_r3 started",
      "c_a3 +Bye."
    ])
  })

  it("can be cut off while the model thinks", () => {
    const state = start()
    events(state, M.words("Checking."), M.turnComplete(undefined, M.thinking))
    assert.deepStrictEqual(brief(state, M.interrupted(), M.turnComplete()), ["c_r1 cut", "c_r1 interrupted"])
  })

  it("is no silence while the model thinks", () => {
    const state = start()
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    assert.deepStrictEqual(brief(state, M.turnComplete(undefined, M.thinking), M.words("Hi")), [
      "c_r1 started",
      "c_a1 +Hi"
    ])
  })

  it("ends also a reply in which the model thinks, when it failed", () => {
    const seen = summary(start(), M.words("Well"), M.turnComplete("BLOCKLIST", M.thinking))
    assert.deepInclude(seen.at(-1) as object, { stopReason: "error" })
  })
})

describe("a session", () => {
  it.each([
    [{ newHandle: "h", resumable: true }, "h"],
    [{ newHandle: "h", resumable: false }, undefined],
    [{ newHandle: "h" }, undefined],
    [{ resumable: true }, undefined],
    [{ newHandle: "", resumable: true }, undefined],
    [{}, undefined]
  ])("can be resumed: %j", (update, handle) => {
    assert.deepStrictEqual(events(start(), M.resumption(update)), [{ _tag: "Resumable", handle }])
  })

  it.each([
    ["50s", 50_000],
    ["9.5s", 9500],
    ["0s", 0],
    [undefined, 10_000],
    ["soon", 10_000]
  ])("announces its end: in %s", (timeLeft, millis) => {
    assert.deepStrictEqual(events(start(), M.goAway(timeLeft)), [
      { _tag: "Expiring", timeLeft: Duration.millis(millis) }
    ])
  })
})

describe("usage", () => {
  const of = (usageMetadata: object) => events(start(), { usageMetadata })

  it("counts thoughts and the results of tools", () => {
    assert.deepStrictEqual(of(M.usageMetadata), [usage])
  })

  it("sums up what the provider does not, and invents no modality", () => {
    assert.deepStrictEqual(of({ promptTokenCount: 10, responseTokenCount: 4, toolUsePromptTokenCount: 2 }), [
      {
        _tag: "Usage",
        inputTokens: 12,
        outputTokens: 4,
        totalTokens: 16,
        byModality: [{ modality: "text", inputTokens: 2, outputTokens: 0 }]
      }
    ])
  })

  it.each([[{}], [{ promptTokenCount: 0 }], [{ totalTokenCount: -1 }], [{ totalTokenCount: "7" }]])(
    "of nothing is nothing: %j",
    (raw) => assert.deepStrictEqual(of(raw), [])
  )
})

describe("what cannot be read", () => {
  it.each([
    [undefined],
    [{ serverContent: 7 }],
    [{ serverContent: { modelTurn: { parts: {} } } }],
    [{ serverContent: { modelTurn: [] } }],
    [{ serverContent: { outputTranscription: { text: 1 } } }],
    [{ serverContent: { turnComplete: true, turnCompleteReason: {} } }],
    [M.speech(M.part("AAAA", "audio/pcm;rate=16000"))],
    [M.speech(M.part("AAAA", "audio/opus"))],
    [M.speech({ inlineData: { mimeType: "audio/pcm;rate=24000", data: 7 } })],
    [{ toolCall: { functionCalls: "x" } }],
    [{ toolCallCancellation: [] }],
    [{ usageMetadata: { promptTokenCount: 1, promptTokensDetails: 5 } }],
    [{ goAway: "now" }],
    [{ sessionResumptionUpdate: { newHandle: 1 } }]
  ])("is a problem: %j", (message) => {
    assert.deepStrictEqual(summary(start(), message), [
      { _tag: "Problem", error: ["ServerFault", "malformed_message"] }
    ])
  })

  it("does not take what can be read with it", () => {
    const state = start()
    const message = { ...M.usage, serverContent: 7, goAway: { timeLeft: "1s" } }
    assert.deepStrictEqual(brief(state, message), ["Problem", "Usage", "Expiring"])
  })

  it("does not show the key", () => {
    const [problem] = events(start(), M.speech(M.part("AAAA", `audio/${KEY}`)))
    assert(problem?._tag === "Problem")
    assert.include(problem.error.message, "<redacted>")
  })

  it.each([[{}], [{ voiceActivity: {} }], [{ voiceActivity: { voiceActivityType: "X" } }]])(
    "but means nothing is left alone: %j",
    (message) => assert.deepStrictEqual(events(start(), message), [])
  )

  it.each([
    [{ somethingNew: {} }, "somethingNew"],
    [{ serverContent: { mood: "cheerful" } }, "serverContent.mood"]
  ])("because it is new is told as it is: %j", (message, type) => {
    assert.deepStrictEqual(events(start(), message), [{ _tag: "Unknown", type, raw: message }])
  })

  it.each(["audio/pcm", "audio/pcm; rate=24000"])("may be written otherwise: %s", (type) => {
    assert.strictEqual(brief(start(), M.speech(M.part("AAAA", type))).at(-1), "c_a1 sound")
  })
})
