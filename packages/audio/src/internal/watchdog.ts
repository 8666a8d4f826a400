/**
 * Notices a device that has gone silent without saying so: a sound server that hangs, a driver that lost its hardware.
 */
import * as Effect from "effect/Effect"
import type { AudioError } from "../AudioError.ts"

const TICK = "500 millis"
const TICKS = 4

/**
 * Fails with `error` when `count` has not changed over four looks in a row, half a second apart. A process that was held up
 * itself for seconds looks once, and is not misled.
 */
export const watch = Effect.fnUntraced(function* (count: () => number, error: () => AudioError) {
  let last = count()
  let still = 0
  while (still < TICKS) {
    yield* Effect.sleep(TICK)
    const now = count()
    still = now === last ? still + 1 : 0
    last = now
  }
  return yield* error()
})
