/**
 * A store in memory whose writes can be held up, and what it took.
 */
import { type BidiError, SessionLog, SessionRecord, SessionStore, type Transcript } from "@effect-bidi/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

type Write = (n: number, records: ReadonlyArray<SessionRecord.Body>) => Effect.Effect<void, BidiError.BidiError>

/** `write` runs before the `n`-th write of a session that is open. `earlier` is in the log of every session. */
export const storeOf = (write?: Write, earlier: Transcript.Transcript = []) =>
  storeAfter(
    earlier.map((entry) => ({ _tag: "Entry", entry })),
    write
  )

/** A store whose sessions have these records already: what a process that was killed has left. */
export const storeAfter = (earlier: ReadonlyArray<SessionRecord.Body>, write: Write = () => Effect.void) => {
  const memory = Effect.runSync(SessionStore.makeMemory)
  const records = Array.from(earlier)
  const begun = new Set<string>()
  let writes = 0

  const begin = (sessionId: string) =>
    Effect.gen(function* () {
      if (begun.has(sessionId) || earlier.length === 0) return
      begun.add(sessionId)
      const [first, ...rest] = records
      const session = yield* memory.open(sessionId, { onBusy: "fail" })
      yield* session.append([first!, ...rest])
    }).pipe(Effect.scoped)

  const store: SessionStore.Store = {
    read: memory.read,
    open: (sessionId, options) =>
      Effect.andThen(
        begin(sessionId),
        Effect.map(memory.open(sessionId, options), (session) => ({
          ...session,
          append: (bodies: Parameters<SessionStore.Session["append"]>[0]) =>
            Effect.andThen(
              Effect.suspend(() => write(++writes, bodies)),
              Effect.tap(session.append(bodies), () => Effect.sync(() => void records.push(...bodies)))
            )
        }))
      )
  }

  const entries = () => records.flatMap((body) => (body._tag === "Entry" ? [body.entry] : []))
  return {
    store,
    layer: Layer.succeed(SessionStore.SessionStore, store),
    records: () => records,
    /** The writes of the transcript, in their order. */
    entries,
    transcript: () =>
      SessionLog.fold(records.map((body, n) => ({ v: SessionRecord.FORMAT, epoch: 1, n, at: 0, body }))).transcript,
    writes: () => writes
  }
}
