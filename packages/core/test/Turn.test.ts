import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import { Ledger } from "../src/internal/playback/ledger.ts"
import { REPLY_TIMEOUT_MILLIS, TurnState } from "../src/internal/turns/turnState.ts"

describe("who waits for a turn to end", () => {
  // a fiber makes room for others after so many steps, wherever it is then; with fewer it never gets on
  for (let steps = 3; steps <= 40; steps++) {
    it.effect(`is told, though it was on its way to listen (${steps} steps)`, () =>
      Effect.gen(function* () {
        const turn = new TurnState(
          new Ledger(),
          () => false,
          () => 0
        )
        turn.toolStarted()
        const waiting = yield* turn.awaitIdle.pipe(
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

  it.effect("is told, though the sound ends between two looks at it", () =>
    Effect.gen(function* () {
      for (let end = 1; end <= 8; end++) {
        const ledger = new Ledger()
        let looks = -1 // the ledger looks once when it gets a device
        ledger.add(() => (++looks >= end ? 100 : 0))
        ledger.append("r", "i", 100)
        const turn = new TurnState(
          ledger,
          () => false,
          () => 0
        )
        const waiting = yield* Effect.forkChild(turn.awaitIdle, { startImmediately: true })
        yield* BidiTest.advance("1 minute")
        assert.isDefined(waiting.pollUnsafe(), `it ends before look ${end}`)
      }
    })
  )

  it.effect("is told, though a reply is given up between two looks", () =>
    Effect.gen(function* () {
      for (let end = 1; end <= 8; end++) {
        let looks = -1 // asking for the reply looks at the clock
        const turn = new TurnState(
          new Ledger(),
          () => false,
          () => (++looks >= end ? REPLY_TIMEOUT_MILLIS : 0)
        )
        turn.awaitReply()
        const waiting = yield* Effect.forkChild(turn.awaitIdle, { startImmediately: true })
        yield* BidiTest.advance("1 minute")
        assert.isDefined(waiting.pollUnsafe(), `it is given up before look ${end}`)
      }
    })
  )
})
