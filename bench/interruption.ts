/**
 * From the provider's news that the user speaks, as the server sends it, to the call that silences the speaker, while all
 * sessions stream in both directions.
 */
import * as Effect from "effect/Effect"
import { type Distribution, Latency } from "./latency.ts"
import * as Process from "./process.ts"

export interface Interrupted {
  readonly sessions: number
  readonly count: number
  readonly latency: Distribution
}

export const measure = Effect.fnUntraced(function* (plan: {
  readonly sessions: ReadonlyArray<number>
  readonly warmUp: number
}) {
  const server = yield* Process.start("server.ts")
  const url = yield* server.ask<string>("url")
  const all: Array<Interrupted> = []
  for (const sessions of plan.sessions) {
    const driver = yield* Process.start("runtime.ts", [url, String(sessions)])
    yield* driver.ask("open")
    yield* Effect.sleep(plan.warmUp * 1000)
    const sent = yield* server.ask<ReadonlyArray<number>>("interrupt")
    yield* Effect.sleep("1 second")
    const flushed = yield* driver.ask<ReadonlyArray<number>>("flushes")
    yield* driver.stop
    if (flushed.length !== sent.length) {
      return yield* new Process.ProcessError({
        message: `${sent.length} interruptions silenced ${flushed.length} speakers`
      })
    }
    // one at a time, so the n-th silence answers the n-th interruption
    const latency = new Latency()
    for (const [n, at] of sent.entries()) latency.record(flushed[n]! - at)
    all.push({ sessions, count: sent.length, latency: latency.summary() })
  }
  yield* server.stop
  return all as ReadonlyArray<Interrupted>
}, Effect.scoped)
