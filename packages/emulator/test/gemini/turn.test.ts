import { assert, describe, it } from "@effect/vitest"
import { story } from "../../src/internal/assistant/story.ts"
import { Gemini, at, clock, functions, msIn, outline, saidIn, text } from "../support/gemini.ts"

const ada = "Nice to meet you, Ada."

describe("a turn of the model", () => {
  it("is sound with its words, then generated, then complete", () => {
    const messages = new Gemini().ask("my name is Ada")
    const types = outline(messages)
    assert.deepStrictEqual(types.slice(0, 3), [
      "serverContent.modelTurn",
      "serverContent.outputTranscription",
      "serverContent.modelTurn"
    ])
    assert.deepStrictEqual(types.slice(-2), [
      "serverContent.generationComplete",
      "serverContent.turnComplete + usageMetadata"
    ])
    assert.strictEqual(saidIn(messages), ada)
    assert.isAbove(msIn(messages), 1000)
    assert.strictEqual(messages.at(-1)!.serverContent.interactionStatus, "IDLE")
    const [part] = at(messages, "serverContent", "modelTurn", "parts")[0]!
    assert.strictEqual(part.inlineData.mimeType, "audio/pcm;rate=24000")
  })

  it("has no words when nobody asked for them", () => {
    const session = new Gemini({ begin: { outputAudioTranscription: null } })
    const messages = session.ask("my name is Ada")
    assert.strictEqual(saidIn(messages), "")
    assert.isAbove(msIn(messages), 1000)
  })

  it("of an older model has several parts in a message, words and sound together", () => {
    const session = new Gemini({ begin: { model: "gemini-3.1-flash-live-preview" } })
    const messages = session.ask("my name is Ada")
    assert.include(outline(messages), "serverContent.modelTurn + serverContent.outputTranscription")
    assert.notInclude(outline(messages), "serverContent.outputTranscription")
    assert.strictEqual(messages[0]!.serverContent.modelTurn.parts.length, 2)
    assert.strictEqual(saidIn(messages), ada)
    assert.strictEqual(msIn(messages), msIn(new Gemini().ask("my name is Ada")))
    assert.isUndefined(messages.at(-1)!.serverContent.interactionStatus)
  })

  it("thinks aloud on demand", () => {
    const session = new Gemini({ begin: { generationConfig: { thinkingConfig: { includeThoughts: true } } } })
    const messages = session.ask("my name is Ada")
    const [first] = at(messages, "serverContent", "modelTurn", "parts")[0]!
    assert.isTrue(first.thought)
    assert.isString(first.text)
    assert.isAbove(messages.at(-1)!.usageMetadata.thoughtsTokenCount, 0)
    assert.strictEqual(saidIn(messages), ada)
  })

  it("is cut at its most tokens", () => {
    const session = new Gemini({ begin: { generationConfig: { maxOutputTokens: 25 } } })
    const messages = session.ask("tell me a long story")
    assert.strictEqual(msIn(messages), 1000)
    assert.include(outline(messages), "serverContent.generationComplete")
    assert.isTrue(messages.at(-1)!.serverContent.turnComplete)
  })

  it("comes at its pace, and is over when it has been heard", () => {
    const session = new Gemini({ speed: 8, latencyMs: 200 })
    session.send(text("tell me a short story"))
    assert.strictEqual(msIn(session.pass(199)), 0)
    assert.strictEqual(msIn(session.pass(1)), 100)
    const second = session.pass(1000)
    assert.closeTo(msIn(second), 8000, 100)
    const before = session.events.length
    session.passWhile(() => session.state.turn!.stage === "sending")
    const total = msIn(session.events)
    assert.deepStrictEqual(outline(session.events.slice(before)).at(-1), "serverContent.generationComplete")
    assert.closeTo(session.now, 200 + total / 8, 100)
    session.settle()
    assert.isTrue(session.events.at(-1)!.serverContent.turnComplete)
    assert.closeTo(session.now, 200 + total, 1)
  })

  it("waits for the one before: a second question is answered in a turn of its own", () => {
    const session = new Gemini({ speed: 8, begin: { realtimeInputConfig: { activityHandling: "NO_INTERRUPTION" } } })
    session.send(text("my name is Ada"))
    session.pass(300)
    session.send(text("what is my name"))
    session.settle()
    assert.strictEqual(saidIn(session.events), `${ada}Your name is Ada.`)
    assert.strictEqual(at(session.events, "serverContent", "turnComplete").length, 2)
    assert.strictEqual(at(session.events, "serverContent", "interrupted").length, 0)
  })

  it("ends the connection when the assistant breaks", () => {
    const session = new Gemini({
      assistant: () => {
        throw new Error("no idea")
      }
    })
    session.ask("hello")
    assert.strictEqual(session.closes[0]?.code, 1011)
    assert.include(session.closes[0]!.reason, "no idea")
  })

  it("of a long story is all of it", () => {
    assert.strictEqual(saidIn(new Gemini().ask("tell me a long story")), story)
  })
})

describe("usage", () => {
  it("is counted by kind, and adds up", () => {
    const session = new Gemini({
      begin: { systemInstruction: { parts: [{ text: "x".repeat(40) }] }, ...functions(clock) }
    })
    const first = session.ask("my name is Ada").at(-1)!.usageMetadata
    assert.deepStrictEqual(first.responseTokensDetails, [{ modality: "AUDIO", tokenCount: first.responseTokenCount }])
    assert.strictEqual(first.totalTokenCount, first.promptTokenCount + first.responseTokenCount)
    const second = session.ask("what is my name").at(-1)!.usageMetadata
    assert.isAbove(second.promptTokenCount, first.promptTokenCount)
    assert.deepStrictEqual(
      second.promptTokensDetails.map(({ modality }: { modality: string }) => modality),
      ["TEXT", "AUDIO"]
    )
  })
})

describe("while held", () => {
  it("nothing is said, and everything after it", () => {
    const session = new Gemini({ speed: 8 })
    session.send(text("my name is Ada"))
    session.pass(200)
    session.input({ _tag: "Hold" })
    assert.deepStrictEqual(session.pass(10_000), [])
    session.input({ _tag: "Release" })
    session.settle()
    assert.strictEqual(saidIn(session.events), ada)
    assert.isTrue(session.events.at(-1)!.serverContent.turnComplete)
  })
})
