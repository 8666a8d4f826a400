/**
 * Converts a model's audio to signed 16-bit PCM of one channel, and back.
 */
import type { AudioFormat } from "@effect-bidi/core/Audio"
import type * as G711 from "alawmulaw"
import { createRequire } from "node:module"
import { bytesOf, mix, samplesOf } from "./samples.ts"

// CommonJS without named exports
const { alaw, mulaw } = createRequire(import.meta.url)("alawmulaw") as typeof G711

/** Returns a decoder from this format to PCM of one channel. */
export const decoder = ({ channels, encoding: format }: AudioFormat): ((audio: Uint8Array) => Uint8Array) => {
  if (format === "pcm") return channels === 1 ? (audio) => audio : (audio) => mix(audio, channels, 1)
  const law = format === "pcmu" ? mulaw : alaw
  return (audio) => mix(bytesOf(law.decode(audio)), channels, 1)
}

/** Returns an encoder from PCM of one channel to this format. */
export const encoder = ({ channels, encoding: format }: AudioFormat): ((pcm: Uint8Array) => Uint8Array) => {
  if (format === "pcm") return channels === 1 ? (pcm) => pcm : (pcm) => mix(pcm, 1, channels)
  const law = format === "pcmu" ? mulaw : alaw
  return (pcm) => law.encode(samplesOf(mix(pcm, 1, channels)))
}
