import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"

/** Runs an effect and answers how many fibers it started that are still alive after it. */
export const countFibers = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.suspend(() => {
    let alive = 0
    return effect.pipe(
      Effect.forkChild({ startImmediately: true }),
      Effect.flatMap((fiber) => Effect.map(Fiber.join(fiber), (a) => [a, alive] as const)),
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void alive++,
        recordFiberEnd: () => void alive--
      })
    )
  })
