/**
 * Session logs in a `KeyValueStore` of `effect/persistence`, for one process at a time. A key-value store has no
 * compare-and-set, so two processes on the same store would not notice each other.
 *
 * @since 0.1.0
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import { storeFailed } from "./internal/errors.ts"
import { escapeId } from "./internal/escape.ts"
import * as Owner from "./internal/owner.ts"

/** What there is of a session: its epoch, and how many batches of lines were written. */
const Head = Schema.fromJsonString(Schema.Struct({ epoch: Schema.Int, batches: Schema.Int }))

type Head = typeof Head.Type

/**
 * Makes a store. Every append writes one batch and the head of the session.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<SessionStore.Store, never, KeyValueStore.KeyValueStore> = Effect.gen(function* () {
  const kv = yield* KeyValueStore.KeyValueStore
  const by = Owner.describe(Owner.self())
  const open = new Map<string, number>() // the epochs of the sessions that are open
  const failed = <A>(what: string, effect: Effect.Effect<A, unknown>) =>
    Effect.mapError(effect, (error) => storeFailed(what, error))

  const headKey = (sessionId: string) => `bidi/${escapeId(sessionId)}/head`
  const batchKey = (sessionId: string, batch: number) => `bidi/${escapeId(sessionId)}/${batch}`

  const headOf = (sessionId: string): Effect.Effect<Head, BidiError> =>
    failed(
      "reading the session",
      Effect.flatMap(kv.get(headKey(sessionId)), (text) =>
        text === undefined ? Effect.succeed({ epoch: 0, batches: 0 }) : Schema.decodeEffect(Head)(text)
      )
    )
  const writeHead = (sessionId: string, head: Head) => kv.set(headKey(sessionId), Schema.encodeSync(Head)(head))

  const claim = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    const epoch = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        if (open.has(sessionId) && onBusy === "fail") return yield* SessionStore.busy(sessionId, by)
        const before = open.get(sessionId)
        // claimed before anything is awaited
        const provisional = (before ?? 0) + 1
        open.set(sessionId, provisional)
        const head = yield* Effect.tapError(headOf(sessionId), () =>
          Effect.sync(() => (before === undefined ? open.delete(sessionId) : open.set(sessionId, before)))
        )
        const epoch = Math.max(head.epoch + 1, provisional)
        open.set(sessionId, epoch)
        return epoch
      }),
      (epoch) =>
        Effect.sync(() => {
          if (open.get(sessionId) === epoch) open.delete(sessionId)
        })
    )
    const isMine = Effect.suspend(() =>
      open.get(sessionId) === epoch ? Effect.void : Effect.fail(SessionStore.taken(sessionId, by))
    )

    return {
      epoch,
      append: Effect.fnUntraced(function* (lines) {
        yield* isMine
        const { batches } = yield* headOf(sessionId)
        yield* failed("writing to the log", kv.set(batchKey(sessionId, batches), lines.join("\n")))
        yield* isMine
        yield* failed("writing to the log", writeHead(sessionId, { epoch, batches: batches + 1 }))
      })
    } satisfies SessionStore.Claim
  })

  const lines = Effect.fnUntraced(function* (sessionId: string) {
    const { batches } = yield* headOf(sessionId)
    const all: Array<string> = []
    for (let batch = 0; batch < batches; batch++) {
      const text = yield* failed("reading the log", kv.get(batchKey(sessionId, batch)))
      if (text !== undefined) all.push(...text.split("\n"))
    }
    return all
  })

  return SessionStore.make({ by, claim, lines })
})

/**
 * Keeps sessions in a key-value store. See {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never, never, KeyValueStore.KeyValueStore> = Layer.effect(
  SessionStore.SessionStore,
  make
)
