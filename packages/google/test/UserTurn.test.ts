/**
 * What the user said, and where it stands in the talk.
 */
import { assert, describe, it } from "@effect/vitest"
import * as M from "./fixtures/messages.ts"
import { brief, events, hear, older, send, start } from "./support/protocol.ts"

describe("speech that the provider tells of", () => {
  it("is a turn when it ends, whose words may come before or after", () => {
    const state = start()
    assert.deepStrictEqual(events(state, M.activity("START"), M.activity("END"), M.heard("What"), M.heard(" now?")), [
      { _tag: "SpeechStarted", interrupts: true },
      { _tag: "SpeechStopped" },
      { _tag: "UserTurn", itemId: "c_u1", respond: false },
      { _tag: "TranscriptDelta", role: "user", itemId: "c_u1", delta: "What" },
      { _tag: "TranscriptDelta", role: "user", itemId: "c_u1", delta: " now?" }
    ])
    assert.deepStrictEqual(brief(state, M.words("Well")), ["c_u1 =What now?", "c_r1 started", "c_a1 +Well"])
  })

  it("promises a reply where the model answers all it hears", () => {
    const turn = events(start(older), M.activity("START"), M.activity("END")).at(-1)
    assert.deepStrictEqual(turn, { _tag: "UserTurn", itemId: "c_u1", respond: true })
  })

  it("is told in two ways, and heard once", () => {
    const both = [M.activity("START"), M.signal("SOS"), M.signal("EOS"), M.activity("END")]
    assert.deepStrictEqual(brief(start(), ...both), ["SpeechStarted", "SpeechStopped", "c_u1 turn"])
  })

  it("interrupts what is played; what is generated the provider cuts off itself", () => {
    const state = start()
    events(state, M.speech())
    assert.deepStrictEqual(events(state, M.activity("START")), [{ _tag: "SpeechStarted", interrupts: false }])
    events(state, M.activity("END"), M.turnComplete())
    assert.deepStrictEqual(events(state, M.activity("START")), [{ _tag: "SpeechStarted", interrupts: true }])
  })

  it("interrupts nothing where the provider was told so", () => {
    assert.deepStrictEqual(events(start({ interrupts: false }), M.activity("START")), [
      { _tag: "SpeechStarted", interrupts: false }
    ])
  })

  it("is known when its words come", () => {
    const [, turn] = events(start(), M.activity("START"), M.heard("What"))
    assert.deepStrictEqual(turn, { _tag: "UserTurn", itemId: "c_u1", respond: false })
  })

  it("goes on after a pause as the same turn", () => {
    const state = start()
    const speech = [M.activity("START"), M.heard("I want"), M.activity("END"), M.activity("START"), M.heard(" tea")]
    assert.deepStrictEqual(brief(state, ...speech, M.activity("END"), M.words("OK")), [
      "SpeechStarted",
      "c_u1 turn",
      "c_u1 +I want",
      "SpeechStopped",
      "SpeechStarted",
      "c_u1 + tea",
      "SpeechStopped",
      "c_u1 =I want tea",
      "c_r1 started",
      "c_a1 +OK"
    ])
  })

  it("is another turn after a reply, even if the first never got words", () => {
    const state = start()
    events(state, M.activity("START"), M.activity("END"), M.words("Pardon?"), M.turnComplete())
    assert.deepStrictEqual(brief(state, M.activity("START"), M.heard("Hello")), [
      "SpeechStarted",
      "c_u2 turn",
      "c_u2 +Hello"
    ])
  })

  it("is another turn while a reply goes on that may not be interrupted", () => {
    const state = start({ interrupts: false })
    const during = [M.activity("START"), M.heard("And you?"), M.activity("END")]
    assert.deepStrictEqual(
      brief(state, M.heard("Hi"), M.words("Hello"), ...during, M.turnComplete(), M.words("Fine")),
      [
        "c_u1 turn",
        "c_u1 +Hi",
        "c_u1 =Hi",
        "c_r1 started",
        "c_a1 +Hello",
        "SpeechStarted",
        "c_u2 turn",
        "c_u2 +And you?",
        "SpeechStopped",
        "c_a1 =Hello",
        "c_r1 complete",
        "c_u2 =And you?",
        "c_r2 started",
        "c_a2 +Fine"
      ]
    )
  })
})

