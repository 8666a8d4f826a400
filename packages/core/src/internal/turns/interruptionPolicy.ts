/**
 * Whether the user's speech interrupts the agent: at once, after a minimum duration, or once it has become a turn.
 */
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type { Interrupter } from "./interruption.ts"
import type { InterruptionOptions } from "../../ConversationOptions.ts"
import type { Services } from "../conversation/services.ts"

export interface InterruptionPolicy {
  /** `interrupts`: whether the provider treats the speech as an interruption. */
  readonly speechStarted: (interrupts: boolean) => Effect.Effect<void> | undefined
  readonly speechStopped: () => void
  /** `interrupts`: whether this turn is the first sign of the speech. */
  readonly userTurn: (interrupts: boolean) => Effect.Effect<void> | undefined
  /** The connection is gone; the speech that it heard will not become a turn. */
  readonly abandoned: () => void
}

export const make = Effect.fnUntraced(function* (
  { ledger, outputs, uninterruptible, turn }: Services,
  { interrupt }: Interrupter,
  { falseInterruptionTimeout, minDuration }: InterruptionOptions
) {
  const timer = yield* FiberHandle.make()
  const start = yield* FiberHandle.runtime(timer)()
  const now = Effect.asVoid(interrupt("user_speech"))

  // With nothing audible there is nothing to pause, and a pause would silence the next reply.
  const begin = Effect.suspend(() => {
    const audible = turn.active !== undefined || ledger.remaining() > 0
    return falseInterruptionTimeout !== undefined && audible && outputs.canPause() ? outputs.pause : now
  })

  return {
    speechStarted: (interrupts) => {
      if (uninterruptible.active) return undefined
      const cut = interrupts && turn.active !== undefined
      if (cut || (minDuration === undefined && falseInterruptionTimeout === undefined))
        return interrupts ? now : undefined
      if (minDuration === undefined) {
        start(Effect.void) // cancels what was due after earlier speech
        return begin
      }
      start(Effect.andThen(Effect.sleep(minDuration), begin))
      return undefined
    },
    speechStopped: () => {
      if (outputs.isPaused()) start(Effect.andThen(Effect.sleep(falseInterruptionTimeout!), outputs.resume))
      else if (minDuration !== undefined) start(Effect.void)
    },
    userTurn: (interrupts) => {
      if (outputs.isPaused()) {
        start(Effect.void)
        return Effect.andThen(now, outputs.resume)
      }
      // while it generates, the provider itself decides about speech
      return interrupts && turn.active === undefined ? now : undefined
    },
    abandoned: () => void start(outputs.resume) // instead of what was due after the speech
  } satisfies InterruptionPolicy
})
