/**
 * A `SqlClient` on `node:sqlite`, which Node has without a flag from 22.13 on. Nothing has to be built or installed.
 *
 * SQLite works in the thread of the caller: a statement blocks the event loop, and with it the audio of every conversation in
 * the process. With the default `synchronous: "NORMAL"` an append takes some 0.15 ms; `"FULL"` waits for the disk.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { DatabaseSync, type StatementSync } from "node:sqlite"

/**
 * Options of {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The path of the database, or `":memory:"`. */
  readonly filename: string
  /**
   * `"NORMAL"`: a killed process loses nothing, a power failure may lose the last records. `"FULL"`: neither loses anything,
   * and every append waits for the disk. Default: `"NORMAL"`.
   */
  readonly synchronous?: "NORMAL" | "FULL"
}

// node:sqlite names the result code `errcode`, where the classification expects `errno`.
const failure = (cause: unknown, operation: string): SqlError => {
  const errno = (cause as { readonly errcode?: number }).errcode
  const message = cause instanceof Error ? cause.message : String(cause)
  return new SqlError({ reason: classifySqliteError({ errno, message, cause }, { message, operation }) })
}

/**
 * Opens a database in WAL mode for the lifetime of the scope. Fails with `SqlError` if it cannot be opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* ({ filename, synchronous = "NORMAL" }: Options) {
  const attempt = <A>(operation: string, run: () => A) =>
    Effect.try({ try: run, catch: (cause) => failure(cause, operation) })

  const db = yield* Effect.acquireRelease(
    attempt("open", () => new DatabaseSync(filename, { timeout: 5000 })),
    (db) => Effect.sync(() => db.close())
  )
  // two processes that open a new file at once lock each other out, in spite of the timeout
  yield* Effect.retry(
    attempt("open", () => db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`)),
    Schedule.spaced("20 millis").pipe(Schedule.upTo({ times: 100 }))
  )

  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql)
    if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)))
    return statement
  }
  type Values = Array<string | number | bigint | null | Uint8Array>

  const execute = (sql: string, params: ReadonlyArray<unknown>) =>
    attempt("execute", () => prepare(sql).all(...(params as Values)) as ReadonlyArray<any>)
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.map(execute(sql, params), (rows) => rows.map((row) => Object.values(row)))

  const connection: Connection = {
    execute: (sql, params, transform) =>
      transform === undefined ? execute(sql, params) : Effect.map(execute(sql, params), transform),
    executeRaw: execute,
    executeStream: (sql, params, transform) =>
      Stream.unwrap(Effect.map(connection.execute(sql, params, transform), (rows) => Stream.fromIterable(rows))),
    executeValues: values,
    executeValuesUnprepared: values,
    executeUnprepared: (sql, params, transform) =>
      Effect.map(
        attempt("execute", () => db.prepare(sql).all(...(params as Values)) as ReadonlyArray<any>),
        (rows) => (transform === undefined ? rows : transform(rows))
      )
  }

  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: () => db.isTransaction
    }),
    driver: "node-sqlite",
    compiler: Statement.makeCompilerSqlite(),
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/**
 * Provides a `SqlClient`. See {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
