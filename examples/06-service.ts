// An agent is a service like any other, with layers below and above it. test/06-service.test.ts replaces the model and plays a
// whole call in virtual time.
import { BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Context, Effect, Layer, Ref, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Logging, ModelFromEnvironment } from "./environment.ts"

/** The tables of a restaurant. */
export class Bookings extends Context.Service<
  Bookings,
  {
    readonly add: (booking: string) => Effect.Effect<void>
    readonly all: Effect.Effect<ReadonlyArray<string>>
  }
>()("examples/Bookings") {
  static readonly layer = Layer.effect(
    Bookings,
    Effect.map(Ref.make<ReadonlyArray<string>>([]), (bookings) => ({
      add: (booking: string) => Ref.update(bookings, (all) => [...all, booking]),
      all: Ref.get(bookings)
    }))
  )
}

const toolkit = Toolkit.make(
  Tool.make("book_table", {
    description: "Books a table for a number of people.",
    parameters: Schema.Struct({ people: Schema.Int }),
    success: Schema.String,
    failureMode: "return"
  })
)

/** Who answers the phone. Needs a model and the tables. */
export class Waiter extends BidiAgent.Service<Waiter>()("examples/Waiter", {
  instructions: "You take bookings for a restaurant.",
  toolkit
}) {
  static readonly withTools = Waiter.layer.pipe(
    Layer.provide(
      toolkit.toLayer(
        Effect.gen(function* () {
          const bookings = yield* Bookings
          return toolkit.of({
            book_table: ({ people }) =>
              Effect.as(bookings.add(`a table for ${people}`), `A table for ${people} is booked.`)
          })
        })
      )
    )
  )
}

const Main = Effect.gen(function* () {
  const waiter = yield* Waiter
  const bookings = yield* Bookings
  yield* waiter.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output({ agent: "waiter" })] })
  yield* Console.log(`booked: ${(yield* bookings.all).join(", ")}`)
})

if (import.meta.main) {
  Main.pipe(
    Effect.provide([
      Waiter.withTools.pipe(Layer.provide(ModelFromEnvironment), Layer.provideMerge(Bookings.layer)),
      Logging
    ]),
    NodeRuntime.runMain
  )
}
