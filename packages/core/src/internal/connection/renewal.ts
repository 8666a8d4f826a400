/**
 * When to renew a connection. Pure functions.
 */
import * as Duration from "effect/Duration"
import type { Limits } from "../../BidiModel.ts"

/** `at`: when, in milliseconds of the clock. `timeLeft`: how long the connection will live from then on. */
export interface Due {
  readonly at: number
  readonly timeLeft: Duration.Duration
}

// A requested age is shortened so that the renewal begins this long before a known end.
const LAST_MOMENT_MILLIS = 20_000

/** The announced end, in milliseconds of the clock; `undefined` if it makes no sense. */
export const endOf = (since: number, expiresAt: number | undefined): number | undefined =>
  // a connection that was just opened has not ended yet: one of the two clocks is wrong
  expiresAt !== undefined && expiresAt > since && expiresAt < Infinity ? expiresAt : undefined

/**
 * `since` is when the connection was opened, `expiresAt` the end that it announced, `after` the age at which the application
 * wants to renew it. The earliest of these counts.
 */
export const due = (
  limits: Limits,
  since: number,
  expiresAt: number | undefined,
  after: Duration.Input | undefined
): Due | undefined => {
  const announced = endOf(since, expiresAt)
  const end = Math.min(announced ?? Infinity, since + millis(limits.maxDuration))
  // a short life keeps three quarters of it
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

/** A duration for an event: never negative, and at most a year. */
export const span = (millis: number): Duration.Duration =>
  Duration.clamp(Duration.millis(Math.round(millis)), { minimum: Duration.zero, maximum: Duration.days(366) })

// A provider that wants a younger connection replaced is careless, or its clock is wrong; an application that asks for it
// hardly means several connections a second.
const HASTY_MILLIS = 5000
const FLOOD_MILLIS = 1000

/** Whether a renewal comes so early that the next connection has to live longer. */
export const isHasty = (age: number, asked: boolean): boolean => age < (asked ? FLOOD_MILLIS : HASTY_MILLIS)

/** The minimum age of a connection before it is renewed, in milliseconds, after `hasty` early renewals in a row: 1 to 60 s. */
export const minAge = (hasty: number): number => Math.min(1000 * 2 ** hasty, 60_000)

/** How long to wait for the end of a turn by default. */
export const TURN_WAIT = Duration.seconds(10)

/**
 * How long to wait for the end of a turn, leaving a margin before the end of the connection. If the announced end has passed
 * and the connection still works, the announcement was wrong, and no turn is cut off for it.
 */
export const turnWait = (timeLeft: Duration.Duration, wait: Duration.Input | undefined): Duration.Duration => {
  const most = Duration.fromInputUnsafe(wait ?? TURN_WAIT)
  return Duration.isZero(timeLeft) ? most : Duration.min(most, Duration.times(timeLeft, 0.8))
}
