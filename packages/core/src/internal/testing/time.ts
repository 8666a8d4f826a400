/**
 * Virtual time.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

// More than any chain of fibers that wake each other is long.
const MAX_ROUNDS = 128

export const settle: Effect.Effect<void> = Effect.callback<void>((resume) => {
  let rounds = 0
  const round = () => (++rounds > MAX_ROUNDS ? resume(Effect.void) : setImmediate(round))
  setImmediate(round)
})

export const advance = (duration: Duration.Input): Effect.Effect<void> =>
  Effect.andThen(settle, Effect.andThen(TestClock.adjust(duration), settle))
