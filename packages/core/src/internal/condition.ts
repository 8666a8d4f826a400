/**
 * A condition variable: who waits looks again at every signal.
 */
import * as Effect from "effect/Effect"

export interface Condition {
  /** Something may have changed: everybody who waits looks again, at once. */
  readonly signal: () => void
  /** Waits until `holds` returns true, at once or in the stack of a signal. */
  readonly until: (holds: () => boolean) => Effect.Effect<void>
  /** Waits for the first signal after this call, also if that comes before the effect runs. */
  readonly next: () => Effect.Effect<void>
}

export const make = (): Condition => {
  const waiting = new Set<() => void>()
  let signals = 0

  const until = (holds: () => boolean): Effect.Effect<void> =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (!holds()) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    })

  return {
    signal: () => {
      signals++
      // who is resumed may wait again at once, for the next signal
      for (const look of Array.from(waiting)) look()
    },
    until,
    next: () => {
      const seen = signals
      return until(() => signals !== seen)
    }
  }
}
