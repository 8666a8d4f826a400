/**
 * New ids: 32 hexadecimal characters, the longest that every provider takes. They come from the `Random` service, so that
 * a seed repeats them.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const WORDS = 4 // of 32 bits

const draw = (random: Random.Random): string =>
  Array.from({ length: WORDS }, () =>
    Math.floor(random.nextDoubleUnsafe() * 2 ** 32)
      .toString(16)
      .padStart(8, "0")
  ).join("")

/** A new id. */
export const newId: Effect.Effect<string> = Effect.map(Random.Random, draw)

/** New ids, for code that runs outside of effects. */
export const generator: Effect.Effect<() => string> = Effect.map(Random.Random, (random) => () => draw(random))
