/**
 * Removes what the speaker plays from the microphone: WebRTC's AEC3, as WebAssembly. It learns the path between the two
 * itself, including a delay of up to some hundred milliseconds.
 */
import * as Effect from "effect/Effect"
import { invalidOption } from "../errors.ts"
import { withoutHandlers } from "../signal/emscripten.ts"
import { fromFloat, toFloat } from "../signal/samples.ts"

export interface Canceller {
  /** One channel of the microphone, and what the speaker played in that time. */
  readonly process: (microphone: Uint8Array, played: Uint8Array) => Uint8Array
}

/** The only rate at which it works well; both signals are resampled to it. */
export const RATE = 48_000

const missing = invalidOption(
  "echoCancellation",
  "the package @ennuicastr/webrtcaec3.js is not installed; install it, use headphones, or set halfDuplex"
)

/** Makes a canceller for the lifetime of the scope. All audio is signed 16-bit PCM, one channel at {@link RATE}. */
export const make = Effect.gen(function* () {
  const AEC3 = yield* withoutHandlers(async () => {
    const { default: module } = await import("@ennuicastr/webrtcaec3.js")
    return await module()
  }).pipe(Effect.mapError(() => missing))
  const canceller = yield* Effect.acquireRelease(
    Effect.sync(() => new AEC3.AEC3(RATE, 1, 1)),
    (canceller) => Effect.sync(() => canceller.free())
  )
  const context = yield* Effect.context<never>()
  let broken = false
  return {
    process: (microphone, played) => {
      if (broken) return microphone
      try {
        canceller.analyze([toFloat(played)])
        const heard = [toFloat(microphone)]
        const clean = [new Float32Array(canceller.processSize(heard))]
        canceller.process(clean, heard)
        return fromFloat(clean[0]!)
      } catch (error) {
        // an aborted WebAssembly module cannot recover; a conversation with an echo is better than none
        broken = true
        Effect.runForkWith(context)(Effect.logError("Echo cancellation failed and is now off", error))
        return microphone
      }
    }
  } satisfies Canceller
})
