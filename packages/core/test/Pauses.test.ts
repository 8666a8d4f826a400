/** Speech that only pauses the agent: the pause ends with its reason, whatever that is. */
import { type BidiAgent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { agentWith } from "./support/agent.ts"

/** Ten seconds of a story, over which somebody begins to speak after two, and does not stop. */
const spokenOver = Effect.fnUntraced(function* (
  interruption: BidiAgent.InterruptionOptions,
  script: (line: BidiTest.Line) => Effect.Effect<unknown>
) {
  const { agent, model } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      if (line.generation > 1) return yield* line.accept
      yield* line.reply({ text: "one two three four five", audio: "10 seconds", responseId: "story", itemId: "tale" })
      yield* line.wait("2 seconds")
      yield* line.emit({ _tag: "SpeechStarted" })
      yield* script(line)
    })
  )
  const speaker = yield* BidiTest.speaker()
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({ outputs: [speaker.output, recorder.output], interruption })
  const interruptions = () => recorder.events().filter((event) => event._tag === "Interruption")
  return { call, interruptions, model, speaker }
})

const paused = { falseInterruptionTimeout: "1 second" } as const

describe("a pause for speech", () => {
  it.effect("ends with the connection that heard the speech", () =>
    Effect.gen(function* () {
      const { call, interruptions, speaker } = yield* spokenOver(paused, (line) =>
        Effect.andThen(line.wait("500 millis"), line.drop())
      )
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(10))
      assert.lengthOf(interruptions(), 0)
      yield* call.awaitIdle
    })
  )

  it.effect("ends with text that is typed, which interrupts", () =>
    Effect.gen(function* () {
      const { call, interruptions, speaker } = yield* spokenOver(paused, (line) =>
        line
          .expect("Interrupt")
          .pipe(
            Effect.andThen(line.expectText("Stop.")),
            Effect.andThen(line.reply({ text: "Yes?", audio: "1 second" }))
          )
      )
      yield* BidiTest.advance("3 seconds")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(2))
      yield* call.send("Stop.")
      yield* BidiTest.advance("1 minute")
      assert.deepInclude(interruptions()[0], { reason: "user_text", heard: Duration.seconds(2) })
      assert.deepStrictEqual(speaker.played(), Duration.seconds(3)) // the next reply plays
    })
  )

  it.effect("ends with an interruption by hand", () =>
    Effect.gen(function* () {
      const { call, speaker } = yield* spokenOver(paused, (line) =>
        Effect.andThen(line.wait("2 seconds"), line.reply({ text: "Yes?", audio: "1 second" }))
      )
      yield* BidiTest.advance("3 seconds")
      yield* call.interrupt()
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(3))
    })
  )

  it.effect("is none where nothing is audible", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.reply({ text: "I am here.", audio: "1 second" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      yield* agent.start({ outputs: [speaker.output], interruption: paused })
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(1))
    })
  )
})

describe("speech that has to last", () => {
  it.effect("is forgotten with the connection that heard it", () =>
    Effect.gen(function* () {
      const { interruptions, speaker } = yield* spokenOver({ minDuration: "1 second" }, (line) =>
        Effect.andThen(line.wait("500 millis"), line.drop())
      )
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(interruptions(), 0)
      assert.deepStrictEqual(speaker.played(), Duration.seconds(10))
    })
  )
})

describe("several replies that wait to be heard", () => {
  const queued = (second: Duration.Input, interruptAt: Duration.Input) =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          const audio = (itemId: string, seconds: number) =>
            line.emit(
              { _tag: "TranscriptDelta", role: "assistant", itemId, responseId: "r1", delta: `This is ${itemId}.` },
              { _tag: "AudioDelta", responseId: "r1", itemId, audio: new Uint8Array(48_000 * seconds) }
            )
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r1" })
          yield* audio("a", 2)
          yield* audio("b", 4)
          yield* line.emit({ _tag: "ResponseDone", responseId: "r1", stopReason: "complete" })
          yield* line.wait(second)
          yield* line.reply({ text: "And more.", audio: "3 seconds", responseId: "r2", itemId: "c" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
      yield* BidiTest.advance(interruptAt)
      yield* call.interrupt()
      const texts = (yield* call.history).content.flatMap(({ content }) =>
        typeof content === "string" ? [] : content.flatMap((part) => (part.type === "text" ? [part.text] : []))
      )
      const interruptions = recorder.events().filter((event) => event._tag === "Interruption")
      return { commands: model.commands(), interruptions, texts }
    })

  it.effect("an item that was heard stays when its reply is cut with another queued behind", () =>
    Effect.gen(function* () {
      const { commands, texts } = yield* queued("3 seconds", "4 seconds")
      assert.deepStrictEqual(texts, ["This is a.", "This"])
      assert.deepStrictEqual(commands[0], {
        _tag: "Interrupt",
        responseId: "r1",
        items: [
          { itemId: "a", heard: 2000, produced: 2000 },
          { itemId: "b", heard: 2000, produced: 4000 }
        ]
      })
    })
  )

  it.effect("are interrupted one by one, the last ones before anything of them was heard", () =>
    Effect.gen(function* () {
      const { interruptions } = yield* queued("1 second", "3 seconds")
      assert.deepStrictEqual(
        interruptions.map(({ heard, responseId }) => [responseId, Duration.toMillis(heard)]),
        [
          ["r1", 3000],
          ["r2", 0]
        ]
      )
    })
  )
})
