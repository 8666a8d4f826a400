// A conversation that outlives its process. The program starts itself three times: the first process is killed in the middle
// of a story, the second goes on where the story stopped being heard, and the third interrupts it.
import { BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { FileSessionStore } from "@effect-bidi/store"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { emulated, Logging } from "./environment.ts"

const [directory, part] = process.argv.slice(2)

/** One process of the conversation. */
const talk = Effect.fn(function* (part: string) {
  const agent = yield* BidiAgent.make({ instructions: "You are a storyteller." })
  const speaker = yield* BidiTest.speaker() // plays in real time, without a sound card
  const call = yield* agent.start({ sessionId: "ada", outputs: [speaker.output, BidiConsole.output()] })
  if (part === "begin") {
    yield* call.send("My name is Ada.")
    yield* call.awaitIdle
    yield* call.send("Tell me a story.") // which nobody lets it finish
    return yield* Effect.never
  }
  if (part === "go on") return yield* Effect.sleep("8 seconds") // it tells the story by itself
  yield* call.send("What is my name?")
  yield* call.awaitIdle
})

const run = (args: ReadonlyArray<string>) =>
  spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })

/** Starts the processes, one after the other. */
const Main = Effect.promise(async () => {
  const directory = mkdtempSync(join(tmpdir(), "sessions-"))
  for (const part of ["begin", "go on", "name"]) {
    console.log(`--- a process: ${part}`)
    const child = run([directory, part])
    let shown = ""
    let doomed = part !== "begin"
    child.stdout.on("data", (text: Buffer) => {
      process.stdout.write(text)
      shown += text.toString()
      if (doomed || shown.split("agent:").length < 3) return
      doomed = true
      setTimeout(() => child.kill("SIGKILL"), 3000) // it tells the story since then
    })
    const [, signal] = await once(child, "exit")
    if (signal !== null) console.log(`\n--- killed by ${signal}`)
  }
  rmSync(directory, { recursive: true })
})

const Sessions = FileSessionStore.layer({ directory: directory ?? "" }).pipe(Layer.provide(NodeServices.layer))

if (part === undefined) Main.pipe(NodeRuntime.runMain)
else {
  talk(part).pipe(Effect.scoped, Effect.provide([emulated(), Sessions, Logging]), NodeRuntime.runMain)
}
