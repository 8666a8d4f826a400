import { assert, describe, it } from "@effect/vitest"
import { parse } from "../src/internal/frame.ts"
import * as F from "./fixtures/frames.ts"
import * as P from "./support/protocol.ts"

describe("a reply", () => {
  it("is announced, spoken and confirmed, all of it one item", () => {
    assert.deepStrictEqual(P.events(P.start(), F.completionStart, ...F.user("u", "Hi"), ...F.reply("1", "Hello.")), [
      P.turn(true),
      P.heard("Hi"),
      P.heardAll("Hi"),
      P.started(),
      P.preview("Hello."),
      P.spoke("Hello."),
      P.sound(4800),
      P.spokeAll("Hello."),
      P.done("complete")
    ])
  })

  it("has sentences, whose words are one text", () => {
    const sentences = [
      ...F.planned("p1", "One."),
      ...F.sound("a1"),
      ...F.said("f1", "One."),
      ...F.planned("p2", "Two."),
      ...F.sound("a2", "END_TURN"),
      ...F.said("f2", "Two.", "END_TURN")
    ]
    assert.deepStrictEqual(P.events(P.start(), ...sentences), [
      P.started(),
      P.preview("One."),
      P.spoke("One."),
      P.sound(4800),
      P.preview(" Two."),
      P.spoke(" Two."),
      P.sound(4800),
      P.spokeAll("One. Two."),
      P.done("complete")
    ])
  })

  it("lasts until it was heard, as far as the provider knows", () => {
    const state = P.start()
    P.events(
      state,
      ...F.planned("p1", "One."),
      ...F.sound("a1"),
      ...F.planned("p2", "Two."),
      ...F.sound("a2", "END_TURN")
    )
    assert.deepStrictEqual(P.events(state, ...F.said("f1", "One.")), [])
    assert.deepStrictEqual(P.events(state, ...F.said("f2", "Two.", "END_TURN")), [
      P.spokeAll("One. Two."),
      P.done("complete")
    ])
  })

  it("that ends with its connection in the middle of a sentence was said up to that sentence", () => {
    const begun = [
      ...F.planned("p1", "One."),
      ...F.sound("a1"),
      ...F.planned("p2", "Two."),
      ...F.sound("a2").slice(0, -1)
    ]
    assert.deepStrictEqual(P.untilEnd(P.start(), ...begun).at(-1), P.spokeAll("One."))
    assert.deepStrictEqual(P.untilEnd(P.start(), ...begun.slice(6)).at(-1), P.spokeAll(""))
    // what is confirmed was said
    assert.deepStrictEqual(
      P.untilEnd(P.start(), ...begun, ...F.said("f1", "One. Two.")).at(-1),
      P.spokeAll("One. Two.")
    )
  })

  it("is what was confirmed, where that is something else", () => {
    const state = P.start()
    P.events(state, ...F.planned("p1", "One."), ...F.sound("a1"), ...F.planned("p2", "Two three."), ...F.sound("a2"))
    const found = P.events(state, ...F.said("f1", "Uno."), ...F.said("f2", "Two", "END_TURN"))
    assert.deepStrictEqual(found, [P.spokeAll("Uno. Two"), P.done("complete")])
  })

  it("has words as soon as it has sound, and no words of what it has not", () => {
    const state = P.start()
    P.events(state, ...F.planned("p1", "One."), F.start("a1", "AUDIO", "ASSISTANT"))
    assert.deepStrictEqual(P.events(state, F.audio("a1", 2), F.audio("a1", 2)), [
      P.spoke("One."),
      P.sound(2),
      P.sound(2)
    ])
    const rest = [F.end("a1", "AUDIO", "END_TURN"), ...F.planned("p2", "Two."), F.completionEnd]
    assert.deepStrictEqual(
      P.events(state, ...rest).filter((event) => event._tag === "TranscriptDone"),
      [P.spokeAll("One.")]
    )
  })

  it("is not over while there is sound of it to come", () => {
    const state = P.start()
    const early = [F.start("a", "AUDIO", "ASSISTANT"), ...F.said("f", "One.", "END_TURN")]
    P.events(state, ...F.planned("p", "One."), ...early)
    assert.deepStrictEqual(P.events(state, F.audio("a", 2), F.end("a", "AUDIO", "END_TURN")), [
      P.sound(2),
      P.spokeAll("One."),
      P.done("complete")
    ])
  })

  it("ends with its sound when its words are confirmed by then", () => {
    const early = [...F.planned("p", "One."), F.start("a", "AUDIO", "ASSISTANT"), ...F.said("f", "One.")]
    const found = P.events(P.start(), ...early, F.end("a", "AUDIO", "END_TURN"))
    assert.deepStrictEqual(found.at(-1), P.done("complete"))
  })

  it("does not end with what was only announced", () => {
    const announced = F.block("p", "ASSISTANT", "SPECULATIVE", "One.", "END_TURN")
    assert.deepStrictEqual(P.events(P.start(), ...announced, ...F.said("f", "One.")), [
      P.started(),
      P.preview("One."),
      P.spoke("One.")
    ])
  })

  it("ends with its last confirmation, even if nobody says that it was the last", () => {
    const found = P.events(
      P.start(),
      ...F.planned("p", "One. Two."),
      ...F.sound("a", "END_TURN"),
      ...F.said("f1", "One."),
      ...F.said("f2", "Two.")
    )
    assert.deepStrictEqual(found.slice(-2), [P.spokeAll("One. Two."), P.done("complete")])
  })

  it("ends when another begins, with the words that nobody confirmed", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "One."), ...F.sound("a", "END_TURN"))
    assert.deepStrictEqual(P.events(state, ...F.planned("q", "Two.")), [
      P.spokeAll("One."),
      P.done("complete"),
      P.started(2),
      P.preview("Two.", 2)
    ])
    // the confirmation comes after all, and is no part of the next
    assert.deepStrictEqual(P.events(state, ...F.said("f", "One. ", "END_TURN")), [])
    assert.deepStrictEqual(P.events(state, ...F.sound("b"), ...F.said("g", "Two.", "END_TURN")), [
      P.spoke("Two.", 2),
      P.sound(4800, 2),
      P.spokeAll("Two.", 2),
      P.done("complete", 2)
    ])
  })

  it("ends when the user's turn is taken", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "One."), ...F.sound("a", "END_TURN"))
    const found = P.events(state, F.start("u", "TEXT", "USER", "FINAL"))
    assert.deepStrictEqual(found, [P.spokeAll("One."), P.done("complete"), P.turn(true)])
  })

  it("ends with the completion", () => {
    const found = P.events(P.start(), ...F.planned("p", "One."), F.completionEnd)
    // it never had any sound
    assert.deepStrictEqual(found, [P.started(), P.preview("One."), P.done("complete")])
    assert.deepStrictEqual(P.events(P.start(), F.completionEnd), [])
  })

  it("has words without a stage, if the provider tells none", () => {
    for (const fields of [{}, { additionalModelFields: "{}" }, { additionalModelFields: "no json" }]) {
      const begin = F.frame("contentStart", { contentId: "f", type: "TEXT", role: "ASSISTANT", ...fields })
      const found = P.events(P.start(), begin, F.text("f", "ASSISTANT", "Hi."), F.end("f", "TEXT", "END_TURN"))
      assert.deepStrictEqual(found, [P.started(), P.spoke("Hi."), P.spokeAll("Hi."), P.done("complete")])
    }
  })

  it("has blocks of several pieces", () => {
    const found = P.events(
      P.start(),
      F.start("p", "TEXT", "ASSISTANT", "SPECULATIVE"),
      F.text("p", "ASSISTANT", "Good mor"),
      F.text("p", "ASSISTANT", "ning."),
      F.start("f", "TEXT", "ASSISTANT", "FINAL"),
      F.text("f", "ASSISTANT", "Good mor"),
      F.text("f", "ASSISTANT", "ning."),
      F.end("f", "TEXT", "END_TURN")
    )
    assert.deepStrictEqual(found, [
      P.started(),
      P.preview("Good mor"),
      P.preview("ning."),
      P.spoke("Good morning."),
      P.spokeAll("Good morning."),
      P.done("complete")
    ])
    const unannounced = [F.start("f", "TEXT", "ASSISTANT"), F.text("f", "ASSISTANT", "Good mor")]
    assert.deepStrictEqual(P.events(P.start(), ...unannounced, F.text("f", "ASSISTANT", "ning."), F.completionEnd), [
      P.started(),
      P.spoke("Good mor"),
      P.spoke("ning."),
      P.spokeAll("Good morning."),
      P.done("complete")
    ])
  })

  it("gives sound as plain bytes, byte for byte", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const audio = F.frame("audioOutput", { contentId: "a", content: Buffer.from(bytes).toString("base64") })
    const [, delta] = P.events(P.start(), F.start("a", "AUDIO", "ASSISTANT"), audio)
    assert(delta?._tag === "AudioDelta")
    assert.deepStrictEqual(delta.audio, bytes)
    assert.isFalse(Buffer.isBuffer(delta.audio))
  })

  it("is heard although its block began unheard", () => {
    const found = P.events(P.start(), F.audio("a", 2), F.text("f", "ASSISTANT", "Hi."))
    assert.deepStrictEqual(found, [P.started(), P.sound(2), P.spoke("Hi.")])
  })

  it("keeps its words to itself: all deltas are the final text", () => {
    const found = P.events(P.start(), ...F.reply("1", "A b."), ...F.reply("2", "C d."))
    for (const n of [1, 2]) {
      const deltas = found.flatMap((event) =>
        event._tag === "TranscriptDelta" && event.preview !== true && event.responseId === `p-r${n}`
          ? [event.delta]
          : []
      )
      assert.deepStrictEqual(
        found.filter((event) => event._tag === "TranscriptDone" && event.responseId === `p-r${n}`),
        [P.spokeAll(deltas.join(""), n)]
      )
    }
  })
})

