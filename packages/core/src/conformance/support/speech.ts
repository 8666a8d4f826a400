/**
 * Speech of the user.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"

const FRAME = "20 millis"
/** From one frame to the next. Providers count the audio that they get, not the time. */
const FRAME_INTERVAL = "5 millis"
const LOUD_FRAMES = 50
const SILENT_FRAMES = 120

/** A tone as loud as a voice. */
export const tone = (format: Audio.AudioFormat, frames: number): Uint8Array => {
  const sound = new Uint8Array(Audio.bytes(format, FRAME) * frames)
  for (let i = 0; i + 1 < sound.length; i += 2) sound[i + 1] = i % 24 < 12 ? 0x30 : 0xd0
  return sound
}

/** A second of tone, and then silence until a turn has certainly ended, four times as fast as in reality. */
export const speech = (format: Audio.AudioFormat): Stream.Stream<Uint8Array> => {
  const loud = tone(format, 1)
  const silent = Audio.silence(format, FRAME)
  return Stream.range(1, LOUD_FRAMES + SILENT_FRAMES).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((n) => Effect.as(Effect.sleep(FRAME_INTERVAL), n <= LOUD_FRAMES ? loud : silent))
  )
}
