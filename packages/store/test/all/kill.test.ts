/**
 * Processes that are killed, or stopped, while they write.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { cases } from "../../../../scripts/cases.ts"
import { type Name, names, storeOf } from "../support/backends.ts"
import { isMissing, places } from "../support/places.ts"

const program = fileURLToPath(new URL("../support/writer.ts", import.meta.url))

/** Starts a writer. `line` returns what it says next, `undefined` when it has ended. */
const writer = (name: Name, place: string, from: number, ...stop: ReadonlyArray<"stop">) => {
  const child = spawn(process.execPath, [program, name, place, `${from}`, ...stop], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    line: Effect.promise(async () => (await lines.next()).value as string | undefined),
    signal: (signal: NodeJS.Signals) => void child.kill(signal)
  }
}

const idsIn = (name: Name, place: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* storeOf(name, place)
      const records = yield* Stream.runCollect(store.read("ada"))
      return records.flatMap(({ body }) => (body._tag === "Entry" ? [Number(body.entry.id)] : []))
    })
  )

const rounds = Math.min(100, cases(2).arbitrary.runs)

for (const name of names) {
  describe.skipIf(isMissing(name))(`the store: ${name}`, () => {
    it.live(
      `keeps all that was durable when its process is killed, ${rounds} times`,
      () =>
        Effect.gen(function* () {
          const place = yield* places[name]
          let next = 0
          for (let round = 0; round < rounds; round++) {
            const { line, signal } = writer(name, place, next)
            const acknowledged = yield* Random.nextIntBetween(1, 12)
            let last = -1
            for (let n = 0; n < acknowledged; n++) last = Number(yield* line)
            signal("SIGKILL")
            // what it said before it died
            for (let more = yield* line; more !== undefined; more = yield* line) last = Number(more)
            const ids = yield* idsIn(name, place)
            assert.deepStrictEqual(
              ids,
              ids.map((_, n) => n),
              "in order, none twice, none missing"
            )
            assert.isAtLeast(ids.length, last + 1)
            next = ids.length
          }
        }).pipe(Effect.scoped),
      { timeout: 20_000 + rounds * 10_000 }
    )

    // a key-value store has one process
    it.live.skipIf(name === "keyValue")(
      "takes nothing from an owner that was stopped, and wakes up superseded",
      () =>
        Effect.gen(function* () {
          const place = yield* places[name]
          const { line, signal } = writer(name, place, 0, "stop")
          yield* line
          const store = yield* storeOf(name, place)
          const session = yield* store.open("ada", { onBusy: "takeOver" })
          const before = session.restored.transcript.length
          yield* session.append([{ _tag: "Entry", entry: { _tag: "User", id: `${before}`, parts: ["mine"] } }])
          signal("SIGCONT")
          let last: string | undefined
          for (let more = yield* line; more !== undefined; more = yield* line) last = more
          assert.strictEqual(last, "taken")
          const ids = yield* idsIn(name, place)
          assert.deepStrictEqual(
            ids,
            Array.from({ length: before + 1 }, (_, n) => n)
          )
        }).pipe(Effect.scoped),
      { timeout: 30_000 }
    )
  })
}
