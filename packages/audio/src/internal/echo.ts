/**
 * Takes out of the microphone what the speaker plays: WebRTC's AEC3, as WebAssembly. It learns the way from one to the
 * other by itself, a delay of up to some hundred milliseconds included.
 */
import * as Effect from "effect/Effect"
import { invalidOption } from "../AudioError.ts"
import { withoutHandlers } from "./foreign.ts"
import { fromFloat, toFloat } from "./samples.ts"

export interface Canceller {
  /** One channel of the microphone, and what the speaker played in that time. */
  readonly process: (microphone: Uint8Array, played: Uint8Array) => Uint8Array
}

/** The only rate at which it works well; both signals are brought to it. */
export const RATE = 48_000

const missing = invalidOption(
  "echoCancellation",
  "the package @ennuicastr/webrtcaec3.js is not installed; install it, use headphones, or set halfDuplex"
)

/** A canceller, for as long as the scope lives. All sound is signed 16-bit PCM of one channel at {@link RATE}. */
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
        // WebAssembly that has aborted does not come back; a talk with an echo is better than none
        broken = true
        Effect.runForkWith(context)(Effect.logError("echo cancellation has failed and is off", error))
        return microphone
      }
    }
  } satisfies Canceller
})
