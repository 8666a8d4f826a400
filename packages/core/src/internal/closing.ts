/**
 * Closing that always ends. A part that does not close in time is left behind and reported; the others still close.
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"

/** How long a part may take to close. Half of it is for finishing what is in its mailbox. */
export const CLOSE_TIMEOUT = Duration.seconds(1)
const DRAIN_TIMEOUT = Duration.millis(500)

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

/** Waits for `effect`, but not longer than a part may take, and reports if it took longer or failed. */
export const bounded = (name: string, effect: Effect.Effect<unknown>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const exit = yield* atMost(effect, CLOSE_TIMEOUT)
    if (Option.isNone(exit)) return yield* Effect.logError(`${name} did not close in time and was left behind`)
    if (Exit.isFailure(exit.value)) yield* Effect.logError(`${name} did not close well`, exit.value.cause)
  })

/** Opens a part in a scope of its own, which closes with the surrounding one, in bounded time. */
export const part = <A, E, R>(
  name: string,
  open: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer((exit) => bounded(name, Scope.close(scope, exit)))
      return yield* restore(Scope.provide(open, scope))
    })
  )

/**
 * Runs the work of a part in a fiber of its own. `onFailure` hears what it dies of. At closing, `end` tells it that
 * nothing more will come; what it does not finish then is interrupted.
 */
export const worker = <E, R>(
  work: Effect.Effect<void, E, R>,
  end: Effect.Effect<void>,
  onFailure: (cause: Cause.Cause<E>) => void
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const watched = Effect.onExit(work, (exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit) && !Exit.hasInterrupts(exit)) onFailure(exit.cause)
      })
    )
    const fiber = yield* Effect.forkIn(watched, scope, { startImmediately: true })
    yield* Effect.addFinalizer(() => Effect.andThen(end, atMost(Fiber.await(fiber), DRAIN_TIMEOUT)))
  })
