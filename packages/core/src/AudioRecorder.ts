/**
 * Records a call as it was heard: a stereo WAV file with the user on the left and the agent on the right.
 *
 * The agent's voice stands where the device played it, with its pauses, and ends where it was cut off. The user is what the
 * model heard, muted or not. The file is written while the call goes on, once a second, with a header that is right each
 * time: a process that dies leaves a file that plays. 24 kHz take 5.8 MB a minute.
 *
 * @example
 * ```ts
 * agent.run({ inputs: [microphone], outputs: [speaker, AudioRecorder.output("call.wav")] })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import type { PlatformError } from "effect/PlatformError"
import type { OutputTag } from "./BidiEvent.ts"
import type { BidiOutput } from "./BidiOutput.ts"
import { CurrentConversation } from "./CurrentConversation.ts"
import { Timeline } from "./internal/recording/timeline.ts"

const events: ReadonlyArray<OutputTag> = ["UserAudio", "AudioStream", "Playback", "Interruption"]

const EVERY = "1 second"

// Until then it is known what was played: devices tell a little later where they were.
const LAG_MILLIS = 1000

/**
 * An output that records to a file, which it replaces. The first sample is of the moment in which the output opened, in
 * milliseconds since 1970: `onStart` hears it, for subtitles (`SessionExport.toWebVtt`) and traces.
 *
 * @category outputs
 * @since 0.1.0
 */
export const output = (
  path: string,
  options: { readonly onStart?: (startedAt: number) => Effect.Effect<void> } = {}
): BidiOutput<PlatformError, FileSystem.FileSystem | CurrentConversation> => ({
  name: "recorder",
  events,
  open: Effect.gen(function* () {
    const { model } = yield* CurrentConversation
    const fs = yield* FileSystem.FileSystem
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const file = yield* fs.open(path, { flag: "w" })
    const startedAt = now()
    const timeline = new Timeline(model.input, model.output, startedAt)
    const over = Latch.makeUnsafe(false)
    let size = 0
    yield* file.writeAll(header(timeline.rate, size))
    yield* options.onStart?.(startedAt) ?? Effect.void

    const write = Effect.fnUntraced(function* (samples: Int16Array) {
      if (samples.length === 0) return
      const bytes = new Uint8Array(samples.length * 2)
      const view = new DataView(bytes.buffer)
      for (let i = 0; i < samples.length; i++) view.setInt16(2 * i, samples[i]!, true)
      yield* file.writeAll(bytes)
      size += bytes.length
      yield* file.seek(0n, "start")
      yield* file.writeAll(header(timeline.rate, size))
      yield* file.seek(BigInt(HEADER_SIZE + size), "start")
    })

    const meanwhile = Effect.sleep(EVERY).pipe(
      Effect.andThen(Effect.suspend(() => write(timeline.take(now() - LAG_MILLIS)))),
      Effect.forever
    )
    return {
      offer: (event) => timeline.add(event),
      flush: Effect.void,
      playback: "none",
      run: Effect.raceFirst(meanwhile, over.await).pipe(
        Effect.andThen(Effect.suspend(() => write(timeline.rest(now()))))
      ),
      end: over.open
    }
  })
})

const HEADER_SIZE = 44

/** Of a file of 16-bit stereo with `size` bytes of sound. */
const header = (rate: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  const text = (at: number, letters: string) => bytes.set(new TextEncoder().encode(letters), at)
  text(0, "RIFF")
  view.setUint32(4, Math.min(0xffff_ffff, 36 + size), true)
  text(8, "WAVEfmt ")
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true) // PCM
  view.setUint16(22, 2, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * 4, true)
  view.setUint16(32, 4, true)
  view.setUint16(34, 16, true)
  text(36, "data")
  view.setUint32(40, Math.min(0xffff_ffff, size), true)
  return bytes
}
