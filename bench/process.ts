/**
 * The parent's end of a child process that answers questions (`child.ts`).
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type ChildProcess, fork } from "node:child_process"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"

export class ProcessError extends Data.TaggedError("ProcessError")<{ readonly message: string }> {}

export interface Process {
  readonly pid: number
  readonly ask: <A>(question: string) => Effect.Effect<A, ProcessError>
  /** Asks it to end, and waits until it has. Fails when something in it keeps it alive. */
  readonly stop: Effect.Effect<void, ProcessError>
}

const PATIENCE = "120 seconds"
const GOODBYE = "10 seconds"

/** Starts `file` on plain Node. It is gone when the scope is. */
export const start = Effect.fnUntraced(function* (file: string, args: ReadonlyArray<string> = []) {
  const answers = yield* Queue.unbounded<unknown, ProcessError>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], { execArgv: ["--expose-gc"] })
      child.on("message", (answer) => Queue.offerUnsafe(answers, answer))
      child.on("error", (error) => fail(error.message))
      child.on("exit", (code, signal) => fail(`ended with ${signal ?? code}`))
      return child
    }),
    kill
  )
  const fail = (message: string) =>
    Queue.failCauseUnsafe(answers, Cause.fail(new ProcessError({ message: `${basename(file)}: ${message}` })))

  const answer = Queue.take(answers).pipe(
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => new ProcessError({ message: `${basename(file)}: no answer within ${PATIENCE}` })
    })
  )
  yield* answer // ready
  const ask = <A>(question: string) =>
    Effect.andThen(
      Effect.sync(() => child.send(question)),
      answer as Effect.Effect<A, ProcessError>
    )
  const stop = Effect.andThen(
    ask("stop"),
    Effect.timeoutOrElse(exited(child), {
      duration: GOODBYE,
      orElse: () => new ProcessError({ message: `${basename(file)}: something keeps it alive` })
    })
  )
  return { pid: child.pid!, ask, stop } satisfies Process
})

const isGone = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const exited = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (isGone(child)) return resume(Effect.void)
    const listener = () => resume(Effect.void)
    child.once("exit", listener)
    return Effect.sync(() => child.off("exit", listener))
  })

const kill = (child: ChildProcess) =>
  Effect.suspend(() => {
    child.kill("SIGKILL")
    return exited(child)
  })