describe("an interruption", () => {
  const speaking = () => {
    const state = P.start()
    P.events(
      state,
      ...F.planned("p1", "Once."),
      ...F.sound("a1"),
      ...F.said("f1", "Once."),
      ...F.planned("p2", "Upon a time."),
      F.start("a2", "AUDIO", "ASSISTANT"),
      F.audio("a2", 2),
      ...F.planned("p3", "There was.")
    )
    return state
  }

  // the words of all the sound there was, so that they can be cut by time
  const cut = [P.interrupted(), P.spokeAll("Once. Upon a time."), P.done("interrupted")]

  it("ends the reply", () => {
    assert.deepStrictEqual(P.events(speaking(), F.end("a2", "AUDIO", "INTERRUPTED")), cut)
    assert.deepStrictEqual(P.events(speaking(), ...F.interrupted("x")), cut)
  })

  it("is told once, in whatever order it is said", () => {
    const ways = [
      [F.end("a2", "AUDIO", "INTERRUPTED"), ...F.interrupted("x")],
      [...F.interrupted("x"), F.end("a2", "AUDIO", "INTERRUPTED")],
      [F.end("a2", "AUDIO", "END_TURN"), ...F.interrupted("x"), ...F.interrupted("y")],
      [
        F.start("x", "TEXT", "ASSISTANT", "FINAL"),
        F.end("a2", "AUDIO", "INTERRUPTED"),
        F.end("x", "TEXT", "INTERRUPTED")
      ]
    ]
    for (const way of ways) assert.deepStrictEqual(P.events(speaking(), ...way), cut)
  })

  it("has no sound any more once a block of it has ended, and none in the next reply", () => {
    const state = speaking()
    P.events(state, F.end("a2", "AUDIO", "INTERRUPTED"), ...F.interrupted("x"))
    assert.deepStrictEqual(P.events(state, F.audio("a2", 2)), [])
    const tags = P.events(state, ...F.reply("9", "Hello.")).map((event) => event._tag)
    assert.deepStrictEqual(
      [tags.at(0), tags.at(-1), tags.filter((tag) => tag === "ResponseDone").length],
      ["ResponseStarted", "ResponseDone", 1]
    )
  })

  it("is the end of the reply: nothing of it comes after", () => {
    const state = speaking()
    P.events(state, ...F.interrupted("x"))
    const late = [F.audio("a2", 2), F.end("a2", "AUDIO", "END_TURN"), ...F.said("f2", "Upon a", "INTERRUPTED")]
    assert.deepStrictEqual(P.events(state, ...late), [])
    const next = P.events(state, ...F.user("u", "Stop"), ...F.planned("q", "Well."))
    assert.deepStrictEqual(next, [
      P.turn(true),
      P.heard("Stop"),
      P.heardAll("Stop"),
      P.started(2),
      P.preview("Well.", 2)
    ])
  })

  it("is not cut twice: how much was heard is known better where it is played", () => {
    assert.deepStrictEqual(P.events(speaking(), ...F.said("f2", "Upon a"), ...F.interrupted("x")), cut)
    const last = F.said("f2", "Upon a", "INTERRUPTED")
    assert.deepStrictEqual(P.events(speaking(), ...last), cut)
  })

  it("may come when the reply is over, and still audible", () => {
    const state = P.start()
    P.events(state, ...F.reply("1", "Hello."))
    assert.deepStrictEqual(P.events(state, ...F.interrupted("x"), ...F.interrupted("y")), [P.interrupted()])
  })

  it("of an old reply does not touch the new one", () => {
    const state = P.start()
    P.events(state, ...F.reply("1", "Hello."), F.start("x", "TEXT", "ASSISTANT", "FINAL"), ...F.planned("q", "Well."))
    const marker = [F.text("x", "ASSISTANT", '{"interrupted":true}'), F.end("x", "TEXT", "INTERRUPTED")]
    assert.deepStrictEqual(P.events(state, ...marker), [])
    assert.deepStrictEqual(P.events(state, ...F.sound("b")).at(-1), P.sound(4800, 2))
  })

  it("of nothing is nothing", () => {
    assert.deepStrictEqual(P.events(P.start(), ...F.interrupted("x")), [])
  })

  it("is not what merely looks like one", () => {
    const words = ['{ "interrupted" : false }', "{ interrupted", '{"a":1}']
    for (const text of words) {
      assert.deepInclude(P.events(P.start(), ...F.said("f", text)), P.spoke(text))
    }
  })
})

