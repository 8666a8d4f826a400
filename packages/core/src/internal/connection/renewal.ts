/**
 * When to renew a connection. Functions from values to values.
 */
import * as Duration from "effect/Duration"
import type { Limits } from "../../BidiModel.ts"

/** `at`: when, in milliseconds of the clock; `timeLeft`: how much of the connection's life is left then. */
export interface Due {
  readonly at: number
  readonly timeLeft: Duration.Duration
}

// How long before an end that is known an age that was asked for still counts.
const LAST_MOMENT_MILLIS = 20_000

/** An end that was announced, in milliseconds of the clock; `undefined` where it is none. */
export const endOf = (since: number, expiresAt: number | undefined): number | undefined =>
  // a connection that was just opened has not ended yet: the clock there or here is wrong
  expiresAt !== undefined && expiresAt > since && expiresAt < Infinity ? expiresAt : undefined

/**
 * `since` is when the connection was opened, `expiresAt` its own end where it names one, `after` the age that the
 * application wants to renew it at. What ends it first counts, whoever said so.
 */
export const due = (
  limits: Limits,
  since: number,
  expiresAt: number | undefined,
  after: Duration.Input | undefined
): Due | undefined => {
  const announced = endOf(since, expiresAt)
  const end = Math.min(announced ?? Infinity, since + millis(limits.maxDuration))
  // a quarter of a short life is enough
  const quarter = (end - since) / 4
  const latest = end === Infinity ? Infinity : end - Math.min(quarter, millis(limits.renewBefore))
  const age = after ?? (announced === undefined ? limits.renewAfter : undefined)
  const at =
    age === undefined
      ? latest
      : Math.min(since + millis(age), end === Infinity ? end : end - Math.min(quarter, LAST_MOMENT_MILLIS))
  return at < Infinity ? { at, timeLeft: span(end === Infinity ? 0 : end - at) } : undefined
}

const millis = (duration: Duration.Input | undefined): number =>
  duration === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(duration))

/** A length of time that leaves us: never negative, and no longer than a year. */
export const span = (millis: number): Duration.Duration =>
  Duration.clamp(Duration.millis(millis), { minimum: Duration.zero, maximum: Duration.days(366) })

// A provider that wants a connection of this age replaced is careless, or its clock is wrong; and whatever the
// application wants, it does not mean several connections a second.
const HASTY_MILLIS = 5000
const FLOOD_MILLIS = 1000

/** Whether a connection is to be renewed so soon that the next one has to live longer. */
export const isHasty = (age: number, asked: boolean): boolean => age < (asked ? FLOOD_MILLIS : HASTY_MILLIS)

/** How old a connection has to be before it is renewed, after so many that were hasty: a second to a minute. */
export const minAge = (hasty: number): number => Math.min(1000 * 2 ** hasty, 60_000)

/** How long to wait for the end of a turn, if nothing else is said. */
export const TURN_WAIT = Duration.seconds(10)

/**
 * How long to wait for the end of a turn: never until the very end of the connection. One that lives although its time
 * is over was not announced well, and nobody is cut off for that.
 */
export const turnWait = (timeLeft: Duration.Duration, wait: Duration.Input | undefined): Duration.Duration => {
  const most = Duration.fromInputUnsafe(wait ?? TURN_WAIT)
  return Duration.isZero(timeLeft) ? most : Duration.min(most, Duration.times(timeLeft, 0.8))
}
