/**
 * Starts the process that holds PortAudio, and reads what it says.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fileURLToPath } from "node:url"
import { type AudioError, backendMissing } from "../../../AudioError.ts"
import { environment, type ChildEnd, scoped } from "../../process/child.ts"
import { Decoder, encode, encodeJson, type Command, SOUND, type Task, type Report } from "./protocol.ts"

export const BACKEND = "portaudio"

// as a source file or compiled, whichever this is
const program = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url))

export interface Process {
  readonly write: (pcm: Uint8Array) => void
  readonly send: (order: Command) => void
  /** Fails with what it said last, or with why it ended. */
  readonly ended: Effect.Effect<never, AudioError>
}

export interface Listeners {
  readonly onSound?: (pcm: Uint8Array) => void
  readonly onWord: (word: Report) => void
  /** An error with these words, of the device. */
  readonly failed: (words: string) => AudioError
}

/** Why PortAudio cannot be loaded, and what to do about it. */
export const unloadable = (module: string, message: string): AudioError => {
  if (/libasound/.test(message)) {
    return backendMissing(BACKEND, "libasound.so.2 is missing (Debian, Ubuntu: apt-get install libasound2)")
  }
  if (/Cannot find (module|package)|bindings file/.test(message)) {
    const build = `it is built when it is installed, which needs g++, make and python3 (and, in pnpm, allowBuilds: { ${module}: true })`
    return backendMissing(BACKEND, `the package ${module} is not there or was not built; ${build}`)
  }
  return backendMissing(BACKEND, `the package ${module} does not load: ${message.split("\n")[0]}`)
}

export const start = Effect.fnUntraced(function* (task: Task, { failed, onSound, onWord }: Listeners) {
  const gone = yield* Deferred.make<never, AudioError>()
  // no flags of ours (loaders, inspectors) are handed down
  const { process: child, ended } = yield* scoped(process.execPath, [program, JSON.stringify(task)], {
    stdio: ["pipe", "ignore", "pipe", "pipe"],
    env: environment({ NODE_OPTIONS: "" })
  })
  const decoder = new Decoder()
  child.stdio[3]!.on("data", (bytes: Uint8Array) =>
    decoder.push(bytes, (type, payload) => {
      if (type === SOUND) return onSound?.(payload)
      const word = JSON.parse(Buffer.from(payload).toString()) as Report
      if (word.is !== "failed") return onWord(word)
      const error = word.missing ? unloadable(task.module, word.message) : failed(word.message)
      Deferred.doneUnsafe(gone, Exit.fail(error))
    })
  )
  const exit = Effect.flatMap(Deferred.await(ended), (end: ChildEnd) => Effect.fail(failed(end.words)))
  return {
    write: (pcm) => void child.stdin!.write(encode(SOUND, pcm)),
    send: (order) => void child.stdin!.write(encodeJson(order)),
    // what it said comes before the news that it is gone
    ended: Effect.raceFirst(Deferred.await(gone), exit)
  } satisfies Process
})
