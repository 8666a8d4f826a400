import { BidiAgent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as ModelRecorder from "@effect-bidi/core/ModelRecorder"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"

const kit = Toolkit.make(
  Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
)
const weather = (answer: string) => kit.toLayer({ weather: () => Effect.as(Effect.sleep("100 millis"), answer) })

const agent = (answer: string) =>
  Effect.gen(function* () {
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(Effect.provide(weather(answer)))
    return yield* agent.start({ outputs: [speaker.output] })
  })

/** A call with a typed question, a tool, a lost connection and an interruption. */
const recorded = Effect.gen(function* () {
  yield* TestClock.setTime(1_700_000_000_000)
  const model = yield* BidiTest.model(
    Effect.fnUntraced(function* (line) {
      if (line.generation === 1) {
        yield* line.expectText("What is the weather in Oslo?")
        yield* line.callTools(["weather", { city: "Oslo" }])
        yield* line.expect("ToolOutputs")
        yield* line.reply({ text: "It is sunny.", audio: "1 second" })
        yield* line.wait("2 seconds")
        return yield* line.drop()
      }
      yield* line.expectText("Tell me a story.")
      yield* line.wait("300 millis")
      yield* line.reply({ text: "Once there was a fox.", audio: "8 seconds" })
      yield* line.wait("2500 millis")
      yield* line.hear("Stop!", { lasting: "400 millis" })
    })
  )
  const recorder = yield* ModelRecorder.make
  const call = yield* agent("sunny").pipe(Effect.provide(Layer.provide(recorder.layer, model.layer)))
  yield* call.send("What is the weather in Oslo?")
  yield* BidiTest.advance("5 seconds")
  yield* call.send("Tell me a story.")
  yield* BidiTest.advance("10 seconds")
  return { recording: recorder.recording(), history: yield* call.history }
})

describe("a recorded call", () => {
  it.effect("is played again: the same commands and the same history", () =>
    Effect.gen(function* () {
      const { history, recording } = yield* Effect.scoped(recorded)
      const tags = recording.passed.map(({ _tag }) => _tag)
      assert.includeMembers(tags, ["Dialed", "Connected", "Command", "Said", "Lost"])
      const text = ModelRecorder.encode(recording)
      assert.deepStrictEqual(ModelRecorder.encode(ModelRecorder.decode(text)), text)
      const replayed = yield* BidiTest.replay(ModelRecorder.decode(text), agent("sunny"))
      assert.deepStrictEqual(replayed.differences, [])
      assert.isAbove(replayed.commands.length, 3)
      const words = (prompt: typeof history) => JSON.stringify(prompt.content.map(({ content }) => content))
      assert.strictEqual(words(yield* replayed.conversation.history), words(history))
    })
  )

  it.effect("says what is different now", () =>
    Effect.gen(function* () {
      const { recording } = yield* Effect.scoped(recorded)
      const { differences } = yield* BidiTest.replay(recording, agent("snow"))
      assert.lengthOf(differences, 1)
      assert.match(differences[0]!, /sunny.*snow/)
    })
  )
})
