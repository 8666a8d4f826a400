/**
 * Time that passes faster: what takes a minute is over in seconds, on real sockets.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export const faster = (factor: number): Clock.Clock => {
  const start = Date.now()
  const startNanos = process.hrtime.bigint()
  const millis = () => start + (Date.now() - start) * factor
  const nanos = () => startNanos + (process.hrtime.bigint() - startNanos) * BigInt(factor)
  const wallNanos = () => BigInt(Math.round(millis())) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const handle = setTimeout(() => resume(Effect.void), Duration.toMillis(duration) / factor)
        return Effect.sync(() => clearTimeout(handle))
      })
  }
}
