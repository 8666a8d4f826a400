import { assert, describe, it } from "@effect/vitest"
import {
  Gemini,
  Vault,
  answer,
  at,
  callsIn,
  clock,
  contents,
  functions,
  outline,
  saidIn,
  text,
  updatesIn
} from "../support/gemini.ts"
import type { Begin } from "../support/gemini.ts"

const resumable = { sessionResumption: {}, contextWindowCompression: { slidingWindow: {} } }
const resume = (handle: string) => ({ ...resumable, sessionResumption: { handle } })
const handleOf = (session: Gemini): string =>
  updatesIn(session.events).findLast(({ newHandle }) => newHandle !== undefined)!.newHandle

describe("updates", () => {
  it("come for who asked: a handle at once, none while something is going on, a new one after it", () => {
    const session = new Gemini({ begin: { ...resumable, ...functions(clock) } })
    const first = handleOf(session)
    const [call] = callsIn(session.ask("what time is it"))
    assert.deepStrictEqual(updatesIn(session.events).slice(1), [{}]) // what is false is left out
    session.send(answer(call!, { output: "10:42" }))
    session.settle()
    assert.deepStrictEqual(
      updatesIn(session.events).map((update) => update.resumable),
      [true, undefined, true]
    )
    assert.notStrictEqual(handleOf(session), first)
    const other = new Gemini()
    other.ask("hello")
    assert.deepStrictEqual(updatesIn(other.events), [])
  })

  it("tell of everything that was added", () => {
    const session = new Gemini({ begin: resumable })
    const before = handleOf(session)
    session.send(contents(false, ["user", "my name is Ada"]))
    assert.notStrictEqual(handleOf(session), before)
  })
})

describe("a handle", () => {
  const talked = (vault: Vault) => {
    const session = new Gemini({ begin: resumable, vault })
    session.ask("my name is Ada")
    return session
  }

  it("brings the whole conversation back, again and again", () => {
    const vault = new Vault()
    const first = talked(vault)
    const second = new Gemini({ begin: resume(handleOf(first)), vault, seed: 8 })
    assert.strictEqual(second.events[0]!.setupComplete.sessionId, first.events[0]!.setupComplete.sessionId)
    assert.strictEqual(saidIn(second.ask("what is my name")), "Your name is Ada.")
    const third = new Gemini({ begin: resume(handleOf(second)), vault, seed: 9 })
    assert.strictEqual(saidIn(third.ask("what did you just say")), "I said: Your name is Ada.")
  })

  it("stands for the moment of its update, not for what came later", () => {
    const vault = new Vault()
    const first = talked(vault)
    const handle = handleOf(first)
    first.ask("my name is Bob")
    assert.strictEqual(saidIn(new Gemini({ begin: resume(handle), vault }).ask("what is my name")), "Your name is Ada.")
  })

  it("lets everything but the model change", () => {
    const vault = new Vault()
    const handle = handleOf(talked(vault))
    const begin = { ...resume(handle), ...functions(clock), systemInstruction: { parts: [{ text: "Be brief." }] } }
    assert.strictEqual(callsIn(new Gemini({ begin, vault }).ask("what time is it")).length, 1)
    const other = new Gemini({ begin: { ...resume(handle), model: "gemini-3.1-flash-live-preview" }, vault })
    assert.strictEqual(other.closes[0]?.code, 1007)
  })

  it.each([
    ["that nobody issued", {}, 1008, /not found/],
    ["whose time is over", { now: 1001 }, 1008, /expired/],
    ["of a connection that is still there", { isLive: true }, 1011, /still connected/],
    ["that is refused on demand", { rejects: "" }, 1008, /not found/],
    ["that is refused on demand, with a reason", { rejects: "no more" }, 1008, /^no more$/]
  ] as const)("%s ends the connection", (_, how, code, reason) => {
    const vault = new Vault()
    const known = handleOf(talked(vault))
    vault.isLive = "isLive" in how
    const session = new Gemini({ begin: null, vault, handleMs: 1000, now: "now" in how ? how.now : 0 })
    if ("rejects" in how) {
      const fault = { _tag: "RejectResumption", ...(how.rejects === "" ? {} : { reason: how.rejects }) } as const
      session.input({ _tag: "Arm", fault })
    }
    const handle = Object.keys(how).length === 0 ? "nothing" : known
    session.send({ setup: { model: "models/gemini-3.8-live", ...resume(handle) } })
    assert.strictEqual(session.closes[0]?.code, code)
    assert.match(session.closes[0]!.reason, reason)
    assert.deepStrictEqual(session.events, [])
  })

  it("can be used until its time is over", () => {
    const vault = new Vault()
    const handle = handleOf(talked(vault))
    assert.deepStrictEqual(new Gemini({ begin: resume(handle), vault, handleMs: 1000, now: 1000 }).closes, [])
  })
})

