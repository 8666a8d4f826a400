/**
 * Where the log of a session is kept, so that a conversation can go on where an earlier one ended.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BidiError } from "./BidiError.ts"
import type { Entry } from "./Transcript.ts"

/**
 * A log of transcript entries per session id. An entry may be written again under its id (words that came late, a
 * reply that was cut off): the last write counts, in the place of the first. See `Transcript.fromLog`.
 *
 * @category models
 */
export interface Store {
  /** The log in the order it was written; empty for an unknown session. */
  readonly load: (sessionId: string) => Effect.Effect<ReadonlyArray<Entry>, BidiError>
  /** Adds to the end of the log. Called in order, never concurrently for one conversation. */
  readonly append: (sessionId: string, entries: ReadonlyArray<Entry>) => Effect.Effect<void, BidiError>
}

/**
 * The store in use. By default nothing is kept.
 *
 * @category references
 */
export const SessionStore = Context.Reference<Store>("@effect-bidi/core/SessionStore", {
  defaultValue: () => ({ load: () => Effect.succeed([]), append: () => Effect.void })
})

/**
 * Keeps logs in memory, as long as the layer lives.
 *
 * @category layers
 */
export const layerMemory: Layer.Layer<never> = Layer.effect(
  SessionStore,
  Effect.sync(() => {
    const logs = new Map<string, Array<Entry>>()
    return {
      load: (sessionId: string) => Effect.sync(() => logs.get(sessionId)?.slice() ?? []),
      append: (sessionId: string, entries: ReadonlyArray<Entry>) =>
        Effect.sync(() => {
          const log = logs.get(sessionId)
          if (log === undefined) logs.set(sessionId, Array.from(entries))
          else log.push(...entries)
        })
    }
  })
)
