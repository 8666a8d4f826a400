import { assert, describe, it } from "@effect/vitest"
import { story } from "../../src/internal/assistant/story.ts"
import {
  Nova,
  audioOutput,
  blocksIn,
  msIn,
  of,
  outline,
  saidIn,
  sessionStart,
  typesIn,
  words
} from "../support/nova.ts"

const hello = [
  "Hello!",
  "I am a scripted emulator, not an AI.",
  "You can ask me for the time, a sum, the weather or a long story, or tell me your name."
]

describe("a turn of the assistant", () => {
  it("is planned, spoken and confirmed, sentence by sentence", () => {
    const stream = new Nova()
    const events = stream.ask("hello")
    assert.deepStrictEqual(
      outline(events),
      hello.flatMap((sentence, i) => {
        const stop = i === 2 ? "END_TURN" : "PARTIAL_TURN"
        return [
          `TEXT ASSISTANT SPECULATIVE PARTIAL_TURN ${sentence}`,
          `AUDIO ASSISTANT ${stop}`,
          `TEXT ASSISTANT FINAL ${stop} ${sentence}`
        ]
      })
    )
    assert.deepStrictEqual(typesIn(events).slice(0, 7), [
      "completionStart",
      "contentStart",
      "textOutput",
      "contentEnd",
      "contentStart",
      "audioOutput",
      "contentEnd"
    ])
  })

  it("carries the names of its stream everywhere", () => {
    const stream = new Nova()
    const events = stream.ask("hello")
    const [start] = of(events, "completionStart")
    assert.deepStrictEqual(Object.keys(start!), ["sessionId", "promptName", "completionId"])
    assert.strictEqual(start!.promptName, "prompt")
    for (const { event } of events) assert.deepInclude(Object.values(event)[0], start)
    // there is one completion for all turns
    assert.deepStrictEqual(of(stream.ask("hello"), "completionStart"), [])
  })

  it("sounds at the rate that was asked for", () => {
    const bytes = (sampleRateHertz: number) => {
      const stream = new Nova({ begin: { audioOutputConfiguration: { ...audioOutput, sampleRateHertz } } })
      const events = stream.ask("hello")
      const configurations = of(events, "contentStart").flatMap(({ audioOutputConfiguration: one }) =>
        one === undefined ? [] : [one.sampleRateHertz]
      )
      assert.deepStrictEqual(new Set(configurations), new Set([sampleRateHertz]))
      return of(events, "audioOutput").reduce((sum, { content }) => sum + Buffer.from(content, "base64").length, 0)
    }
    assert.strictEqual(bytes(24_000), 3 * bytes(8000))
    assert.strictEqual(bytes(16_000), 2 * bytes(8000))
  })

  it("comes at its pace; words are confirmed when they have been heard", () => {
    const stream = new Nova({ speed: 8, latencyMs: 200 })
    stream.send(...words("hello"))
    assert.deepStrictEqual(stream.pass(199), [])
    stream.pass(1)
    assert.deepStrictEqual(outline(stream.events), [
      "TEXT ASSISTANT SPECULATIVE PARTIAL_TURN Hello!",
      "AUDIO ASSISTANT"
    ])
    assert.closeTo(msIn([...stream.events, ...stream.pass(500)]), 4100, 200)
    assert.strictEqual(saidIn(stream.events), "Hello!")
    const [first] = blocksIn(stream.events).filter(({ type }) => type === "AUDIO")
    stream.passWhile(() => !saidIn(stream.events).includes("not an AI"))
    const [, second] = blocksIn(stream.events).filter(({ type }) => type === "AUDIO")
    assert.closeTo(stream.now, 200 + first!.ms + second!.ms, 2)
    stream.settle()
    assert.closeTo(stream.now, 200 + msIn(stream.events), 2)
    assert.strictEqual(saidIn(stream.events), hello.join(" "))
    // sound was over long before
    const ends = of(stream.events, "contentEnd").filter(({ stopReason }) => stopReason === "END_TURN")
    assert.deepStrictEqual(
      ends.map(({ type }) => type),
      ["AUDIO", "TEXT"]
    )
  })

  it("of a long story is all of it, and remembers it", () => {
    const stream = new Nova()
    assert.strictEqual(saidIn(stream.ask("tell me a long story")), story)
    assert.strictEqual(
      saidIn(stream.ask("what did you just say")).replace("I said: ", ""),
      story.slice(story.lastIndexOf("Day"))
    )
  })

  it("has as many tokens as it may", () => {
    const stream = new Nova({ session: sessionStart({ inferenceConfiguration: { maxTokens: 40 } }).event.sessionStart })
    const events = stream.ask("tell me a long story")
    assert.strictEqual(saidIn(events), story.slice(0, story.indexOf("Day three") - 1))
    assert.strictEqual(blocksIn(events).at(-1)!.stop, "END_TURN")
  })

  it("while held says nothing, and everything after it", () => {
    const stream = new Nova({ speed: 8 })
    stream.send(...words("hello"))
    stream.pass(200)
    stream.input({ _tag: "Hold" })
    assert.deepStrictEqual(stream.pass(40_000), [])
    stream.input({ _tag: "Release" })
    stream.settle()
    assert.strictEqual(saidIn(stream.events), hello.join(" "))
  })

  it("ends the stream when the assistant breaks", () => {
    const stream = new Nova({
      assistant: () => {
        throw new Error("no idea")
      }
    })
    stream.ask("hello")
    assert.deepInclude(stream.exception, { type: "internalServerException" })
    assert.include(stream.exception!.message, "no idea")
  })
})

