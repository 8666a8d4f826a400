/**
 * What the real service was seen to send, and what it leads to.
 */
import { assert, describe, it } from "@effect/vitest"
import { deltaOf } from "../src/internal/transcriptDelta.ts"
import { onOverdue } from "../src/internal/reply.ts"
import type { Events } from "../src/internal/state.ts"
import * as M from "./fixtures/messages.ts"
import { brief, errors, events, older, send, start, summary } from "./support/protocol.ts"
import { closes, frames, recorded } from "./support/recorded.ts"

const idle = { interactionStatus: "IDLE" }
const answer = (id = "call_1") =>
  ({ _tag: "ToolOutputs", outputs: [{ id, name: "weather", result: "sunny", isFailure: false }] }) as const

describe("recorded messages", () => {
  it.each(recorded.flatMap(({ frame, scene }) => (frame === undefined ? [] : [[scene, frame] as const])))(
    "are all read: %s %j",
    (_, frame) => {
      const seen = events(start(), frame).map(({ _tag }) => _tag)
      assert.notInclude(seen, "Unknown")
      // an empty turn says so by itself
      if (frame.serverContent?.turnCompleteReason === undefined) assert.notInclude(seen, "Problem")
    }
  )

  it("of an ear are heard: its field is called `type`, and it comes unasked", () => {
    assert.deepStrictEqual(brief(start(), ...frames("ear")), [
      "SpeechStarted",
      "c_u1 turn",
      "c_u1 +And so, my friends, ask"
    ])
  })

  it("of a turn are a reply", () => {
    assert.deepStrictEqual(brief(start(), ...frames("turn"), M.turnComplete()), [
      "c_r1 started",
      "c_a1 sound",
      "c_a1 +, how are you?",
      "c_a1 sound",
      "c_a1 =, how are you?",
      "c_r1 complete"
    ])
  })

  it.each([
    ["inside", { serverContent: idle }],
    ["at the top", idle],
    ["by its former name", { interactionStatus: "REQUIRES_ACTION" }]
  ])("of work in the background end when the service says that it is idle: %s", (_, done) => {
    const state = start()
    assert.deepStrictEqual(brief(state, ...frames("background")), [
      "c_r1 started",
      "c_a1 +Let me look that up.",
      "c_a1 =Let me look that up."
    ])
    assert.deepStrictEqual(brief(state, done), ["c_r1 complete"])
    assert.deepStrictEqual(brief(state, done), [])
  })

  it("of work in the background may say so at the top", () => {
    const state = start()
    events(state, M.words("One moment."), { serverContent: { turnComplete: true }, interactionStatus: "IN_PROGRESS" })
    assert.isTrue(state.reply?.held)
    assert.deepStrictEqual(brief(state, idle), ["c_r1 complete"])
  })

  it("of a call are one", () => {
    assert.deepStrictEqual(brief(start(), ...frames("call")), [
      "c_r1 started",
      "ToolCalls",
      "c_r1 tool_use",
      "Resumable"
    ])
  })

  it("of silence are told as silence, with the reason", () => {
    for (const frame of frames("silent")) {
      const reason = frame.serverContent.turnCompleteReason
      const state = start(older)
      events(state, M.activity("START"), M.activity("END"))
      assert.deepStrictEqual(summary(state, frame).at(-1), {
        _tag: "ResponseDone",
        responseId: "c_r1",
        stopReason: "error",
        error: ["InvalidRequest", reason]
      })
    }
  })

  it("of Vertex count what was said by its other name", () => {
    const usage = events(start(), ...frames("vertex-usage")).find((event) => event._tag === "Usage")
    assert.deepStrictEqual(usage, {
      _tag: "Usage",
      inputTokens: 120,
      outputTokens: 340,
      totalTokens: 460,
      byModality: [{ modality: "audio", inputTokens: 0, outputTokens: 340 }]
    })
  })

  it.each(closes)("that close are told for what they are: %j", ({ code, expect, reason, stage }) => {
    assert.strictEqual(errors.closed(code, reason, stage).reason._tag, expect)
  })
})