describe("the end of a connection", () => {
  it("is announced, and comes", () => {
    const session = new Gemini({ begin: resumable })
    assert.deepStrictEqual(at(session.pass(539_999), "goAway"), [])
    assert.deepStrictEqual(at(session.pass(1), "goAway"), [{ timeLeft: "60s" }])
    assert.deepStrictEqual(session.closes, [])
    session.pass(60_000)
    assert.deepStrictEqual(session.closes, [
      { code: 1011, reason: "Deadline expired before operation could complete." }
    ])
  })

  it("comes in the middle of a word, and after a while without one", () => {
    const session = new Gemini({ speed: 1, sessionMs: 3000, goAwayMs: 300, endCode: 1006 })
    session.send(text("tell me a long story"))
    assert.deepStrictEqual(at(session.pass(3000), "goAway"), [{ timeLeft: "0.3s" }])
    assert.deepStrictEqual(
      session.closes.map(({ code }) => code),
      [1006]
    )
    assert.deepStrictEqual(session.pass(10_000), [])
  })

  it("comes earlier on demand: announced, or at once", () => {
    const announced = new Gemini()
    announced.input({ _tag: "Arm", fault: { _tag: "GoAway", leftMillis: 5000 } })
    assert.deepStrictEqual(at(announced.pass(0), "goAway"), [{ timeLeft: "5s" }])
    announced.pass(5000)
    assert.strictEqual(announced.closes[0]?.code, 1011)
    const usual = new Gemini()
    usual.input({ _tag: "Arm", fault: { _tag: "GoAway" } })
    assert.deepStrictEqual(at(usual.pass(0), "goAway"), [{ timeLeft: "60s" }])
    const expired = new Gemini()
    expired.input({ _tag: "Expire" })
    assert.strictEqual(expired.closes[0]?.code, 1011)
  })

  it("comes earlier for conversations that are too long, unless they are compressed", () => {
    const lasts = (begin: Begin) => {
      const vault = new Vault()
      const first = new Gemini({ begin, vault })
      first.pass(500_000)
      const session = new Gemini({
        begin: { ...begin, sessionResumption: { handle: handleOf(first) } },
        vault,
        now: 500_000
      })
      session.passWhile(() => session.closes.length === 0)
      return session.now - 500_000
    }
    assert.strictEqual(lasts({ sessionResumption: {} }), 400_000)
    assert.strictEqual(lasts(resumable), 600_000)
  })
})

it("all fields in one message: nothing is lost of it", () => {
  const begin = { ...resumable, ...functions(clock), generationConfig: { thinkingConfig: { includeThoughts: true } } }
  const session = new Gemini({
    begin,
    assistant: () => ({ text: "One moment.", calls: [{ name: "current_time", arguments: {} }] })
  })
  session.input({ _tag: "Arm", fault: { _tag: "SingleMessage" } })
  const messages = session
    .ask("what time is it")
    .filter(
      ({ sessionResumptionUpdate, ...rest }) => sessionResumptionUpdate === undefined || Object.keys(rest).length > 0
    )
  assert.strictEqual(messages.length, 1)
  assert.deepStrictEqual(outline(messages)[0]!.split(" + ").toSorted(), [
    "goAway",
    "serverContent.generationComplete",
    "serverContent.groundingMetadata",
    "serverContent.inputTranscription",
    "serverContent.modelTurn",
    "serverContent.outputTranscription",
    "serverContent.turnComplete",
    "serverContent.urlContextMetadata",
    "serverContent.waitingForInput",
    "sessionResumptionUpdate",
    "toolCall",
    "toolCallCancellation",
    "usageMetadata",
    "voiceActivity",
    "voiceActivityDetectionSignal"
  ])
  assert.strictEqual(saidIn(messages), "One moment.")
  const [call] = callsIn(messages)
  session.input({ _tag: "Arm", fault: { _tag: "SingleMessage" } })
  const before = session.events.length
  session.send(answer(call!, { output: "10:42" }))
  session.settle()
  const second = session.events.slice(before)
  assert.strictEqual(at(second, "serverContent", "turnComplete").length, 1)
  assert.isString(second.find(({ serverContent }) => serverContent)!.sessionResumptionUpdate.newHandle ?? "")
})
