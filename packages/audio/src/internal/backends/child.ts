/**
 * Child processes that carry audio. They are killed with the scope; if they end earlier, the reason is reported.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ChildProcess, execFile, spawn, type StdioOptions } from "node:child_process"

/** Why a process has ended, or could not be started (`missing`). `message` is the last line of its standard error. */
export interface ChildEnd {
  readonly missing: boolean
  readonly message: string
}

export interface Child {
  readonly process: ChildProcess
  /** Completes when it has ended, or could not be started. */
  readonly ended: Deferred.Deferred<ChildEnd>
  readonly kill: () => void
}

// the output is parsed, so it must be in English and with decimal points
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
  const ended = Deferred.makeUnsafe<ChildEnd>()
  // In a process group of its own: a signal to our group (Ctrl+C, a supervisor) then ends this process, which ends the child.
  // If the child ended first, its device would be opened again.
  const child = spawn(command, args, {
    stdio: options.stdio,
    env: options.env ?? environment(),
    windowsHide: true,
    detached: process.platform !== "win32"
  })
  let stderr = ""
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-500)
    options.onError?.(text)
  })
  // the exit reports the end of a process; a broken pipe adds nothing
  for (const stream of child.stdio) stream?.on("error", () => {})
  child.on("error", (error: NodeJS.ErrnoException) => {
    Deferred.doneUnsafe(ended, Exit.succeed({ missing: error.code === "ENOENT", message: error.message }))
  })
  child.on("close", (code, signal) => {
    const last = stderr
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim()
    Deferred.doneUnsafe(
      ended,
      Exit.succeed({ missing: false, message: last || `${command} ended (${signal ?? `code ${code}`})` })
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

/** Runs a program and returns its output. */
export const output = (command: string, args: ReadonlyArray<string>): Effect.Effect<string, ChildEnd> =>
  Effect.callback<string, ChildEnd>((resume) => {
    const child = execFile(
      command,
      args,
      { env: environment(), timeout: 5000, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) return resume(Effect.succeed(stdout))
        const missing = error.code === "ENOENT"
        const message = error.killed === true ? `${command} did not respond within 5 s` : stderr.trim() || error.message
        resume(Effect.fail({ missing, message }))
      }
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
