/**
 * The program itself, as a person starts it.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"
import { WebSocket } from "ws"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  /** Waits until the output matches. */
  readonly says: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  readonly ends: Effect.Effect<number | null>
}

const start = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] })
      let text = ""
      const listen = (chunk: Buffer) => (text += chunk.toString("utf8"))
      child.stdout.on("data", listen)
      child.stderr.on("data", listen)
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
      return {
        child,
        output: () => text,
        ends: Effect.promise(() => ended),
        says: (pattern) =>
          Effect.callback<RegExpExecArray>((resume) => {
            const look = () => {
              const match = pattern.exec(text)
              if (match === null) return
              child.stdout.off("data", look)
              resume(Effect.succeed(match))
            }
            child.stdout.on("data", look)
            look()
            return Effect.sync(() => child.stdout.off("data", look))
          })
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

it.live("prints where it is and what it receives, and ends at once at Ctrl+C", () =>
  Effect.gen(function* () {
    const program = yield* start("--port", "0", "--voice", "tones", "--speed", "1000")
    const [, port] = yield* program.says(/emulator at http:\/\/127\.0\.0\.1:(\d+)\/v1/)
    const socket = new WebSocket(`ws://127.0.0.1:${port!}/v1/realtime?model=any`, {
      headers: { authorization: "Bearer any" }
    })
    socket.on("open", () => socket.send('{"type":"response.create"}'))
    yield* program.says(/→ response\.create/)
    yield* program.says(/← response\.done completed/)
    assert.include(program.output(), "scripted emulator, not an AI")
    program.child.kill("SIGINT")
    assert.strictEqual(yield* program.ends, 130)
    socket.terminate()
  })
)

it.live("refuses, is quiet, and says what is wrong, as its flags want", () =>
  Effect.gen(function* () {
    const program = yield* start("--port", "0", "--quiet", "--refuse", "429")
    const [, port] = yield* program.says(/emulator at http:\/\/127\.0\.0\.1:(\d+)\/v1/)
    const status = yield* Effect.callback<number | undefined>((resume) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port!}/v1/realtime?model=any`, {
        headers: { authorization: "Bearer any" }
      })
      socket.on("error", () => {})
      socket.on("unexpected-response", (request, response) => {
        resume(Effect.succeed(response.statusCode))
        request.destroy()
      })
    })
    assert.strictEqual(status, 429)
    assert.notInclude(program.output(), "refused with")

    const taken = yield* start("--port", port!)
    assert.strictEqual(yield* taken.ends, 1)
    assert.include(taken.output(), "EADDRINUSE")

    const wrong = yield* start("--speed", "0")
    assert.strictEqual(yield* wrong.ends, 1)
    assert.include(wrong.output(), "above 0")
  })
)