describe("usage", () => {
  it("is a sum over the stream, with what came since the last time", () => {
    const stream = new Nova()
    stream.ask("hello")
    stream.ask("my name is Ada")
    const events = of(stream.events, "usageEvent")
    let last = { input: 0, output: 0 }
    const sum = ({ speechTokens, textTokens }: { speechTokens: number; textTokens: number }) =>
      speechTokens + textTokens
    for (const { details, totalInputTokens, totalOutputTokens, totalTokens } of events) {
      assert.strictEqual(totalInputTokens, last.input + sum(details.delta.input))
      assert.strictEqual(totalOutputTokens, last.output + sum(details.delta.output))
      assert.strictEqual(totalTokens, totalInputTokens + totalOutputTokens)
      assert.strictEqual(sum(details.total.output), totalOutputTokens)
      last = { input: totalInputTokens, output: totalOutputTokens }
    }
    assert.closeTo(events.at(-1)!.details.total.output.speechTokens, msIn(stream.events) / 40, 1)
  })
})

describe("on demand", () => {
  const bent = (fault: Parameters<Nova["input"]>[0] & { readonly _tag: "Arm" }) => {
    const stream = new Nova()
    stream.input(fault)
    stream.ask("tell me a story")
    return stream
  }

  it("a response fails", () => {
    const stream = bent({ _tag: "Arm", fault: { _tag: "FailResponse", afterChunks: 3 } })
    assert.strictEqual(msIn(stream.events), 300)
    assert.strictEqual(stream.exception?.type, "modelStreamErrorException")
    const named = bent({
      _tag: "Arm",
      fault: { _tag: "FailResponse", code: "throttlingException", message: "Slow down" }
    })
    assert.deepStrictEqual(named.exception, { type: "throttlingException", message: "Slow down" })
    assert.strictEqual(named.events.length, 1)
  })

  it("a response is cut, and confirmed as far as it was spoken", () => {
    const { events } = bent({
      _tag: "Arm",
      fault: { _tag: "CutResponse", reason: "max_output_tokens", afterChunks: 10 }
    })
    assert.strictEqual(msIn(events), 1000)
    const [planned, sound, spoken, ...others] = blocksIn(events)
    assert.deepStrictEqual(others, [])
    assert.strictEqual(sound!.stop, "END_TURN")
    assert.strictEqual(spoken!.stop, "END_TURN")
    assert.strictEqual(spoken!.text, "Day one, the small")
    assert.isTrue(planned!.text.startsWith(spoken!.text))
  })
})
