import { assert, describe, it } from "@effect/vitest"
import {
  Gemini,
  answer,
  at,
  audio,
  blockingClock,
  calculator,
  callsIn,
  clock,
  functions,
  outline,
  saidIn,
  text
} from "../support/gemini.ts"
import { tone } from "../support/sound.ts"

const now = { output: "10:42" }
const turns = (session: Gemini) => at(session.events, "serverContent", "turnComplete").length

describe("a function that is waited for", () => {
  it("is called and answered within one turn", () => {
    const session = new Gemini({ begin: functions(blockingClock) })
    const asked = session.ask("what time is it")
    assert.deepStrictEqual(outline(asked), ["toolCall + usageMetadata"])
    const [call] = callsIn(asked)
    assert.deepInclude(call, { name: "current_time", args: {} })
    assert.strictEqual(turns(session), 0)
    session.send(answer(call!, now))
    session.settle()
    assert.strictEqual(saidIn(session.events), "It is 10:42.")
    assert.strictEqual(turns(session), 1)
    // each half has told what it cost
    assert.isAbove(session.events.at(-1)!.usageMetadata.toolUsePromptTokenCount, 0)
    assert.isUndefined(asked[0]!.usageMetadata.toolUsePromptTokenCount)
  })

  it("is waited for until all of them have answered", () => {
    const session = new Gemini({ begin: functions(blockingClock, { ...calculator, behavior: "BLOCKING" }) })
    const [time, sum] = callsIn(session.ask("what time is it and calculate 2 times 3"))
    assert.deepStrictEqual(sum!.args, { expression: "2 * 3" })
    session.send(answer(sum!, { output: 6 }))
    assert.deepStrictEqual(session.settle(), [])
    session.send(answer(time!, now))
    session.settle()
    assert.strictEqual(saidIn(session.events), "The answer is 6. It is 10:42.")
  })

  it("may fail", () => {
    const session = new Gemini({ begin: functions(blockingClock) })
    const [call] = callsIn(session.ask("what time is it"))
    session.send(answer(call!, { error: "no clock" }))
    session.settle()
    assert.include(saidIn(session.events), "did not work: no clock")
  })

  it("is forgotten when the user goes on, and its answer counts for nothing", () => {
    const session = new Gemini({ begin: functions(blockingClock) })
    const [call] = callsIn(session.ask("what time is it"))
    assert.strictEqual(saidIn(session.ask("my name is Ada")), "Nice to meet you, Ada.")
    session.send(answer(call!, now))
    assert.deepStrictEqual(session.settle(), [])
    assert.deepStrictEqual(session.closes, [])
  })

  it("is not forgotten where nothing interrupts", () => {
    const begin = { ...functions(blockingClock), realtimeInputConfig: { activityHandling: "NO_INTERRUPTION" } }
    const session = new Gemini({ begin })
    const [call] = callsIn(session.ask("what time is it"))
    session.ask("my name is Ada")
    session.send(...audio(tone(200, 8000, 16_000)))
    assert.deepStrictEqual(at(session.events, "toolCallCancellation"), [])
    session.send({ realtimeInput: { audioStreamEnd: true } }, answer(call!, now))
    session.settle()
    assert.include(saidIn(session.events), "It is 10:42.")
    assert.include(saidIn(session.events), "Nice to meet you, Ada.")
  })
})

describe("a function that is not waited for", () => {
  const asked = () => {
    const session = new Gemini({ speed: 8, begin: functions(clock) })
    const [call] = callsIn(session.ask("what time is it"))
    return { session, call: call! }
  }

  it("is called, and the turn is over; the talk goes on, and the answer comes in a turn of its own", () => {
    const { call, session } = asked()
    const [end] = session.events.slice(-2).filter(({ serverContent }) => serverContent?.turnComplete)
    assert.strictEqual(end!.serverContent.interactionStatus, "IN_PROGRESS")
    assert.strictEqual(saidIn(session.ask("my name is Ada")), "Nice to meet you, Ada.")
    session.send(answer(call, now))
    session.settle()
    assert.isTrue(saidIn(session.events).endsWith("It is 10:42."))
    assert.strictEqual(turns(session), 3)
    assert.strictEqual(session.events.at(-1)!.serverContent.interactionStatus, "IDLE")
  })

  it.each([
    ["WHEN_IDLE", 0, /candle\.It is 10:42\.$/],
    [undefined, 0, /candle\.It is 10:42\.$/],
    ["INTERRUPT", 1, /It is 10:42\.$/],
    ["SILENT", 0, /candle\.$/]
  ])("answers with the scheduling %s", (scheduling, interruptions, said) => {
    const { call, session } = asked()
    session.send(text("tell me a short story"))
    session.pass(300)
    session.send(answer(call, now, scheduling === undefined ? {} : { scheduling }))
    session.settle()
    assert.strictEqual(at(session.events, "serverContent", "interrupted").length, interruptions)
    assert.match(saidIn(session.events), said)
    // what was not said is known
    if (scheduling === "SILENT") assert.include(saidIn(session.ask("my name is Ada")), "It is 10:42.")
  })

  it("may answer in several parts", () => {
    const { call, session } = asked()
    session.send(answer(call, { output: "wait" }, { willContinue: true }))
    assert.deepStrictEqual(session.settle(), [])
    session.send(answer(call, now))
    session.settle()
    assert.include(saidIn(session.events), "It is 10:42.")
    // that was the last of them
    session.send(answer(call, { output: "11:00" }))
    assert.deepStrictEqual(session.settle(), [])
  })

  it("is not called off by the user", () => {
    const { session } = asked()
    session.send(...audio(tone(200, 8000, 16_000)))
    assert.deepStrictEqual(at(session.events, "toolCallCancellation"), [])
  })
})

describe("an answer", () => {
  it.each([
    ["to a call that was never made", { id: "function-call-x" }, /unknown id: function-call-x/],
    ["in the name of another function", { name: "clock" }, /is for current_time, not for clock/]
  ] as const)("%s ends the connection", (_, change, reason) => {
    const session = new Gemini({ begin: functions(blockingClock) })
    const [call] = callsIn(session.ask("what time is it"))
    session.send(answer({ ...call, ...change }, now))
    assert.strictEqual(session.closes[0]?.code, 1007)
    assert.match(session.closes[0]!.reason, reason)
  })
})

describe("a context update", () => {
  it("brings other functions, or none", () => {
    const session = new Gemini({ begin: functions(clock) })
    session.send({ contextUpdate: { tools: functions(calculator) } })
    assert.strictEqual(callsIn(session.ask("calculate 2 times 3")).length, 1)
    assert.include(saidIn(session.ask("what time is it")), "no clock")
    session.send({ contextUpdate: { tools: {} } })
    assert.include(saidIn(session.ask("calculate 2 times 4")), "no calculator")
  })

  it("changes what is read", () => {
    const session = new Gemini()
    session.send({ contextUpdate: { systemInstruction: { parts: [{ text: "x".repeat(400) }] } } })
    assert.isAbove(session.ask("hello").at(-1)!.usageMetadata.promptTokenCount, 100)
  })

  it("is for new models, with functions that they can run", () => {
    const older = new Gemini({ begin: { model: "gemini-3.1-flash-live-preview" } })
    older.send({ contextUpdate: {} })
    assert.strictEqual(older.closes[0]?.code, 1007)
    const wrong = new Gemini()
    wrong.send({ contextUpdate: { tools: functions(clock, clock) } })
    assert.match(wrong.closes[0]!.reason, /Duplicate/)
  })
})
