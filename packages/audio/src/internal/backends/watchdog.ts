/**
 * Detects a device that stopped without an error: a sound server that hangs, a driver that lost its hardware.
 */
import * as Effect from "effect/Effect"
import type { AudioError } from "../../AudioError.ts"

const CHECK_INTERVAL = "500 millis"
const CHECKS = 4

/**
 * Fails with `error` when `count` has not changed in four checks in a row, half a second apart. A process that was itself
 * suspended for seconds checks only once, and is not misled.
 */
export const watch = Effect.fnUntraced(function* (count: () => number, error: AudioError) {
  let last = count()
  let still = 0
  while (still < CHECKS) {
    yield* Effect.sleep(CHECK_INTERVAL)
    const now = count()
    still = now === last ? still + 1 : 0
    last = now
  }
  return yield* error
})
