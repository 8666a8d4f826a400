/**
 * Session logs in a `KeyValueStore` of `effect/persistence`, for one process at a time. A key-value store has no
 * compare-and-set, so two processes on the same store would not notice each other.
 *
 * @since 0.1.0
 */
import * as SessionRecord from "@effect-bidi/core/SessionRecord"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { storeFailed } from "./internal/errors.ts"
import { escapeId } from "./internal/escape.ts"
import * as Owner from "./internal/owner.ts"

/** A session that is open: its epoch, the number of the next batch, and the right to write. */
interface Open {
  epoch: number
  next: number
  readonly lock: Semaphore.Semaphore
}

/**
 * Makes a store. Every append sets one new key and changes none: a process that is killed while it writes leaves at most the
 * last value torn, which the log passes over.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<SessionStore.Store, never, KeyValueStore.KeyValueStore> = Effect.gen(function* () {
  const kv = yield* KeyValueStore.KeyValueStore
  const by = Owner.describe(Owner.self())
  const open = new Map<string, Open>()
  const failed = <A>(what: string, effect: Effect.Effect<A, unknown>) =>
    Effect.mapError(effect, (error) => storeFailed(what, error))

  const keyOf = (sessionId: string, batch: number) => `bidi/${escapeId(sessionId)}/${batch}`

  const batchesOf = Effect.fnUntraced(function* (sessionId: string) {
    const batches: Array<string> = []
    while (true) {
      const text = yield* failed("reading the log", kv.get(keyOf(sessionId, batches.length)))
      if (text === undefined) return batches
      batches.push(text)
    }
  })

  const epochIn = (batches: ReadonlyArray<string>) =>
    batches.reduce((highest, text) => {
      const record = SessionRecord.decode(text.split("\n", 1)[0]!)
      return Result.isSuccess(record) ? Math.max(highest, record.success.epoch) : highest
    }, 0)

  const claim = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    const mine = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const before = open.get(sessionId)
        if (before !== undefined && onBusy === "fail") return yield* SessionStore.busy(sessionId, by)
        // claimed before anything is awaited
        const lock = before?.lock ?? Semaphore.makeUnsafe(1)
        const mine: Open = { epoch: (before?.epoch ?? 0) + 1, next: 0, lock }
        open.set(sessionId, mine)
        // after what the owner before is about to write
        const batches = yield* lock
          .withPermit(batchesOf(sessionId))
          .pipe(Effect.tapError(() => Effect.sync(() => release(mine))))
        mine.epoch = Math.max(mine.epoch, epochIn(batches) + 1)
        mine.next = batches.length
        return mine
      }),
      (mine) => Effect.sync(() => release(mine))
    )
    function release(mine: Open) {
      if (open.get(sessionId) === mine) open.delete(sessionId)
    }
    const isMine = Effect.suspend(() =>
      open.get(sessionId) === mine ? Effect.void : Effect.fail(SessionStore.taken(sessionId, by))
    )

    return {
      epoch: mine.epoch,
      append: (lines) =>
        isMine.pipe(
          Effect.andThen(failed("writing to the log", kv.set(keyOf(sessionId, mine.next), lines.join("\n")))),
          Effect.tap(() => Effect.sync(() => void mine.next++)),
          mine.lock.withPermit,
          Effect.andThen(isMine)
        )
    } satisfies SessionStore.Claim
  })

  const lines = (sessionId: string) =>
    Effect.map(batchesOf(sessionId), (batches) => batches.flatMap((text) => text.split("\n")))

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
