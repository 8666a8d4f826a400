/**
 * Says things from where no effect runs: sound is given and taken in the stack of whoever brings it.
 */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"

/** Writes a line at `Debug`. `undefined` when that level is off: nothing has to be put into words then. */
export const debugLine: Effect.Effect<((words: string) => void) | undefined> = Effect.gen(function* () {
  if (!(yield* LogLevel.isEnabled("Debug"))) return undefined
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  return (words: string) => run(Effect.logDebug(words))
})