describe("what the user says", () => {
  it("is one turn until somebody answers, however many blocks it has", () => {
    const state = P.start()
    assert.deepStrictEqual(P.events(state, ...F.user("u1", "What"), ...F.user("u2", "is it?")), [
      P.turn(true),
      P.heard("What"),
      P.heard(" is it?")
    ])
    assert.deepStrictEqual(P.events(state, ...F.planned("p", "It is")).slice(0, 2), [
      P.heardAll("What is it?"),
      P.started()
    ])
    assert.deepStrictEqual(P.events(state, ...F.interrupted("x"), ...F.user("u3", "No."))[2], P.turn(true, 2))
  })

  it("takes its place before its words come", () => {
    const state = P.start()
    assert.deepStrictEqual(P.events(state, F.start("u", "TEXT", "USER", "FINAL")), [P.turn(true)])
    assert.deepStrictEqual(P.events(state, ...F.planned("p", "Yes?")), [P.started(), P.preview("Yes?")])
    assert.deepStrictEqual(P.events(state, F.text("u", "USER", "Hello"), F.end("u", "TEXT", "PARTIAL_TURN")), [
      P.heard("Hello"),
      P.heardAll("Hello")
    ])
  })

  it("makes no line where the recogniser heard nothing", () => {
    for (const blank of ["", " ", "\n "]) {
      const state = P.start()
      assert.deepStrictEqual(P.events(state, ...F.user("u", blank)), [P.turn(true)])
      assert.deepStrictEqual(P.events(state, ...F.planned("p", "Yes?")).slice(0, 2), [P.heardAll(""), P.started()])
    }
    const found = P.events(P.start(), ...F.user("u", " "), ...F.user("v", "Hello"))
    assert.deepStrictEqual(found, [P.turn(true), P.heard("Hello")])
  })

  it("is all there is of it when its block has not ended with the answer to it", () => {
    const state = P.start()
    P.events(state, F.start("u", "TEXT", "USER", "FINAL"), F.text("u", "USER", "Hello"))
    const found = P.events(state, ...F.reply("1", "Yes?"))
    assert.deepStrictEqual(found.slice(-3), [P.heardAll("Hello"), P.spokeAll("Yes?"), P.done("complete")])
    // what comes of it now is too late
    assert.deepStrictEqual(P.events(state, F.text("u", "USER", " there"), F.end("u", "TEXT", "PARTIAL_TURN")), [])
  })

  it("is settled by the next answer at the latest", () => {
    const state = P.start()
    P.events(state, F.start("u", "TEXT", "USER"), F.text("u", "USER", "Hello"), ...F.planned("p", "Yes?"))
    P.events(state, ...F.user("v", "Well?"))
    const found = P.events(state, ...F.planned("q", "Well."))
    assert.includeDeepMembers(found, [P.heardAll("Hello"), P.heardAll("Well?", 2)])
  })

  it("into a reply promises no answer, and what is said next is a new reply", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "One."), ...F.sound("a"), ...F.said("f", "One."))
    assert.deepStrictEqual(P.events(state, ...F.user("u", "Mhm")), [P.turn(false), P.heard("Mhm")])
    assert.deepStrictEqual(P.events(state, ...F.planned("q", "Two.")), [
      P.spokeAll("One."),
      P.done("complete"),
      P.heardAll("Mhm"),
      P.started(2),
      P.preview("Two.", 2)
    ])
  })

  it("does not part a sentence from its sound", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "One."), ...F.user("u", "Mhm"))
    assert.deepStrictEqual(P.events(state, ...F.sound("a")), [P.spoke("One."), P.sound(4800)])
  })

  it("is final at the end of the connection at the latest", () => {
    const told = [P.turn(true), P.heard("Hello")]
    assert.deepStrictEqual(P.untilEnd(P.start(), ...F.user("u", "Hello")), [...told, P.heardAll("Hello")])
    assert.deepStrictEqual(P.untilEnd(P.start()), [])
    // what was still coming is said again
    assert.deepStrictEqual(P.untilEnd(P.start(), F.start("u", "TEXT", "USER"), F.text("u", "USER", "Hello")), told)
  })
})

