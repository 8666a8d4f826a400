/**
 * Calls that nothing stops once they have begun: not the user, not the provider, not the end of the conversation. What came
 * of them is known even where whoever asked was interrupted meanwhile.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { type Answer, failed } from "./answers.ts"

// The end waits for a tool without a bound of its own no longer than for others.
const LONGEST = Duration.minutes(2)

/** A call that has begun: whether it is over, and how long it may take from now on at most. */
interface Begun {
  readonly over: Latch.Latch
  readonly bound: Duration.Duration
}

export class UninterruptibleCalls {
  private readonly begun = new Set<Begun>()
  private ending = false

  /** Runs a call within its `bound`. `onEnd` hears what came of it before an interruption that waited has its way. */
  run<E, R>(
    work: Effect.Effect<Answer, E, R>,
    bound: Duration.Duration,
    onEnd: (exit: Exit.Exit<Answer, E>) => void
  ): Effect.Effect<Answer, E, R> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        if (this.ending) return Effect.succeed(TOO_LATE)
        const call: Begun = { over: Latch.makeUnsafe(), bound: Duration.min(bound, LONGEST) }
        this.begun.add(call)
        return Effect.onExit(work, (exit) =>
          Effect.sync(() => {
            onEnd(exit)
            this.begun.delete(call)
            call.over.openUnsafe()
          })
        )
      })
    )
  }

  /** Lets none begin any more, and waits for those that have, each within its bound. */
  readonly finish: Effect.Effect<void> = Effect.suspend(() => {
    this.ending = true
    return Effect.forEach(
      Array.from(this.begun),
      ({ bound, over }) => Effect.timeoutOption(Effect.interruptible(over.await), bound),
      { concurrency: "unbounded", discard: true }
    )
  })
}

const TOO_LATE = failed("The conversation ended before the tool began.")
