/**
 * When to renew a connection. A function from values to values.
 */
import * as Duration from "effect/Duration"
import type { Limits } from "../BidiModel.ts"

/** `at`: when, in milliseconds of the clock; `timeLeft`: how much of the connection's life is left then. */
export interface Due {
  readonly at: number
  readonly timeLeft: Duration.Duration
}

/**
 * `since` is when the connection was opened, `expiresAt` its own end where it names one, `after` the age that the
 * application wants to renew it at.
 */
export const due = (
  limits: Limits,
  since: number,
  expiresAt: number | undefined,
  after: Duration.Input | undefined
): Due | undefined => {
  const { maxDuration, renewAfter, renewBefore } = limits
  const end = expiresAt ?? (maxDuration === undefined ? undefined : since + Duration.toMillis(maxDuration))
  const age = after ?? (expiresAt === undefined ? renewAfter : undefined)
  if (age !== undefined) {
    const at = since + Duration.toMillis(Duration.fromInputUnsafe(age))
    return { at, timeLeft: Duration.millis(Math.max(0, (end ?? at) - at)) }
  }
  if (end === undefined) return undefined
  // a quarter of a short life is enough
  const before = Math.min((end - since) / 4, renewBefore === undefined ? Infinity : Duration.toMillis(renewBefore))
  return { at: end - before, timeLeft: Duration.millis(before) }
}

/** How long to wait for the end of a turn, if nothing else is said. */
export const PATIENCE = Duration.seconds(10)

/** How long to wait for the end of a turn: never until the very end of the connection. */
export const patience = (timeLeft: Duration.Duration, wait: Duration.Input | undefined): Duration.Duration =>
  Duration.min(Duration.fromInputUnsafe(wait ?? PATIENCE), Duration.times(timeLeft, 0.8))
