/**
 * Speech of a caller: frames of a loud tone, in the time of the clock and in the format that the model takes.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"
import type { AudioInput } from "../../BidiEvent.ts"

const FRAME = "20 millis"

export const speech = (format: Audio.AudioFormat, duration: Duration.Input): Stream.Stream<AudioInput> => {
  const size = Audio.bytes(format, FRAME)
  const frames = Math.ceil(Audio.bytes(format, duration) / size)
  return Stream.range(1, frames).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((n) => Effect.as(Effect.sleep(FRAME), frame(format, size, n)))
  )
}

const frame = (format: Audio.AudioFormat, size: number, n: number): AudioInput => {
  const audio = new Uint8Array(size)
  for (let i = 0; i < size; i++) audio[i] = (n * size + i) % 2 === 0 ? 0 : (n * 7 + i) % 64
  return { _tag: "AudioInput", audio, ...format }
}
