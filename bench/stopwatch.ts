/**
 * Nanoseconds per frame: the median of several rounds, after some that do not count.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { median } from "./median.ts"

const WARM_UP = 3
const ROUNDS = 9

/** What is measured: `offer` puts frames in, every one that comes out is told to `arrived`. */
export type Path<E = never> = (
  arrived: () => void
) => Effect.Effect<{ readonly offer: (count: number) => void }, E, Scope.Scope>

/** All frames of a round are offered at once. */
export const hotLoop = <E>(frames: number, path: Path<E>): Effect.Effect<number, E> =>
  measure(frames, path, (offer) => offer(frames))

/** Frames are offered one by one, each in its own turn of the event loop. The turns themselves are not counted. */
export const oneByOne = <E>(frames: number, path: Path<E>): Effect.Effect<number, E> =>
  Effect.gen(function* () {
    const turns = yield* measure(frames, (arrived) => Effect.succeed({ offer: arrived }), eachAlone)
    return (yield* measure(frames, path, eachAlone)) - turns
  })

const eachAlone = (offer: (count: number) => void, frames: number) => {
  let left = frames
  const next = () => {
    offer(1)
    if (--left > 0) setImmediate(next)
  }
  setImmediate(next)
}

const measure = <E>(
  frames: number,
  path: Path<E>,
  feed: (offer: (count: number) => void, frames: number) => void
): Effect.Effect<number, E> =>
  Effect.gen(function* () {
    let left = 0
    let done = () => {}
    const { offer } = yield* path(() => {
      if (--left === 0) done()
    })
    const round = Effect.callback<number>((resume) => {
      const started = performance.now()
      left = frames
      done = () => resume(Effect.succeed(((performance.now() - started) * 1e6) / frames))
      feed(offer, frames)
    })
    const rounds = yield* Effect.replicateEffect(round, WARM_UP + ROUNDS)
    return median(rounds.slice(WARM_UP))
  }).pipe(Effect.scoped)
