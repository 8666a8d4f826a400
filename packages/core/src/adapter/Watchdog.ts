/**
 * Notices a peer that is gone without a word: the socket of a dead network stays open for ever.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { BidiError } from "../BidiError.ts"

/**
 * How often a peer is asked for a sign of life. Providers have been seen to take up to 30 seconds for one.
 *
 * @category constants
 * @since 0.1.0
 */
export const PING_INTERVAL = "20 seconds"

/**
 * How many intervals in a row may pass without a sign of life.
 *
 * @category constants
 * @since 0.1.0
 */
export const MISSED_INTERVALS = 3

/**
 * A connection that is watched.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watched {
  /** Makes the peer say something. */
  readonly ping: () => void
  /** Whether it did since this was asked last. */
  readonly isAlive: () => boolean
  /** Called once, when it did not for too long. */
  readonly onDead: () => void
  /** Done when the connection stands, or has failed to. */
  readonly opened: Effect.Effect<void, BidiError>
  /** Done when it is over. */
  readonly over: Effect.Effect<void>
}

/**
 * Watches a connection in a fiber of the scope, from when it stands until it is over.
 *
 * @category combinators
 * @since 0.1.0
 */
export const watch = ({ isAlive, onDead, opened, over, ping }: Watched) => {
  const rounds = Effect.gen(function* () {
    for (let missed = 0; missed < MISSED_INTERVALS; missed = isAlive() ? 0 : missed + 1) {
      ping()
      yield* Effect.sleep(PING_INTERVAL)
    }
    onDead()
  })
  return opened.pipe(
    Effect.andThen(rounds),
    Effect.raceFirst(over),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
}
