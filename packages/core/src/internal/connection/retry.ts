/**
 * When to connect again after a loss.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type { BidiError } from "../../BidiError.ts"
import type { ConnectionOptions } from "../../ConversationOptions.ts"
import { retryAfter } from "./dial.ts"

/** A connection that lived this long, in milliseconds, was not part of the trouble before it. */
const SETTLED_AFTER = 10_000

const defaultRetry = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("8 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5 })
)

export interface Retry {
  /** A connection has ended at this age, in milliseconds. */
  readonly lived: (age: number) => void
  /** The next attempt, and how long to wait before it. Fails with `failure` when the schedule is exhausted. */
  readonly next: (
    failure: BidiError
  ) => Effect.Effect<{ readonly attempt: number; readonly delay: Duration.Duration }, BidiError>
}

export const make = (options: Pick<ConnectionOptions, "retry" | "maxRetryAfter">, now: () => number): Retry => {
  const newSchedule = Effect.suspend(() => Schedule.toStep(options.retry ?? defaultRetry))
  let step: Effect.Success<typeof newSchedule> | undefined
  let attempt = 0

  const delayOf = Effect.fnUntraced(function* (failure: BidiError) {
    if (attempt === 1 && failure.reason.resume !== "backoff") return Duration.zero
    step ??= yield* newSchedule
    const [, delay] = yield* Pull.catchDone(step(now(), failure), () => Effect.fail(failure))
    return Duration.max(delay, retryAfter(failure, options.maxRetryAfter))
  })

  return {
    lived: (age) => {
      if (age < SETTLED_AFTER) return
      step = undefined
      attempt = 0
    },
    next: (failure) =>
      Effect.suspend(() => {
        const nth = ++attempt
        return Effect.map(delayOf(failure), (delay) => ({ attempt: nth, delay }))
      })
  }
}
