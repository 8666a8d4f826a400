import * as Effect from "effect/Effect"
import type { BidiError } from "../../BidiError.ts"

/** Dies with `what` unless it holds. */
export const check = (holds: boolean, what: string): Effect.Effect<void> =>
  holds ? Effect.void : Effect.die(new Error(what))

/** The error of an effect that has to fail. */
export const failing = <R>(
  what: string,
  effect: Effect.Effect<unknown, BidiError, R>
): Effect.Effect<BidiError, never, R> =>
  Effect.matchEffect(effect, {
    onSuccess: () => Effect.die(new Error(`${what} did not fail`)),
    onFailure: Effect.succeed
  })
