/**
 * A `start` that is given up is undone: nothing is dialed, opened or heard after it.
 */
import { BidiAgent, BidiInput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { countFibers } from "./support/fibers.ts"

const situations: ReadonlyArray<readonly [name: string, script: BidiTest.Script]> = [
  ["the provider answers late", (line) => Effect.andThen(line.wait("5 seconds"), line.accept)],
  ["the provider never answers", () => Effect.never],
  ["the provider answers at that moment", (line) => Effect.andThen(line.wait("2 seconds"), line.accept)]
]

type Start = Effect.Effect<BidiAgent.Call<unknown>, unknown, never>

const waysToGiveUp: ReadonlyArray<readonly [name: string, giveUp: (start: Start) => Effect.Effect<unknown, unknown>]> =
  [
    ["runs out of time", (start) => Effect.timeout(start, "2 seconds")],
    ["loses a race", (start) => Effect.raceFirst(start, Effect.sleep("2 seconds"))],
    [
      "is interrupted",
      (start) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(start)
          yield* Effect.sleep("2 seconds")
          yield* Fiber.interrupt(fiber)
        })
    ]
  ]

describe("a start that is given up", () => {
  for (const [when, script] of situations) {
    for (const [how, giveUp] of waysToGiveUp) {
      it.effect(`because it ${how}, when ${when}`, () =>
        Effect.gen(function* () {
          const model = yield* BidiTest.model(script)
          const speaker = yield* BidiTest.speaker()
          let opened = 0
          const microphone = BidiInput.make(
            "microphone",
            Stream.suspend(() => {
              opened++
              return Stream.never
            })
          )
          const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
          const [, alive] = yield* countFibers(
            Effect.gen(function* () {
              const begun = yield* Effect.forkChild(
                Effect.gen(function* () {
                  const scope = yield* Effect.scope
                  const start = Scope.provide(agent.start({ inputs: [microphone], outputs: [speaker.output] }), scope)
                  const exit = yield* Effect.exit(giveUp(start))
                  // whoever was in time has started something; nobody else has, though the scope stays open
                  if (Exit.isSuccess(exit) && exit.value !== undefined) return
                  assert.strictEqual(model.open(), 0)
                  yield* Effect.sleep("1 minute")
                  assert.lengthOf(
                    model.log().filter(({ _tag }) => _tag === "Dialed"),
                    1
                  )
                  assert.strictEqual(model.open(), 0)
                  assert.strictEqual(opened, 0)
                }).pipe(Effect.scoped),
                { startImmediately: true }
              )
              yield* BidiTest.advance("2 minutes")
              yield* Fiber.join(begun)
            })
          )
          assert.strictEqual(alive, 0)
        })
      )
    }
  }
})
