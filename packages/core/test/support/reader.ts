/**
 * Reads the events of a connection one by one.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { Connection, ModelEvent } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"

export interface Reader {
  /** The next event. */
  readonly next: Effect.Effect<ModelEvent, BidiError>
  /** Why the connection ended. */
  readonly end: Effect.Effect<BidiError>
}

export const read = Effect.fnUntraced(function* (connection: Connection) {
  const events = yield* Queue.unbounded<ModelEvent, BidiError>()
  const fiber = yield* connection
    .listen((event) => void Queue.offerUnsafe(events, event))
    .pipe(
      Effect.onError((cause) => Queue.failCause(events, cause)),
      Effect.forkScoped({ startImmediately: true })
    )
  return { next: Queue.take(events), end: Effect.flip(Fiber.join(fiber)) as Effect.Effect<BidiError> } satisfies Reader
})