describe("the provider's ear", () => {
  it.each(["type", "voiceActivityType"])("is read from `%s`", (key) => {
    const say = (type: string) => ({ serverContent: {}, voiceActivity: { [key]: type, audioOffset: "0.440s" } })
    assert.deepStrictEqual(brief(start(), say("ACTIVITY_START"), say("ACTIVITY_END")), [
      "SpeechStarted",
      "SpeechStopped",
      "c_u1 turn"
    ])
  })

  it("may be deaf: words and the reply make the turn", () => {
    assert.deepStrictEqual(brief(start(), M.heard("Hi"), M.speech(), M.turnComplete()), [
      "c_u1 turn",
      "c_u1 +Hi",
      "c_u1 =Hi",
      "c_r1 started",
      "c_a1 sound",
      "c_r1 complete"
    ])
  })

  it("may not hear the user stop: who answers has", () => {
    const state = start(older)
    assert.deepStrictEqual(brief(state, M.activity("START"), M.heard("Hi"), M.speech()), [
      "SpeechStarted",
      "c_u1 turn",
      "c_u1 +Hi",
      "SpeechStopped",
      "c_u1 =Hi",
      "c_r1 started",
      "c_a1 sound"
    ])
    // and hears the next beginning
    assert.deepStrictEqual(brief(state, M.turnComplete(), M.activity("START")), ["c_r1 complete", "SpeechStarted"])
  })
})

describe("text beside speech", () => {
  it("is reasoning, of no item and in no transcript", () => {
    assert.deepStrictEqual(
      events(start(), M.speech({ text: "Hm.", thought: true }, { text: "**Greeting**" }), M.words("Hello")).slice(0, 3),
      [
        { _tag: "ResponseStarted", responseId: "c_r1" },
        { _tag: "Reasoning", responseId: "c_r1", delta: "Hm." },
        { _tag: "Reasoning", responseId: "c_r1", delta: "**Greeting**" }
      ]
    )
  })

  it("alone is a reply that nobody heard: an error, and no words", () => {
    const seen = summary(start(), M.speech({ text: "I would say hello." }), M.turnComplete())
    assert.deepStrictEqual(seen.at(-1), {
      _tag: "ResponseDone",
      responseId: "c_r1",
      stopReason: "error",
      error: ["ServerFault", "text_only_turn"]
    })
    assert.notInclude(JSON.stringify(seen), "Transcript")
  })

  it("alone is not yet silence while the model goes on", () => {
    const state = start()
    const thinking = [M.speech({ text: "Hm.", thought: true }), M.turnComplete(undefined, M.thinking)]
    assert.deepStrictEqual(brief(state, ...thinking), ["c_r1 started", "Reasoning"])
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete(undefined, idle)), ["c_a1 sound", "c_r1 complete"])
    events(state, ...thinking)
    assert.deepStrictEqual(brief(state, idle), ["c_r2 error"])
    // also when it is asked something else meanwhile
    events(state, ...thinking)
    send(state, { _tag: "UserMessage", id: "m", parts: ["Never mind."] })
    assert.deepStrictEqual(brief(state, M.speech()).slice(0, 2), ["c_r3 error", "c_r4 started"])
  })
})

describe("a call in content", () => {
  const part = (fields: object) => M.speech({ functionCall: { name: "weather", args: { city: "Bern" }, ...fields } })

  it("is executed", () => {
    const state = start(older)
    assert.deepStrictEqual(brief(state, part({ id: "call_1" })), ["c_r1 started", "ToolCalls", "c_r1 tool_use"])
    const [{ toolResponse }] = send(state, answer())
    assert.strictEqual(toolResponse.functionResponses[0].id, "call_1")
  })

  it("is the same as the message of its own, whichever comes first", () => {
    for (const both of [
      [part({ id: "call_1" }), M.toolCall(M.call("call_1"))],
      [M.toolCall(M.call("call_1")), part({ id: "call_1" })],
      [{ ...part({ id: "call_1" }), ...M.toolCall(M.call("call_1")) }]
    ]) {
      assert.deepStrictEqual(brief(start(), ...both), ["c_r1 started", "ToolCalls", "c_r1 tool_use"])
    }
  })

  it("that comes again is the same, until another reply has begun", () => {
    for (const again of [M.toolCall(M.call("call_1")), part({ id: "call_1" })]) {
      const state = start()
      assert.deepStrictEqual(brief(state, again, again), ["c_r1 started", "ToolCalls", "c_r1 tool_use"])
      send(state, answer())
      // an answer may be quicker than what repeats itself
      assert.deepStrictEqual(brief(state, again), [])
      events(state, M.speech(), M.turnComplete())
      assert.include(brief(state, again), "ToolCalls")
    }
  })

  it("is another where the arguments or the id are others", () => {
    for (const second of [M.call("call_2"), M.call("call_1", "weather", { city: "Rome" })]) {
      assert.strictEqual(
        events(start(), part({ id: "call_1" }), M.toolCall(second)).filter(({ _tag }) => _tag === "ToolCalls").length,
        2
      )
    }
  })

  it("may have no id: it is answered without one, or with that of its message", () => {
    const state = start(older)
    const calls = events(state, part({})).find((event) => event._tag === "ToolCalls")
    assert.deepStrictEqual(calls?.calls, [{ id: "c_c1", name: "weather", arguments: '{"city":"Bern"}' }])
    assert.notProperty(send(state, answer("c_c1"))[0].toolResponse.functionResponses[0], "id")
    const both = start(older)
    assert.strictEqual(
      events(both, part({}), M.toolCall(M.call("call_9"))).filter(({ _tag }) => _tag === "ToolCalls").length,
      1
    )
    assert.strictEqual(send(both, answer("c_c1"))[0].toolResponse.functionResponses[0].id, "call_9")
  })
})

