import { assert, describe, it } from "@effect/vitest"
import { Gemini, at, contents, saidIn, text } from "../support/gemini.ts"

const seeded = { historyConfig: { initialHistoryInClientContent: true } }
const talk = [
  ["user", "my name is Ada"],
  ["model", "Nice to meet you, Ada."]
] as const

describe("history", () => {
  it("is read and not answered", () => {
    const session = new Gemini({ begin: seeded })
    session.send(contents(true, ...talk))
    assert.deepStrictEqual(session.settle(), [])
    assert.strictEqual(saidIn(session.ask("what is my name")), "Your name is Ada.")
  })

  it("may come in several messages; until it is complete nobody is answered", () => {
    const session = new Gemini({ begin: seeded })
    session.send(contents(false, talk[0]), text("what is my name"))
    assert.deepStrictEqual(session.settle(), [])
    session.send(contents(true, talk[1]))
    session.settle()
    assert.strictEqual(saidIn(session.events), "Your name is Ada.")
    assert.deepStrictEqual(
      session.state.conversation.entries.map(({ turn }) => turn.role),
      ["user", "assistant", "user", "assistant"]
    )
  })

  it("may be nothing at all", () => {
    const session = new Gemini({ begin: seeded })
    session.send({ clientContent: { turnComplete: true } })
    assert.strictEqual(saidIn(session.ask("my name is Ada")), "Nice to meet you, Ada.")
  })

  it("may be all that an older model takes", () => {
    const model = "gemini-3.1-flash-live-preview"
    const session = new Gemini({ begin: { model, ...seeded } })
    session.send(contents(true, ...talk))
    session.ask("hello")
    session.send(contents(false, ["user", "more"]))
    assert.deepStrictEqual(session.closes, [{ code: 1007, reason: "Request contains an invalid argument." }])
  })
})

describe("content", () => {
  it("that is complete is answered at once, also without a word", () => {
    const session = new Gemini()
    session.send(contents(true, ["user", "my name is Ada"]))
    session.settle()
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.")
    session.send({ clientContent: { turnComplete: true } })
    session.settle()
    assert.strictEqual(at(session.events, "serverContent", "turnComplete").length, 2)
  })

  it("that is not complete waits for more", () => {
    const session = new Gemini()
    session.send(contents(false, ...talk), contents(false, ["user", "what is my name"]))
    assert.deepStrictEqual(session.settle(), [])
    session.send(contents(true))
    session.settle()
    assert.strictEqual(saidIn(session.events), "Your name is Ada.")
  })

  it("that is not complete interrupts nothing", () => {
    const session = new Gemini({ speed: 8 })
    session.send(text("tell me a story"))
    session.pass(300)
    session.send(contents(false, ["user", "by the way"]))
    assert.deepStrictEqual(at(session.events, "serverContent", "interrupted"), [])
  })

  it("may hold pictures", () => {
    const session = new Gemini()
    const inlineData = { mimeType: "image/png", data: Buffer.alloc(30).toString("base64") }
    session.send({
      clientContent: {
        turns: [{ role: "user", parts: [{ text: "what is this" }, { inlineData }] }],
        turnComplete: true
      }
    })
    session.settle()
    assert.include(saidIn(session.events), "image/png, 30 bytes")
  })

  it.each([
    ["a role that nobody has", { role: "system", parts: [{ text: "x" }] }, /valid role: user, model/],
    ["no role", { parts: [{ text: "x" }] }, /valid role: user, model/],
    ["a function call", { role: "model", parts: [{ functionCall: { name: "f" } }] }, /Function calls and responses/],
    ["a film", { role: "user", parts: [{ inlineData: { mimeType: "video/mp4", data: "" } }] }, /video\/mp4/]
  ] as const)("with %s ends the connection", (_, turn, reason) => {
    const session = new Gemini()
    session.send({ clientContent: { turns: [turn], turnComplete: true } })
    assert.strictEqual(session.closes[0]?.code, 1007)
    assert.match(session.closes[0]!.reason, reason)
  })
})