describe("the sound of a turn", () => {
  it("is all that was sent until its speech ended, or until the reply began", () => {
    const state = start()
    hear(state, 1)
    assert.deepStrictEqual(brief(state, M.activity("START"), M.heard("What")), [
      "SpeechStarted",
      "c_u1 turn",
      "c_u1 +What"
    ])
    hear(state, 1)
    assert.deepStrictEqual(brief(state, M.activity("END")), ["SpeechStopped", "c_u1 turn"])
    hear(state, 1)
    assert.deepStrictEqual(brief(state, M.heard(" now?"), M.words("Well")), [
      "c_u1 + now?",
      "c_u1 turn",
      "c_u1 =What now?",
      "c_r1 started",
      "c_a1 +Well"
    ])
  })
})

describe("words", () => {
  it("are the first sign of speech that is not told of, and interrupt what is played", () => {
    const turn = { _tag: "UserTurn", itemId: "c_u1", respond: false } as const
    const said = (options?: Parameters<typeof start>[0]) => events(start(options), M.heard("Stop"), M.heard(" it!"))
    assert.deepStrictEqual(
      said().filter((event) => event._tag === "UserTurn"),
      [{ ...turn, interrupts: true }]
    )
    assert.deepStrictEqual(said({ interrupts: false })[0], turn) // where the provider was told so
  })

  it("interrupt nothing when they never come", () => {
    const state = start()
    hear(state, 1)
    assert.deepStrictEqual(events(state, M.speech())[0], { _tag: "UserTurn", itemId: "c_u1", respond: false })
  })

  it("are a turn by themselves", () => {
    assert.deepStrictEqual(brief(start(), M.heard("Hi"), M.words("Hello")), [
      "c_u1 turn",
      "c_u1 +Hi",
      "c_u1 =Hi",
      "c_r1 started",
      "c_a1 +Hello"
    ])
  })

  it("keep their spaces, also alone", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.heard(" Hi"), M.heard(" "), M.heard("you")), [
      "c_u1 turn",
      "c_u1 + Hi",
      "c_u1 + ",
      "c_u1 +you"
    ])
  })

  it("are final when the provider says so", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.heard("Hi", { finished: true }), M.heard("", { finished: true })), [
      "c_u1 turn",
      "c_u1 +Hi",
      "c_u1 =Hi"
    ])
    assert.deepStrictEqual(brief(state, M.words("Hello")), ["c_r1 started", "c_a1 +Hello"])
  })

  it("that come after the reply has begun stand before it", () => {
    const state = start()
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.speech(), M.heard("What"), M.heard(" now?"), M.turnComplete()), [
      "c_u1 turn",
      "c_r1 started",
      "c_a1 sound",
      "c_u1 +What",
      "c_u1 + now?",
      "c_u1 =What now?",
      "c_r1 complete"
    ])
  })

  it("that end after the reply has begun belong to those before it", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.heard("What"), M.speech(), M.heard(" now?")), [
      "c_u1 turn",
      "c_u1 +What",
      "c_u1 =What",
      "c_r1 started",
      "c_a1 sound",
      "c_u1 =What now?"
    ])
  })

  it("that come while a reply goes on are final when it is cut off", () => {
    const state = start()
    hear(state, 2)
    events(state, M.speech())
    assert.deepStrictEqual(brief(state, M.heard("What now?"), M.interrupted()), [
      "c_u1 +What now?",
      "c_r1 cut",
      "c_u1 =What now?",
      "c_r1 interrupted"
    ])
  })

  it("that come after a short reply still stand before it", () => {
    const state = start()
    hear(state, 2)
    events(state, M.speech(), M.turnComplete())
    hear(state, 0.5)
    assert.deepStrictEqual(brief(state, M.heard("What now?")), ["c_u1 +What now?"])
  })

  it("that never come are given up with the next turn, where words are told at all", () => {
    for (const transcribes of [true, false]) {
      const state = start({ transcribes })
      hear(state, 2)
      events(state, M.speech(), M.turnComplete())
      hear(state, 1)
      const seen = events(state, M.heard("What now?"))
      const failed = seen.find((event) => event._tag === "TranscriptFailed")
      assert.strictEqual(failed?.itemId, transcribes ? "c_u1" : undefined)
      if (transcribes) assert.strictEqual(failed?.error.reason._tag, "InvalidRequest")
      assert.deepStrictEqual(
        seen.filter((event) => event !== failed).map(({ _tag }) => _tag),
        ["UserTurn", "TranscriptDelta"]
      )
    }
  })

  it("that come much later are another turn", () => {
    const state = start()
    hear(state, 2)
    events(state, M.speech(), M.turnComplete())
    hear(state, 1)
    assert.deepStrictEqual(brief(state, M.heard("What now?")), ["c_u2 turn", "c_u2 +What now?"])
  })

  it("after the end of the reply are another turn", () => {
    const state = start()
    events(state, M.heard("Hi"), M.words("Hello"), M.turnComplete())
    assert.deepStrictEqual(brief(state, M.heard("Bye")), ["c_u2 turn", "c_u2 +Bye"])
  })

  it("of a turn that nobody answers are final all the same, and no part of the next", () => {
    const state = start()
    assert.deepStrictEqual(brief(state, M.heard("Hm."), M.turnComplete("RESPONSE_REJECTED"), M.heard("Hi")), [
      "c_u1 turn",
      "c_u1 +Hm.",
      "c_u1 =Hm.",
      "Problem",
      "c_u2 turn",
      "c_u2 +Hi"
    ])
  })

  it("before a call are final with it", () => {
    assert.deepStrictEqual(brief(start(), M.heard("Weather?"), M.toolCall(M.call("call_1"))), [
      "c_u1 turn",
      "c_u1 +Weather?",
      "c_u1 =Weather?",
      "c_r1 started",
      "ToolCalls",
      "c_r1 tool_use"
    ])
  })
})

