/**
 * Logs from callbacks, in which no effect runs.
 */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"

/** Logs a line at `Debug`; `undefined` if that level is off. */
export const debugLine: Effect.Effect<((message: string) => void) | undefined> = Effect.gen(function* () {
  if (!(yield* LogLevel.isEnabled("Debug"))) return undefined
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  return (message: string) => run(Effect.logDebug(message))
})
