/**
 * Closing that always ends. A part that does not close in time is left behind and reported; the others still close.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { interruptedInside, withinPart } from "./insideInterrupt.ts"

/** How long all parts of a conversation together may take to close. */
const CLOSE_MILLIS = 2000

/** How long a connection that is replaced may take to close. */
const HANG_UP_MILLIS = 1000

/**
 * Waits for `effect`, but not longer than `duration`, whatever it does, also where nothing can be interrupted; then it
 * goes on by itself, unheard. Answers how it ended, if it did.
 */
export const atMost = <A, E>(
  effect: Effect.Effect<A, E>,
  duration: Duration.Input
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) =>
    Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), duration)
  )

/** Waits for `effect`, but not longer than `millis`, and reports if it took longer or failed. */
export const bounded = (
  name: string,
  effect: Effect.Effect<unknown>,
  millis: number = HANG_UP_MILLIS
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const exit = yield* atMost(effect, Duration.millis(millis))
    if (Option.isNone(exit)) return yield* Effect.logError(`${name} did not close in time and was left behind`)
    if (Exit.isFailure(exit.value)) yield* Effect.logError(`${name} did not close well`, exit.value.cause)
  })

/**
 * The end of all parts of one conversation, by one deadline. Each may take half of what is left of the time, so that
 * none takes all of it from those behind it.
 */
export class Shutdown {
  private left = CLOSE_MILLIS
  private opening = "what was still opening"
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** Opens a part in a scope of its own, which closes with the surrounding one, in bounded time. */
  readonly part = <A, E, R>(
    name: string,
    open: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function* () {
        const scope = yield* Scope.make()
        this.opening = name
        yield* Effect.addFinalizer((exit) => this.inTime(name, Scope.close(scope, exit)))
        return yield* withinPart(name, restore(Scope.provide(open, scope)))
      })
    )

  /**
   * Runs the work of a part in a fiber of its own. `onFailure` hears what it dies of. At closing, `end` tells it that
   * nothing more will come, and half of the part's time is for what it has still to do; then it is interrupted.
   */
  readonly worker = <E, R>(
    name: string,
    work: Effect.Effect<void, E, R>,
    end: Effect.Effect<void>,
    onFailure: (cause: Cause.Cause<unknown>) => void
  ): Effect.Effect<void, never, R | Scope.Scope> =>
    Effect.gen({ self: this }, function* () {
      const scope = yield* Effect.scope
      const watched = Effect.catchCause(work, (cause) =>
        Effect.sync(() => onFailure(Cause.hasInterruptsOnly(cause) ? Cause.fail(interruptedInside(name)) : cause))
      )
      const fiber = yield* Effect.forkIn(watched, scope, { startImmediately: true })
      const drained = Effect.suspend(() => atMost(Fiber.await(fiber), this.left / 4))
      yield* Effect.addFinalizer(() => Effect.andThen(end, drained))
    })

  /** Stops what is still opening parts. One that cannot be stopped is closed as soon as it is open. */
  readonly stop = (opening: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> =>
    Effect.suspend(() => this.inTime(this.opening, Fiber.interrupt(opening)))

  private readonly inTime = (name: string, effect: Effect.Effect<unknown>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const since = this.now()
      return Effect.andThen(
        bounded(name, effect, this.left / 2),
        Effect.sync(() => {
          this.left = Math.max(0, this.left - (this.now() - since))
        })
      )
    })
}