describe("a reply", () => {
  it("that only speech can have caused gets a turn before it, once", () => {
    const state = start()
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete()), [
      "c_u1 turn",
      "c_r1 started",
      "c_a1 sound",
      "c_r1 complete"
    ])
    assert.deepStrictEqual(brief(state, M.speech()), ["c_r2 started", "c_a2 sound"])
  })

  it.each([
    { _tag: "UserMessage", id: "m", parts: ["Hi"] },
    { _tag: "Respond" },
    { _tag: "Note", text: "Now.", respond: true },
    { _tag: "ToolOutputs", outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }] }
  ] as const)("that a command asked for gets none: %j", (command) => {
    const state = start()
    hear(state, 2)
    send(state, command)
    assert.deepStrictEqual(brief(state, M.speech()), ["c_r1 started", "c_a1 sound"])
  })

  it("after one that a command had asked for is caused by speech, if there was any since", () => {
    const state = start()
    hear(state, 2)
    send(state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    events(state, M.speech(), M.turnComplete())
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete()), ["c_r2 started", "c_a2 sound", "c_r2 complete"])
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.speech()), ["c_u1 turn", "c_r3 started", "c_a3 sound"])
  })

  it("to nothing gets none", () => {
    assert.deepStrictEqual(brief(start(), M.speech()), ["c_r1 started", "c_a1 sound"])
  })

  it("gets a turn where the application has ended one, and only there", () => {
    const state = start({ manual: true })
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.speech(), M.turnComplete()), ["c_r1 started", "c_a1 sound", "c_r1 complete"])
    send(state, { _tag: "TurnStart" })
    hear(state, 2)
    send(state, { _tag: "TurnCommit" })
    assert.deepStrictEqual(brief(state, M.speech(), M.heard("Hi")), [
      "c_u1 turn",
      "c_r2 started",
      "c_a2 sound",
      "c_u1 +Hi"
    ])
  })

  it("that does not come tells of no turn, but for one that was there", () => {
    const state = start()
    hear(state, 2)
    assert.deepStrictEqual(brief(state, M.turnComplete()), [])
    assert.deepStrictEqual(brief(state, M.speech()), ["c_u1 turn", "c_r1 started", "c_a1 sound"])
  })

  it("without anything in it answers a turn that the application has ended", () => {
    const state = start({ manual: true })
    send(state, { _tag: "TurnStart" })
    hear(state, 2)
    send(state, { _tag: "TurnCommit" })
    assert.deepStrictEqual(brief(state, M.turnComplete(), M.heard("Hi")), [
      "c_u1 turn",
      "c_r1 started",
      "c_r1 error",
      "c_u1 +Hi"
    ])
  })
})
