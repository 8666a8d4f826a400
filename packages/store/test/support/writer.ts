/**
 * A process that opens a session and appends numbered texts until it is killed. Writes a line for each when it is durable, and
 * `taken` when the session was taken over. With `stop` it stops itself after the first: a process that is stopped while it has
 * a transaction open holds up SQLite for everybody.
 */
import type { BidiError } from "@effect-bidi/core"
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import { type Name, storeOf } from "./backends.ts"

const [name, place, from, stop] = process.argv.slice(2) as [Name, string, string, string | undefined]
const say = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

const write = Effect.gen(function* () {
  const store = yield* storeOf(name, place)
  const session = yield* store.open("ada", { onBusy: "takeOver" })
  for (let n = Number(from); ; n++) {
    const id = `${n}`
    // long enough to be torn
    const text = id.padEnd(2000, ".")
    yield* session.append([{ _tag: "Entry", entry: { _tag: "User", id, parts: [text] } }])
    yield* say(id)
    if (stop !== undefined && n === Number(from)) process.kill(process.pid, "SIGSTOP")
  }
}).pipe(Effect.scoped)

await Effect.runPromise(
  Effect.catch(write, (error) =>
    say((error as BidiError.BidiError).reason?._tag === "SessionTaken" ? "taken" : `${error}`)
  )
)
