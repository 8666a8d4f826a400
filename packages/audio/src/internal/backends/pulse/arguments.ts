/**
 * What `parec` and `pacat` are told about a stream.
 */
import type { AudioDevice } from "../../../AudioDevice.ts"
import type { Pcm } from "../../device/backend.ts"

/** `latency` in milliseconds: how much sound the server holds for this stream. */
export const stream = (device: AudioDevice, { channels, sampleRate }: Pcm, latency: number): ReadonlyArray<string> => [
  `--device=${device.name}`,
  "--client-name=effect-bidi",
  "--raw",
  "--format=s16le",
  `--rate=${sampleRate}`,
  `--channels=${channels}`,
  `--latency-msec=${Math.max(1, Math.round(latency))}`
]
