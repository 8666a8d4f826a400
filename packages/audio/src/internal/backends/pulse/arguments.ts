/**
 * The arguments of `parec` and `pacat` for a stream.
 */
import type { AudioDevice } from "../../../AudioDevice.ts"
import type { Pcm } from "../backend.ts"

/** `latency`: how much audio the server buffers for this stream, in milliseconds. */
export const stream = (device: AudioDevice, { channels, sampleRate }: Pcm, latency: number): ReadonlyArray<string> => [
  `--device=${device.name}`,
  "--client-name=effect-bidi",
  "--raw",
  "--format=s16le",
  `--rate=${sampleRate}`,
  `--channels=${channels}`,
  `--latency-msec=${Math.max(1, Math.round(latency))}`
]
