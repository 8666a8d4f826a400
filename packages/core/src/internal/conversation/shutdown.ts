/**
 * A shutdown that always ends. A part that does not close in time is left behind and reported; the others still close.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { interruptedInside, withinPart } from "./insideInterrupt.ts"

/** How long all parts of a conversation may take to close, together. */
const CLOSE_MILLIS = 2000

/** How long a connection that is replaced may take to close. */
const HANG_UP_MILLIS = 1000

/**
 * Waits for `effect`, but at most for `duration`, even if it is uninterruptible; it then continues in the background. Returns
 * its exit, if it has ended.
 */
export const atMost = <A, E>(
  effect: Effect.Effect<A, E>,
  duration: Duration.Input
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) =>
    Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), duration)
  )

/** Waits for `effect`, but at most for `millis`, and logs an error if it took longer or failed. */
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
 * Closes all parts of one conversation within one deadline. Each part may take half of the time that is left, so that none
 * uses up the time of the others.
 */
export class Shutdown {
  private left = CLOSE_MILLIS
  private opening = "what was still opening"
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** Opens a part in its own scope, which closes with the surrounding scope, in bounded time. */
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
   * Runs the work of a part in its own fiber; `onFailure` is called with the cause if it fails. When the part closes, `end`
   * tells the work that nothing more will come, and it may finish within half of the part's time before it is interrupted.
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

  /** Stops the fiber that is still opening parts. A part that cannot be stopped is closed as soon as it is open. */
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
