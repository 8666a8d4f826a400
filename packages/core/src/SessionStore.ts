/**
 * Where the logs of sessions are kept, so that a conversation can go on where an earlier one ended, also in another
 * process.
 *
 * Whoever opens a session owns it until its scope closes, or until somebody else takes it over: from then on nothing that
 * the first owner writes counts. `SessionLog` says what a log means, `SessionRecord` what it is made of.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { BidiError, SessionBusy, SessionCorrupt, SessionTaken } from "./BidiError.ts"
import * as SessionLog from "./SessionLog.ts"
import * as SessionRecord from "./SessionRecord.ts"

/**
 * What to do about a session that is open elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export type OnBusy = "fail" | "takeOver"

/**
 * A session that is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  readonly epoch: number
  /** What its log added up to when it was opened. */
  readonly restored: SessionLog.Restored
  /**
   * Adds to the log; succeeds when the records are durable. Fails with `SessionTaken` when the session is open elsewhere,
   * and with `StoreFailed` when it is not known whether they are durable. Then the same records are to be given again, and
   * others behind them: they count once.
   */
  readonly append: (records: NonEmptyReadonlyArray<SessionRecord.Body>) => Effect.Effect<void, BidiError>
  /** Fails with `SessionTaken` when it becomes known that the session is open elsewhere. */
  readonly lost: Effect.Effect<never, BidiError>
}

/**
 * Logs of sessions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Store {
  /**
   * Opens a session until the scope closes. Fails with `SessionBusy` if it is open elsewhere and not to be taken over, with
   * `SessionCorrupt` if its log cannot be read, and with `StoreFailed`.
   */
  readonly open: (
    sessionId: string,
    options: { readonly onBusy: OnBusy }
  ) => Effect.Effect<Session, BidiError, Scope.Scope>
  /** The records so far, for those who only look; empty for an unknown session. */
  readonly read: (sessionId: string) => Stream.Stream<SessionRecord.Record, BidiError>
}

/**
 * The store in use. By default there is none, and nothing is kept.
 *
 * @category references
 * @since 0.1.0
 */
export const SessionStore = Context.Reference<Store | undefined>("@effect-bidi/core/SessionStore", {
  defaultValue: () => undefined
})

// ---------------------------------------------------------------------------------------------------------------------
// backends
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A session that a backend has claimed.
 *
 * @category backends
 * @since 0.1.0
 */
export interface Claim {
  /** Higher than every epoch before. */
  readonly epoch: number
  /**
   * Adds lines to the log, all or none where that is possible. `first` is the number in this epoch of the first of them. Fails
   * with `SessionTaken` if there is a higher epoch, and never succeeds where that began before the lines were written.
   */
  readonly append: (lines: NonEmptyReadonlyArray<string>, first: number) => Effect.Effect<void, BidiError>
  /** Fails when it becomes known that there is a higher epoch; by default only `append` notices. */
  readonly lost?: Effect.Effect<never, BidiError>
}

/**
 * What it takes to keep logs: lines of text, and one owner at a time.
 *
 * @category backends
 * @since 0.1.0
 */
export interface Backend {
  /** Who opens sessions here, for people: a host and a process. */
  readonly by: string
  /** Becomes the owner of a session until the scope closes. */
  readonly claim: (sessionId: string, onBusy: OnBusy) => Effect.Effect<Claim, BidiError, Scope.Scope>
  /** The lines of a log in the order they were written. */
  readonly lines: (sessionId: string) => Effect.Effect<Iterable<string>, BidiError>
}

/**
 * A store on a backend.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (backend: Backend): Store => {
  const read = Effect.fnUntraced(function* (sessionId: string) {
    const records = SessionLog.parse(yield* backend.lines(sessionId))
    if (Result.isSuccess(records)) return records.success
    const { line, problem } = records.failure
    const message = `the log of the session "${sessionId}" cannot be read at line ${line}: ${problem}`
    return yield* new BidiError({ reason: new SessionCorrupt({ message, line }) })
  })

  const open = Effect.fnUntraced(function* (sessionId: string, { onBusy }: { readonly onBusy: OnBusy }) {
    const clock = yield* Clock.Clock
    const { append, epoch, lost = Effect.never } = yield* backend.claim(sessionId, onBusy)
    const lineOf = (body: SessionRecord.Body, n: number) =>
      SessionRecord.encode({ v: SessionRecord.FORMAT, epoch, n, at: Math.trunc(clock.currentTimeMillisUnsafe()), body })
    // what was written before this line counts, what others write behind it does not
    yield* append([lineOf({ _tag: "Opened", by: backend.by }, 0)], 0)
    const restored = SessionLog.fold(yield* read(sessionId))
    if (restored.epoch > epoch) return yield* taken(sessionId)
    const one = yield* Semaphore.make(1)
    let next = restored.count
    return {
      epoch,
      restored,
      append: (bodies) =>
        Effect.suspend(() => {
          const first = next
          const lines = bodies.map((body, i) => lineOf(body, first + i))
          const written = () => void (next = first + bodies.length)
          return Effect.tap(append(lines as unknown as NonEmptyReadonlyArray<string>, first), () =>
            Effect.sync(written)
          )
        }).pipe(one.withPermit),
      lost
    } satisfies Session
  })

  return { open, read: (sessionId) => Stream.unwrap(Effect.map(read(sessionId), Stream.fromIterable)) }
}

/**
 * The error of an owner that has been superseded.
 *
 * @category backends
 * @since 0.1.0
 */
export const taken = (sessionId: string, by?: string): BidiError =>
  new BidiError({
    reason: new SessionTaken({
      message: `the session "${sessionId}" was opened ${by === undefined ? "elsewhere" : `by ${by}`}`,
      ...(by === undefined ? {} : { by })
    })
  })

/**
 * The error of whoever does not take over a session.
 *
 * @category backends
 * @since 0.1.0
 */
export const busy = (sessionId: string, owner: string): BidiError =>
  new BidiError({
    reason: new SessionBusy({ message: `the session "${sessionId}" is open at ${owner}`, owner })
  })

// ---------------------------------------------------------------------------------------------------------------------
// memory
// ---------------------------------------------------------------------------------------------------------------------

interface Kept {
  readonly lines: Array<string>
  epoch: number
  open: boolean
}

/**
 * A store that keeps logs in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeMemory: Effect.Effect<Store> = Effect.sync(() => {
  const logs = new Map<string, Kept>()
  const by = "this process"

  const claim = (sessionId: string, onBusy: OnBusy) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const kept = logs.get(sessionId) ?? { lines: [], epoch: 0, open: false }
        if (kept.open && onBusy === "fail") return Effect.fail(busy(sessionId, by))
        logs.set(sessionId, kept)
        kept.open = true
        return Effect.succeed([kept, ++kept.epoch] as const)
      }),
      ([kept, epoch]) =>
        Effect.sync(() => {
          if (kept.epoch === epoch) kept.open = false
        })
    ).pipe(
      Effect.map(([kept, epoch]): Claim => ({
        epoch,
        append: (lines) =>
          Effect.suspend(() => {
            if (kept.epoch !== epoch) return Effect.fail(taken(sessionId, by))
            kept.lines.push(...lines)
            return Effect.void
          })
      }))
    )

  return make({ by, claim, lines: (sessionId) => Effect.sync(() => logs.get(sessionId)?.lines.slice() ?? []) })
})

/**
 * Keeps logs in memory, as long as the layer lives.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<never> = Layer.effect(SessionStore, makeMemory)