describe("pieces of a transcription", () => {
  it.each([
    ["I need a table.", "For four.", " For four."],
    ["Really?", "yes", " yes"],
    ['"Hi."', "She waved", " She waved"],
    ["(Really?)", "yes", " yes"],
    ['He said "', "Hi", "Hi"],
    ["Well,", "then", " then"],
    ["A table.", " For four.", " For four."],
    ["I want", " tea", " tea"],
    ["un", "believable", "believable"],
    ["It costs 3.", "50", "50"],
    ["1,", "000", "000"],
    ["example.", "com", "com"],
    ["the U.", "S.", "S."],
    ["", "Hello.", "Hello."],
    ["你好。", "世界", "世界"]
  ])("are joined: %j and %j", (before, piece, added) => assert.strictEqual(deltaOf(before, piece), added))

  it.each([
    ["A table for four.", "A table for four.", ""],
    ["A table for four. ", "A table for four.", ""],
    ["A table", "A table for four", " for four"],
    ["Hello. A table for four.", "A table for four.", ""]
  ])("that come again are not doubled: %j and %j", (before, piece, added) =>
    assert.strictEqual(deltaOf(before, piece), added)
  )

  it.each([
    ["very", " very"],
    ["No.", "No."],
    ["again and again", " and again"]
  ])("that were said twice are kept: %j and %j", (before, piece) =>
    assert.strictEqual((before + deltaOf(before, piece)).replaceAll(" ", ""), (before + piece).replaceAll(" ", ""))
  )

  it("are so on both sides, and their deltas add up to the whole", () => {
    const said = ["I need a table.", "For four.", "For four.", " Thanks."]
    const whole = "I need a table. For four. Thanks."
    const user = events(start(), ...said.map((text) => M.heard(text)), M.speech())
    const agent = events(start(), ...said.map((text) => M.words(text)), M.turnComplete())
    for (const seen of [user, agent]) {
      const deltas = seen.flatMap((event) => (event._tag === "TranscriptDelta" ? [event.delta] : []))
      assert.strictEqual(deltas.join(""), whole)
      assert.strictEqual(seen.find((event) => event._tag === "TranscriptDone")?.text, whole)
    }
  })
})

describe("speech that is not answered", () => {
  const overdue = (state: ReturnType<typeof start>, asking = false): Events => {
    const out: Events = []
    onOverdue(state, 10_000, asking, out)
    return out
  }
  const told = (out: Events) =>
    out.map((event) => ("error" in event ? [event._tag, event.error?.reason.code] : event._tag))

  it("is an error, once, and what is said next is another turn", () => {
    const state = start()
    events(state, M.heard("Hello?"))
    assert.deepStrictEqual(told(overdue(state)), ["TranscriptDone", ["Problem", "unanswered_speech"]])
    assert.deepStrictEqual(told(overdue(state)), [])
    assert.deepStrictEqual(brief(state, M.heard("Anybody?")), ["c_u2 turn", "c_u2 +Anybody?"])
  })

  it("ends the wait for a reply where one was to come", () => {
    const state = start(older)
    events(state, M.heard("Hello?"))
    assert.deepStrictEqual(told(overdue(state)).at(-1), ["ResponseDone", "unanswered_speech"])
  })

  it("may be answered all the same", () => {
    const state = start()
    events(state, M.heard("Hello?"))
    overdue(state)
    assert.deepStrictEqual(brief(state, M.speech()), ["c_r1 started", "c_a1 sound"])
  })

  it("is nothing while the user speaks, or once a reply has begun", () => {
    const speaking = start()
    events(speaking, M.activity("START"), M.heard("Well,"))
    assert.deepStrictEqual(overdue(speaking), [])
    const answered = start()
    events(answered, M.heard("Hi"), M.speech())
    assert.deepStrictEqual(overdue(answered), [])
  })

  it("is also the answer of a tool that nothing was said to", () => {
    const state = start(older)
    events(state, M.toolCall(M.call("call_1")))
    send(state, answer())
    events(state, M.turnComplete())
    assert.deepStrictEqual(told(overdue(state)), [["NoResponse", "unanswered_speech"]])
  })
})
