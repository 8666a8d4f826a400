/**
 * Calls that nothing stops once they have begun: not the user, not the provider, not the end of the conversation. Their
 * result is known even where the fiber that asked for it was interrupted meanwhile.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { type Answer, failed } from "./answers.ts"

// The longest that the end of the conversation waits for one call, also for one without a timeout.
const FINISH_TIMEOUT = Duration.minutes(2)

/** A call that has begun: whether it is over, and how long the end waits for it. */
interface Begun {
  readonly over: Latch.Latch
  readonly timeout: Duration.Duration
}

export const make = () => {
  const begun = new Set<Begun>()
  let ending = false

  return {
    /** Runs a call. `onEnd` gets its exit before an interruption that had to wait takes effect. */
    run: <E, R>(
      work: Effect.Effect<Answer, E, R>,
      timeout: Duration.Duration,
      onEnd: (exit: Exit.Exit<Answer, E>) => void
    ): Effect.Effect<Answer, E, R> =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          if (ending) return Effect.succeed(TOO_LATE)
          const call: Begun = { over: Latch.makeUnsafe(), timeout: Duration.min(timeout, FINISH_TIMEOUT) }
          begun.add(call)
          return Effect.onExit(work, (exit) =>
            Effect.sync(() => {
              onEnd(exit)
              begun.delete(call)
              call.over.openUnsafe()
            })
          )
        })
      ),
    /** Lets no call begin any more, and waits for those that have, each within its timeout. */
    finish: Effect.suspend(() => {
      ending = true
      return Effect.forEach(
        Array.from(begun),
        ({ over, timeout }) => Effect.timeoutOption(Effect.interruptible(over.await), timeout),
        { concurrency: "unbounded", discard: true }
      )
    })
  }
}

const TOO_LATE = failed("The conversation ended before the tool began.")
