/**
 * Ids from Effect's `Random`, so that a seed replays them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const hex = (bits: number) =>
  Effect.map(Random.nextIntBetween(0, 2 ** bits, { halfOpen: true }), (value) =>
    value.toString(16).padStart(bits / 4, "0")
  )

/**
 * A random UUID (version 4), such as `0b7c5d8e-5a40-4f0b-9c9e-2f1d6f0a7c31`. Not for secrets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uuid: Effect.Effect<string> = Effect.map(
  Effect.all([hex(32), hex(16), hex(12), Random.nextIntBetween(0, 4, { halfOpen: true }), hex(12), hex(48)]),
  ([a, b, c, variant, d, e]) => `${a}-${b}-4${c}-${"89ab"[variant]}${d}-${e}`
)
