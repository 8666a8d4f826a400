import { BidiAgent, BidiTest } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"

describe("a conversation", () => {
  it.effect("answers what was typed, and ends when its input has ended", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.reply({ text: "Hello there", audio: "2 seconds", over: "1 second" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
      const fiber = yield* agent
        .run({ inputs: [BidiTest.caller("Hi")], outputs: [speaker.output, recorder.output] })
        .pipe(Effect.forkChild)
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "complete")
      assert.strictEqual(Duration.toMillis(speaker.played()), 2000)
      console.log(recorder.events().filter((e) => e._tag !== "AudioStream"))
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("remembers only what was heard", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Tell me a story.")
          yield* line.reply({ text: "one two three four five six seven eight nine ten", audio: "10 seconds" })
          yield* line.wait("2 seconds")
          yield* line.hear("Stop!")
        })
      )
      const speaker = yield* BidiTest.speaker()
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(2))
      console.log(model.commands())
      console.log(JSON.stringify(yield* call.history, null, 1))
    })
  )

  it.effect("runs tools", () =>
    Effect.gen(function* () {
      const Add = Tool.make("add", {
        description: "adds",
        parameters: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
        success: Schema.Number,
        failureMode: "return"
      })
      const kit = Toolkit.make(Add)
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("1+2")
          yield* line.callTools(["add", { a: 1, b: 2 }], ["add", { a: "x" }], ["nope", {}], ["add", "{"])
          console.log(yield* line.expect("ToolOutputs"))
          yield* line.reply({ text: "three" })
        })
      )
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(
        Effect.provide([model.layer, kit.toLayer({ add: ({ a, b }) => Effect.succeed(a + b) })])
      )
      const reason = yield* agent.run({ inputs: [BidiTest.caller("1+2")], outputs: [recorder.output] })
      console.log(reason, recorder.events())
    })
  )
})
