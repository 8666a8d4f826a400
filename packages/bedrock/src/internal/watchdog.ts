/**
 * Notices a peer that is gone without a word: the socket of a dead network stays open for ever.
 *
 * A ping would do, but the SDK closes the session to everything new as soon as the stream is open. There is always sound
 * to be sent, though, and a dead network stops taking it.
 */
import * as Effect from "effect/Effect"
import type { BidiError } from "@effect-bidi/core/BidiError"

const LOOK_EVERY = "20 seconds"
const MISSES = 2

export interface Patient {
  /** Whether something waits, and nothing has left since this was asked last. */
  readonly isStuck: () => boolean
  readonly onDead: () => void
  readonly opened: Effect.Effect<void, BidiError>
  readonly over: Effect.Effect<void>
}

/** Watches in a fiber of the scope until the line is over. */
export const watch = ({ isStuck, onDead, opened, over }: Patient) => {
  const rounds = Effect.gen(function* () {
    for (let misses = 0; misses < MISSES; misses = isStuck() ? misses + 1 : 0) yield* Effect.sleep(LOOK_EVERY)
    onDead()
  })
  return opened.pipe(
    Effect.andThen(rounds),
    Effect.raceFirst(over),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
}
