/**
 * Virtual time.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

// More rounds than any chain of fibers that wake each other is long.
const ROUNDS = 128

/**
 * Lets every fiber run that can run without time passing.
 *
 * @category time
 */
export const settle: Effect.Effect<void> = Effect.callback<void>((resume) => {
  let rounds = 0
  const round = () => (++rounds > ROUNDS ? resume(Effect.void) : setImmediate(round))
  setImmediate(round)
})

/**
 * Lets everybody run, then lets time pass, moment by moment. Use it in place of `TestClock.adjust`: a clock that jumps
 * while a fiber is still on its way to a `sleep` jumps past it.
 *
 * @category time
 */
export const advance = (duration: Duration.Input): Effect.Effect<void> =>
  Effect.andThen(settle, Effect.andThen(TestClock.adjust(duration), settle))
