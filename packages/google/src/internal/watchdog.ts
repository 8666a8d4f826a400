/**
 * Notices a peer that is gone without a word: the socket of a dead network stays open for ever. It must not be hasty: the
 * provider answers pings within 8 to 30 seconds, and a connection that is given up too early costs the session.
 */
import * as Effect from "effect/Effect"
import type { BidiError } from "@effect-bidi/core/BidiError"

const PING_EVERY = "30 seconds"
const MISSES = 3

export interface Patient {
  readonly ping: () => void
  /** Whether anything came since the last time this was asked. */
  readonly isAlive: () => boolean
  readonly onDead: () => void
  readonly opened: Effect.Effect<void, BidiError>
  readonly over: Effect.Effect<void>
}

/** Watches in a fiber of the scope until the line is over. */
export const watch = ({ isAlive, onDead, opened, over, ping }: Patient) => {
  const rounds = Effect.gen(function* () {
    let misses = 0
    while (misses < MISSES) {
      isAlive()
      ping()
      yield* Effect.sleep(PING_EVERY)
      misses = isAlive() ? 0 : misses + 1
    }
    onDead()
  })
  return opened.pipe(
    Effect.andThen(Effect.sleep(PING_EVERY)),
    Effect.andThen(rounds),
    Effect.raceFirst(over),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
}
