/**
 * Child processes that sound passes through. They end with the scope, at once, and say why they ended by themselves.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ChildProcess, execFile, spawn, type StdioOptions } from "node:child_process"

/** Why a process is not there: it is not installed, or it ended. `words` is what it said last. */
export interface Ended {
  readonly missing: boolean
  readonly words: string
}

export interface Child {
  readonly process: ChildProcess
  /** Completes when it has ended, or could not be started. */
  readonly ended: Deferred.Deferred<Ended>
  readonly kill: () => void
}

// programs speak English and write 0.5, whatever the person at the machine does
export const environment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  LC_ALL: "C",
  ...extra
})

/** Starts a program. The third stream, standard error, is read: its last line is the explanation when it ends. */
export const start = (
  command: string,
  args: ReadonlyArray<string>,
  options: {
    readonly stdio: StdioOptions
    readonly env?: NodeJS.ProcessEnv
    readonly onError?: (text: string) => void
  }
): Child => {
  const ended = Deferred.makeUnsafe<Ended>()
  // in a group of its own: a signal to ours (Ctrl+C, a supervisor) ends this process, which ends its children; one that is
  // gone before would be opened again
  const child = spawn(command, args, {
    stdio: options.stdio,
    env: options.env ?? environment(),
    windowsHide: true,
    detached: process.platform !== "win32"
  })
  let words = ""
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-500)
    options.onError?.(text)
  })
  // the end of a process is told by its exit; a pipe into it that breaks has nothing to add
  for (const stream of child.stdio) stream?.on("error", () => {})
  child.on("error", (error: NodeJS.ErrnoException) => {
    Deferred.doneUnsafe(ended, Exit.succeed({ missing: error.code === "ENOENT", words: error.message }))
  })
  child.on("close", (code, signal) => {
    const last = words
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim()
    Deferred.doneUnsafe(
      ended,
      Exit.succeed({ missing: false, words: last || `${command} ended (${signal ?? `code ${code}`})` })
    )
  })
  return { process: child, ended, kill: () => void child.kill("SIGKILL") }
}

/** As {@link start}, for as long as the scope lives. */
export const scoped = (...args: Parameters<typeof start>) =>
  Effect.acquireRelease(
    Effect.sync(() => start(...args)),
    (child) => Effect.sync(child.kill)
  )

/** Runs a program to its end and answers what it printed. */
export const output = (command: string, args: ReadonlyArray<string>): Effect.Effect<string, Ended> =>
  Effect.callback<string, Ended>((resume) => {
    const child = execFile(
      command,
      args,
      { env: environment(), timeout: 5000, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) return resume(Effect.succeed(stdout))
        const missing = error.code === "ENOENT"
        const words = error.killed === true ? `${command} does not answer` : stderr.trim() || error.message
        resume(Effect.fail({ missing, words }))
      }
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
