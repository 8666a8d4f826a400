import { BidiTest } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import { Ledger } from "../src/internal/playback.ts"
import { Turn } from "../src/internal/turn.ts"

describe("who waits for a turn to end", () => {
  // a fiber makes room for others after so many steps, wherever it is then; with fewer it never gets on
  for (let steps = 3; steps <= 40; steps++) {
    it.effect(`is told, though it was on its way to listen (${steps} steps)`, () =>
      Effect.gen(function* () {
        const turn = new Turn(
          new Ledger(),
          () => false,
          () => 0
        )
        turn.toolStarted()
        const waiting = yield* turn.idle.pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps),
          Effect.forkChild({ startImmediately: true })
        )
        turn.toolEnded()
        yield* BidiTest.advance("1 minute")
        assert.isDefined(waiting.pollUnsafe())
        yield* Fiber.join(waiting)
      })
    )
  }
})
