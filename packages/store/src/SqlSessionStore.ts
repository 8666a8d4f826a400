/**
 * Session logs in SQLite or PostgreSQL, through `effect/sql`: with `SqliteClient` of this package, or with `@effect/sql-pg`.
 *
 * An owner holds a lease that every append renews, by the clock of the database. When it has expired, because a process was
 * killed or is cut off, another may open the session without taking it over.
 *
 * @since 0.1.0
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { storeFailed } from "./internal/errors.ts"
import * as Owner from "./internal/owner.ts"

/**
 * Options of {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How long a session stays busy after its owner has gone without closing it. Default: 30 seconds. */
  readonly lease?: Duration.Input
}

const migrations = {
  "0001_sessions": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE bidi_sessions (
      session_id TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL,
      owner TEXT NOT NULL,
      expires_at BIGINT NOT NULL
    )`
    // in the order in which they count: an epoch is superseded before the next one begins
    yield* sql`CREATE TABLE bidi_records (
      session_id TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      n INTEGER NOT NULL,
      line TEXT NOT NULL,
      PRIMARY KEY (session_id, epoch, n)
    )`
  })
}

// Several processes may start at once: one of them creates the tables.
const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "bidi_migrations" }).pipe(
  Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: 60 })))
)

/**
 * Makes a store, and creates its tables if they do not exist. Fails with `StoreFailed` if the database cannot be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<SessionStore.Store, BidiError, SqlClient.SqlClient> {
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const lease = Duration.toMillis(Duration.fromInputUnsafe(options.lease ?? "30 seconds"))
  const by = Owner.describe(Owner.self())
  const failed = <A, R>(what: string, effect: Effect.Effect<A, unknown, R>) =>
    Effect.mapError(effect, (error) => storeFailed(what, error))

  yield* failed("creating the tables of the sessions", migrate)

  // milliseconds, by the clock of the database
  const now = sql.onDialectOrElse({
    pg: () => sql.literal("(extract(epoch from clock_timestamp()) * 1000)::bigint"),
    orElse: () => sql.literal("cast(unixepoch('subsec') * 1000 as integer)")
  })

  const claimRow = (sessionId: string, takeOver: boolean) => sql<{ readonly epoch: number }>`
    INSERT INTO bidi_sessions (session_id, epoch, owner, expires_at) VALUES (${sessionId}, 1, ${by}, ${now} + ${lease})
    ON CONFLICT (session_id) DO UPDATE
      SET epoch = bidi_sessions.epoch + 1, owner = excluded.owner, expires_at = excluded.expires_at
      WHERE bidi_sessions.expires_at <= ${now} OR ${takeOver ? 1 : 0} = 1
    RETURNING epoch`

  const ownerOf = (sessionId: string) =>
    Effect.map(
      sql<{ readonly owner: string }>`SELECT owner FROM bidi_sessions WHERE session_id = ${sessionId}`,
      (rows) => rows[0]?.owner ?? "an unknown process"
    )

  const renew = (sessionId: string, epoch: number, millis: number) => sql`
    UPDATE bidi_sessions SET expires_at = ${now} + ${millis} WHERE session_id = ${sessionId} AND epoch = ${epoch}
    RETURNING epoch`

  // Writes all lines and renews the lease, or does nothing. Returns whether the epoch was still the highest.
  const write = sql.onDialectOrElse({
    // one round trip
    pg: () => (sessionId: string, epoch: number, lines: ReadonlyArray<string>, first: number) =>
      Effect.map(
        sql<{ readonly owned: number | string }>`
          WITH mine AS (
            UPDATE bidi_sessions SET expires_at = ${now} + ${lease}
            WHERE session_id = ${sessionId} AND epoch = ${epoch} RETURNING epoch
          ), wrote AS (
            INSERT INTO bidi_records (session_id, epoch, n, line)
            SELECT ${sessionId}, mine.epoch, ${first} + record.i - 1, record.line
            FROM mine, jsonb_array_elements_text(${JSON.stringify(lines)}::jsonb) WITH ORDINALITY AS record(line, i)
            ON CONFLICT DO NOTHING
          )
          SELECT count(*) AS owned FROM mine`,
        (rows) => Number(rows[0]?.owned) > 0
      ),
    orElse: () => (sessionId: string, epoch: number, lines: ReadonlyArray<string>, first: number) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const owned = (yield* renew(sessionId, epoch, lease)).length > 0
          if (!owned) return false
          const rows = lines.map((line, i) => ({ session_id: sessionId, epoch, n: first + i, line }))
          // a statement takes a limited number of parameters
          for (const part of Array.chunksOf(rows, 100)) {
            yield* sql`INSERT INTO bidi_records ${sql.insert(part)} ON CONFLICT DO NOTHING`
          }
          return true
        })
      )
  })

  const claim = Effect.fnUntraced(function* (sessionId: string, onBusy: SessionStore.OnBusy) {
    const epoch = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const [row] = yield* failed("claiming the session", claimRow(sessionId, onBusy === "takeOver"))
        if (row !== undefined) return Number(row.epoch)
        return yield* SessionStore.busy(sessionId, yield* failed("reading the owner", ownerOf(sessionId)))
      }),
      (epoch) => Effect.ignore(renew(sessionId, epoch, 0))
    )
    const takenBy = Effect.flatMap(
      Effect.orElseSucceed(ownerOf(sessionId), () => undefined),
      (owner) => SessionStore.taken(sessionId, owner)
    )

    // A database that is away is no reason to give up: only a higher epoch is.
    const lost = Effect.sleep(lease / 3).pipe(
      Effect.andThen(
        Effect.orElseSucceed(
          Effect.map(renew(sessionId, epoch, lease), (rows) => rows.length > 0),
          () => true
        )
      ),
      Effect.flatMap((owned) => (owned ? Effect.void : takenBy)),
      Effect.forever
    )

    return {
      epoch,
      append: (lines, first) =>
        Effect.flatMap(failed("writing to the log", write(sessionId, epoch, lines, first)), (owned) =>
          owned ? Effect.void : takenBy
        ),
      lost
    } satisfies SessionStore.Claim
  })

  const lines = (sessionId: string) =>
    failed(
      "reading the log",
      Effect.map(
        sql<{
          readonly line: string
        }>`SELECT line FROM bidi_records WHERE session_id = ${sessionId} ORDER BY epoch, n`,
        (rows) => rows.map(({ line }) => line)
      )
    )

  return SessionStore.make({ by, claim, lines })
})

/**
 * Keeps sessions in a database. See {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<never, BidiError, SqlClient.SqlClient> =>
  Layer.effect(SessionStore.SessionStore, make(options))
