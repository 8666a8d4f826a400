/**
 * A program that holds a microphone and a speaker open, prints the ids of all its processes, and waits.
 */
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as AudioIO from "../../src/AudioIO.ts"
import type { BackendName } from "../../src/Options.ts"
import { conversation } from "./conversation.ts"

const children = (): ReadonlyArray<number> =>
  execFileSync("ps", ["-o", "pid=,args=", "--ppid", `${process.pid}`], { encoding: "utf8" })
    .split("\n")
    .filter((line) => /parec|pacat|child\.ts/.test(line))
    .map((line) => Number(line.trim().split(" ")[0]))

const main = Effect.gen(function* () {
  const audio = yield* AudioIO.AudioIO
  yield* audio.output.open
  let frames = 0
  yield* audio.input.run(() => (++frames === 6 ? Console.log(JSON.stringify([process.pid, ...children()])) : undefined))
}).pipe(
  Effect.scoped,
  Effect.provideService(CurrentConversation, conversation),
  Effect.provide(AudioIO.layer({ backend: process.argv[2] as BackendName }))
)

await Effect.runPromise(main)
