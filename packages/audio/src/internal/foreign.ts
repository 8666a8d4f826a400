/**
 * Loads modules made by Emscripten. Those install handlers of their own for errors nobody caught, in the whole process:
 * `unhandledRejection` would abort it, whoever the rejection belongs to. They are taken off again.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

const events = ["uncaughtException", "unhandledRejection"] as const

// two loads at a time would take each other's handlers for ones that were there before
const one = Semaphore.makeUnsafe(1)

/** The module is not there, or does not start. */
export class LoadFailed extends Data.TaggedError("LoadFailed")<{ readonly cause: unknown }> {}

/** Runs `load` to its end, and removes the handlers it added to the process. */
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
