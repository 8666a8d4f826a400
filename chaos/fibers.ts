/**
 * Fibers that were started and are still alive.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

export interface Count {
  readonly alive: () => number
  readonly of: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Counts the fibers that an effect starts, not the one it runs in. */
export const count = (): Count => {
  let alive = 0
  return {
    alive: () => alive,
    of: (effect) =>
      Effect.provideService(effect, Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void alive++,
        recordFiberEnd: () => void alive--
      })
  }
}
