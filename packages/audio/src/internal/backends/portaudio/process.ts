/**
 * Starts the child that holds PortAudio, and reads its messages.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fileURLToPath } from "node:url"
import type { AudioError } from "../../../AudioError.ts"
import { backendMissing } from "../../errors.ts"
import { environment, type ChildEnd, scoped } from "../child.ts"
import { Decoder, encode, encodeJson, type Command, AUDIO, type Task, type Report } from "./protocol.ts"

export const BACKEND = "portaudio"

// a source file, or compiled, as this file is
const program = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url))

export interface Process {
  readonly write: (pcm: Uint8Array) => void
  readonly send: (command: Command) => void
  /** Fails with the error that it reported, or with the reason why it ended. */
  readonly ended: Effect.Effect<never, AudioError>
}

export interface Listeners {
  readonly onAudio?: (pcm: Uint8Array) => void
  readonly onReport: (report: Report) => void
  /** Makes an error of the device. */
  readonly failed: (message: string) => AudioError
}

/** Explains why PortAudio cannot be loaded, and what to do. */
const unloadable = (module: string, message: string): AudioError => {
  if (/libasound/.test(message)) {
    return backendMissing(BACKEND, "libasound.so.2 is missing (Debian, Ubuntu: apt-get install libasound2)")
  }
  if (/Cannot find (module|package)|bindings file/.test(message)) {
    const build = `install it with g++, make and python3 present, which build it (pnpm also needs allowBuilds: { ${module}: true })`
    return backendMissing(BACKEND, `the package ${module} is not installed or was not built; ${build}`)
  }
  return backendMissing(BACKEND, `the package ${module} cannot be loaded: ${message.split("\n")[0]}`)
}

export const start = Effect.fnUntraced(function* (task: Task, { failed, onAudio, onReport }: Listeners) {
  const reported = yield* Deferred.make<never, AudioError>()
  // without the flags of this process, such as loaders and inspectors
  const { process: child, ended } = yield* scoped(process.execPath, [program, JSON.stringify(task)], {
    stdio: ["pipe", "ignore", "pipe", "pipe"],
    env: environment({ NODE_OPTIONS: "" })
  })
  const decoder = new Decoder()
  child.stdio[3]!.on("data", (bytes: Uint8Array) =>
    decoder.push(bytes, (type, payload) => {
      if (type === AUDIO) return onAudio?.(payload)
      const report = JSON.parse(Buffer.from(payload).toString()) as Report
      if (report.is !== "failed") return onReport(report)
      const error = report.missing ? unloadable(task.module, report.message) : failed(report.message)
      Deferred.doneUnsafe(reported, Exit.fail(error))
    })
  )
  const exit = Effect.flatMap(Deferred.await(ended), (end: ChildEnd) => Effect.fail(failed(end.message)))
  return {
    write: (pcm) => void child.stdin!.write(encode(AUDIO, pcm)),
    send: (command) => void child.stdin!.write(encodeJson(command)),
    // its own report comes before the end of the process
    ended: Effect.raceFirst(Deferred.await(reported), exit)
  } satisfies Process
})