describe("a tool call", () => {
  it("ends its reply, and what follows is another", () => {
    const state = P.start()
    assert.deepStrictEqual(
      P.events(state, ...F.user("u", "Weather?"), ...F.toolUse("t", "call_1", "weather", '{"city":"Bern"}')),
      [
        P.turn(true),
        P.heard("Weather?"),
        P.heardAll("Weather?"),
        P.started(),
        P.calls(1, "call_1", "weather", '{"city":"Bern"}'),
        P.done("tool_use")
      ]
    )
    P.send(state, { _tag: "ToolOutputs", outputs: [{ id: "call_1", name: "weather", result: 1, isFailure: false }] })
    assert.deepStrictEqual(P.events(state, ...F.reply("1", "Sunny.")).at(-1), P.done("complete", 2))
  })

  it("with others is answered by itself", () => {
    const found = P.events(P.start(), ...F.toolUse("t1", "call_1", "a", "{}"), ...F.toolUse("t2", "call_2", "b", "{}"))
    assert.deepStrictEqual(found, [
      P.started(),
      P.calls(1, "call_1", "a", "{}"),
      P.done("tool_use"),
      P.started(2),
      P.calls(2, "call_2", "b", "{}"),
      P.done("tool_use", 2)
    ])
  })

  it("waits for the words before it", () => {
    const state = P.start()
    const before = [...F.planned("p", "Let me see."), ...F.sound("a")]
    assert.deepStrictEqual(P.events(state, ...before, ...F.toolUse("t", "call_1", "a", "{}")), [
      P.started(),
      P.preview("Let me see."),
      P.spoke("Let me see."),
      P.sound(4800),
      P.calls(1, "call_1", "a", "{}")
    ])
    assert.deepStrictEqual(P.events(state, ...F.said("f", "Let me see.")), [
      P.spokeAll("Let me see."),
      P.done("tool_use")
    ])
  })

  it("is what its reply ends with, even if its words are the end of the turn", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "Let me see."), ...F.sound("a"), ...F.toolUse("t", "call_1", "a", "{}"))
    assert.deepStrictEqual(P.events(state, ...F.said("f", "Let me see.", "END_TURN")).at(-1), P.done("tool_use"))
  })

  it("does not wait for them for ever", () => {
    const state = P.start()
    P.events(state, ...F.planned("p", "Let me see."), ...F.sound("a"), ...F.toolUse("t", "call_1", "a", "{}"))
    assert.deepStrictEqual(P.events(state, ...F.planned("q", "It is.")).slice(0, 3), [
      P.spokeAll("Let me see."),
      P.done("tool_use"),
      P.started(2)
    ])
  })

  it("that is answered while the agent talks on is followed by a reply of its own", () => {
    const state = P.start()
    P.events(state, ...F.toolUse("t", "call_1", "a", "{}"), ...F.planned("p", "One moment."), ...F.sound("a"))
    P.send(state, { _tag: "ToolOutputs", outputs: [{ id: "call_1", name: "a", result: 1, isFailure: false }] })
    const found = P.events(state, ...F.planned("q", "It is 1."))
    assert.deepStrictEqual(found.slice(-3), [P.done("complete", 2), P.started(3), P.preview("It is 1.", 3)])
  })

  it("has arguments as the model wrote them, be they JSON or not", () => {
    const argumentsOf = (content: unknown) => {
      const found = P.events(P.start(), ...F.toolUse("t", "call_1", "a", content))[1]
      assert(found?._tag === "ToolCalls")
      return found.calls[0]!.arguments
    }
    assert.strictEqual(argumentsOf('{"a":'), '{"a":')
    assert.strictEqual(argumentsOf({ a: 1 }), '{"a":1}')
    assert.strictEqual(argumentsOf(undefined), "")
  })

  it("is heard although its block began unheard", () => {
    const [, use] = F.toolUse("t", "call_1", "a", "{}")
    assert.deepStrictEqual(P.events(P.start(), use), [P.started(), P.calls(1, "call_1", "a", "{}")])
  })
})

