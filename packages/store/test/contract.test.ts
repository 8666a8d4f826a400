/**
 * What every backend has to do, with each of them.
 */
import type { SessionStore } from "@effect-bidi/core"
import { type BidiError, type SessionRecord } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { names, storeOf } from "./support/backends.ts"
import { isMissing, places } from "./support/places.ts"
import * as S3 from "./support/s3.ts"

// a PostgreSQL server has to start first
const timeout = 60_000

const said = (text: string): SessionRecord.Body => ({
  _tag: "Entry",
  entry: { _tag: "User", id: text, parts: [text] }
})

const texts = (records: ReadonlyArray<SessionRecord.Record>) =>
  records.flatMap(({ body }) => (body._tag === "Entry" && body.entry._tag === "User" ? [body.entry.id] : []))

const readAll = (store: SessionStore.Store, id: string) => Effect.map(Stream.runCollect(store.read(id)), texts)

const reasonOf = <A>(effect: Effect.Effect<A, BidiError.BidiError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

for (const name of names) {
  describe.skipIf(isMissing(name))(`the store: ${name}`, () => {
    const withStore = <A, E>(
      use: (store: SessionStore.Store, another: Effect.Effect<SessionStore.Store, unknown>) => Effect.Effect<A, E>
    ) =>
      Effect.scoped(
        Effect.gen(function* () {
          const place = yield* places[name]
          const scope = yield* Effect.scope
          const another = Scope.provide(storeOf(name, place), scope)
          return yield* use(yield* another, another)
        })
      )

    it.live(
      "keeps what was appended, in order, for whoever opens the session next",
      () =>
        withStore((store, another) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* readAll(store, "ada"), [])
            const odd = ["two\nlines", "nul \u0000", "emoji 😀", "quotes \"'\\", "über", "x".repeat(100_000)]
            yield* Effect.scoped(
              Effect.gen(function* () {
                const session = yield* store.open("ada", { onBusy: "fail" })
                assert.strictEqual(session.epoch, 1)
                assert.deepStrictEqual(session.restored.transcript, [])
                yield* session.append([said("one"), said("two")])
                for (const text of odd) yield* session.append([said(text)])
              })
            )
            const later = yield* another
            assert.deepStrictEqual(yield* readAll(later, "ada"), ["one", "two", ...odd])
            const session = yield* Effect.scoped(later.open("ada", { onBusy: "fail" }))
            assert.isAbove(session.epoch, 1)
            assert.deepStrictEqual(
              session.restored.transcript.map(({ id }) => id),
              ["one", "two", ...odd]
            )
          })
        ),
      { timeout }
    )

    it.live(
      "keeps sessions apart, whatever their ids",
      () =>
        withStore((store) =>
          Effect.gen(function* () {
            const ids = ["a", "A", "../a", "a/b", "a%2fb", "ä", "a b", ".", "head", "owner", "0"]
            for (const id of ids) {
              const session = store.open(id, { onBusy: "fail" })
              yield* Effect.scoped(Effect.flatMap(session, ({ append }) => append([said(`of ${id}`)])))
            }
            for (const id of ids) assert.deepStrictEqual(yield* readAll(store, id), [`of ${id}`])
          })
        ),
      { timeout }
    )

    it.live(
      "has one owner: a second one is refused, or takes over and is obeyed",
      () =>
        withStore((store) =>
          Effect.gen(function* () {
            const first = yield* store.open("ada", { onBusy: "fail" })
            yield* first.append([said("first")])
            assert.strictEqual(yield* reasonOf(Effect.scoped(store.open("ada", { onBusy: "fail" }))), "SessionBusy")
            yield* first.append([said("still first")])
            const second = yield* store.open("ada", { onBusy: "takeOver" })
            assert.isAbove(second.epoch, first.epoch)
            assert.deepStrictEqual(
              second.restored.transcript.map(({ id }) => id),
              ["first", "still first"]
            )
            assert.strictEqual(yield* reasonOf(first.append([said("too late")])), "SessionTaken")
            yield* second.append([said("second")])
            assert.strictEqual(yield* reasonOf(first.append([said("too late again")])), "SessionTaken")
            assert.deepStrictEqual(yield* readAll(store, "ada"), ["first", "still first", "second"])
          }).pipe(Effect.scoped)
        ),
      { timeout }
    )

    it.live(
      "is free again when its owner has closed it",
      () =>
        withStore((store, another) =>
          Effect.gen(function* () {
            for (const text of ["one", "two", "three"]) {
              const session = (yield* another).open("ada", { onBusy: "fail" })
              yield* Effect.scoped(Effect.flatMap(session, ({ append }) => append([said(text)])))
            }
            assert.deepStrictEqual(yield* readAll(store, "ada"), ["one", "two", "three"])
          })
        ),
      { timeout }
    )

    it.live(
      "lets one of eight win that open a session at once",
      () =>
        withStore((store) =>
          Effect.gen(function* () {
            const opened = yield* Effect.forEach(
              Array.from({ length: 8 }, (_, i) => i),
              () => Effect.exit(store.open("ada", { onBusy: "fail" })),
              { concurrency: "unbounded" }
            )
            const won = opened.flatMap((exit) => (exit._tag === "Success" ? [exit.value] : []))
            assert.lengthOf(won, 1)
            yield* won[0]!.append([said("mine")])
            assert.deepStrictEqual(yield* readAll(store, "ada"), ["mine"])
          }).pipe(Effect.scoped)
        ),
      { timeout }
    )

    it.live(
      "obeys the last of eight that take over at once, and nobody else",
      () =>
        withStore((store) =>
          Effect.gen(function* () {
            const sessions = yield* Effect.forEach(
              Array.from({ length: 8 }, (_, i) => i),
              () => Effect.exit(store.open("ada", { onBusy: "takeOver" })),
              { concurrency: "unbounded" }
            )
            const open = sessions.flatMap((exit) => (exit._tag === "Success" ? [exit.value] : []))
            const fibers = yield* Effect.forEach(open, (session) =>
              Effect.forkChild(Effect.exit(session.append([said(`by ${session.epoch}`)])))
            )
            const exits = yield* Effect.forEach(fibers, Fiber.join)
            const last = Math.max(...open.map(({ epoch }) => epoch))
            assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 1)
            assert.deepStrictEqual(yield* readAll(store, "ada"), [`by ${last}`])
          }).pipe(Effect.scoped)
        ),
      { timeout }
    )
  })
}

describe("S3 without conditional writes", () => {
  it.live("is refused when a session is opened", () =>
    Effect.gen(function* () {
      const store = yield* storeOf("s3", yield* S3.server({ conditions: false }))
      const error = yield* Effect.flip(store.open("ada", { onBusy: "fail" }))
      assert.strictEqual(error.reason._tag, "StoreFailed")
      assert.include(error.message, "does not honour If-None-Match")
    }).pipe(Effect.scoped)
  )
})
