/**
 * The parent's end of a child process that plays the conversations of one provider (`child.ts`).
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Report, Wish } from "./child.ts"

export class ChildError extends Data.TaggedError("ChildError")<{ readonly message: string }> {}

/** Plays them in a process of their own, which is gone afterwards, whatever happens. */
export const play = (wish: Wish): Effect.Effect<Report, ChildError> =>
  Effect.callback<Report, ChildError>((resume) => {
    const child = fork(fileURLToPath(new URL("child.ts", import.meta.url)), [], { execArgv: [] })
    const fail = (message: string) => resume(new ChildError({ message: `${wish.provider}: ${message}` }))
    child.on("message", (report) => resume(Effect.succeed(report as Report)))
    child.on("error", (error) => fail(error.message))
    child.on("exit", (code, signal) => fail(`the process ended with ${signal ?? code}`))
    child.send(wish)
    return Effect.sync(() => child.kill("SIGKILL"))
  })