describe("usage", () => {
  const delta = {
    input: { speechTokens: 20, textTokens: 3 },
    output: { speechTokens: 30, textTokens: 0 }
  }

  it("is what was used since the last report", () => {
    const used = {
      _tag: "Usage",
      inputTokens: 23,
      outputTokens: 30,
      totalTokens: 53,
      byModality: [
        { modality: "text", inputTokens: 3, outputTokens: 0 },
        { modality: "audio", inputTokens: 20, outputTokens: 30 }
      ]
    }
    assert.deepStrictEqual(P.events(P.start(), F.usage([123, 130], delta)), [used as never])
  })

  it("is the difference of the totals when the provider does not say it", () => {
    const totals = (state = P.start()) =>
      P.events(state, F.usage([10, 5]), F.usage([10, 5]), F.usage([23, 35], delta), F.usage([24, 37]))
    assert.deepStrictEqual(
      totals().map((event) =>
        event._tag === "Usage" ? [event.inputTokens, event.outputTokens, event.totalTokens] : []
      ),
      [
        [10, 5, 15],
        [23, 30, 53],
        [1, 2, 3]
      ]
    )
  })

  it("is nothing when the same is reported again", () => {
    const some = { input: { speechTokens: 3, textTokens: 7 }, output: { speechTokens: 5, textTokens: 0 } }
    const state = P.start()
    const counted = () => P.events(state, F.usage([10, 5], some)).length
    assert.deepStrictEqual([counted(), counted()], [1, 0])
  })

  it("is nothing when nothing was used", () => {
    const nothing = { input: { speechTokens: 0, textTokens: 0 }, output: {} }
    assert.deepStrictEqual(P.events(P.start(), F.usage([10, 5], nothing), F.frame("usageEvent")), [])
  })
})

