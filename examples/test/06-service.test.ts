import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { Bookings, Waiter } from "../06-service.ts"

// The provider, by the script: what it expects to hear, and what it says.
const script: BidiTest.Script = Effect.fnUntraced(function* (line) {
  yield* line.expectText("A table for four, please.")
  yield* line.callTools(["book_table", { people: 4 }])
  const { outputs } = yield* line.expect("ToolOutputs")
  assert.deepInclude(outputs[0], { result: "A table for 4 is booked.", isFailure: false })
  yield* line.reply({ text: "Your table for four is booked. See you tonight!", audio: "3 seconds" })
})

it.effect("books a table", () =>
  Effect.gen(function* () {
    const model = yield* BidiTest.model(script)
    const speaker = yield* BidiTest.speaker()

    const booked = yield* Effect.gen(function* () {
      const waiter = yield* Waiter
      const call = yield* waiter.start({ outputs: [speaker.output] })
      yield* call.send("A table for four, please.")
      yield* BidiTest.advance("10 seconds") // ten seconds of talk, in no time
      return yield* (yield* Bookings).all
    }).pipe(
      Effect.provide(Waiter.withTools.pipe(Layer.provide(model.layer), Layer.provideMerge(Bookings.layer))),
      Effect.scoped
    )

    assert.deepStrictEqual(booked, ["a table for 4"])
    assert.deepStrictEqual(speaker.played(), Duration.seconds(3))
  })
)
