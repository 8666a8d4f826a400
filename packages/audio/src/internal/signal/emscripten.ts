/**
 * Loads modules that were compiled by Emscripten. They install process-wide handlers for uncaught errors, of which the one for
 * `unhandledRejection` would abort the process for any rejection. These handlers are removed again.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

const events = ["uncaughtException", "unhandledRejection"] as const

// Process-wide, as the handlers are: with two loads at a time, each would keep the other's handlers.
const one = Semaphore.makeUnsafe(1)

/** The module is missing, or does not start. */
export class LoadFailed extends Data.TaggedError("LoadFailed")<{ readonly cause: unknown }> {}

/** Runs `load`, and removes the handlers that it added to the process. */
export const withoutHandlers = <A>(load: () => Promise<A>): Effect.Effect<A, LoadFailed> =>
  Effect.suspend(() => {
    const before = events.map((event) => new Set<Function>(process.listeners(event as "uncaughtException")))
    return Effect.ensuring(
      Effect.tryPromise({ try: load, catch: (cause) => new LoadFailed({ cause }) }),
      Effect.sync(() =>
        events.forEach((event, i) => {
          for (const listener of process.listeners(event as "uncaughtException")) {
            if (!before[i]!.has(listener)) process.removeListener(event, listener)
          }
        })
      )
    )
  }).pipe(one.withPermit)