describe("an event that cannot be read", () => {
  const message = (...frames: Parameters<typeof P.events> extends [any, ...infer R] ? R : never) => {
    const [problem] = P.events(P.start(), ...frames)
    assert(problem?._tag === "Problem")
    assert.strictEqual(problem.error.reason._tag, "ServerFault")
    assert.strictEqual(problem.error.reason.code, "malformed_message")
    return problem.error.reason.message
  }

  it("is a problem, and the talk goes on", () => {
    assert.strictEqual(message(undefined), "something the provider sent is not an event")
    assert.include(message(F.frame("contentStart")), 'contentStart: "contentId" is not a string')
    assert.include(message(F.frame("textOutput", { contentId: "x" })), '"content" is not a string')
    assert.include(message(F.frame("audioOutput", { contentId: "x", content: 7 })), '"content" is not a string')
    assert.include(message(F.frame("toolUse", { contentId: "x", toolName: "a" })), "a call needs an id and a name")
    assert.include(message(F.frame("contentEnd")), '"contentId" is not a string')
    const state = P.start()
    P.events(state, undefined, F.frame("contentStart"))
    assert.deepStrictEqual(P.events(state, ...F.reply("1", "Hi."))[0], P.started())
  })

  it("is nothing when its block is not known", () => {
    assert.deepStrictEqual(P.events(P.start(), F.end("nobody", "TEXT", "END_TURN")), [])
  })

  it("is passed on as it is when it is new", () => {
    assert.deepStrictEqual(P.events(P.start(), F.completionStart, { type: "somethingNew", data: { a: [1] } }), [
      { _tag: "Unknown", type: "somethingNew", raw: { event: { somethingNew: { a: [1] } } } }
    ])
  })

  it("is recognised in its bytes", () => {
    const bytes = (text: string) => parse(Buffer.from(text))
    for (const text of [
      "",
      "{",
      "null",
      "7",
      "{}",
      '{"event":7}',
      '{"event":{}}',
      '{"event":{"a":7}}',
      '{"event":[{}]}'
    ]) {
      assert.isUndefined(bytes(text))
    }
    assert.deepStrictEqual(bytes('{"event":{"a":{"b":1}}}'), { type: "a", data: { b: 1 } })
  })
})
