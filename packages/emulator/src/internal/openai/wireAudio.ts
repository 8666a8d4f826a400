/**
 * Sound as it comes over the wire.
 */
import { concat, durationMs, fromBytes, toBytes } from "../../Pcm.ts"
import type { Pcm } from "../../Pcm.ts"
import * as Base64 from "../audio/base64.ts"
import { aLaw, muLaw } from "../audio/g711.ts"
import { Refused } from "./check.ts"
import type { AudioFormat } from "./protocol.ts"
import { rateOf } from "./settings.ts"

export interface Sound {
  readonly bytes: Uint8Array
  readonly pcm: Pcm
  readonly ms: number
}

const names = {
  "audio/pcm": "mono PCM16 at 24kHz",
  "audio/pcmu": "mono G.711 mu-law at 8kHz",
  "audio/pcma": "mono G.711 A-law at 8kHz"
}

/** The bytes as samples. */
export const samplesOf = (bytes: Uint8Array, format: AudioFormat): Pcm =>
  format.type === "audio/pcm"
    ? fromBytes(bytes, rateOf(format))
    : { samples: (format.type === "audio/pcmu" ? muLaw : aLaw).decode(bytes), sampleRate: rateOf(format) }

/** Samples as bytes again. */
export const bytesOf = (samples: Int16Array, format: AudioFormat): Uint8Array =>
  format.type === "audio/pcm" ? toBytes(samples) : (format.type === "audio/pcmu" ? muLaw : aLaw).encode(samples)

/** One sound after another; `undefined` of none. */
export const joinSounds = (sounds: ReadonlyArray<Sound>): Sound | undefined =>
  sounds.length === 0
    ? undefined
    : {
        bytes: Buffer.concat(sounds.map(({ bytes }) => bytes)),
        pcm: concat(sounds.map(({ pcm }) => pcm)),
        ms: sounds.reduce((sum, { ms }) => sum + ms, 0)
      }

/** The sound in a message, or why it is none. */
export const decodeSound = (text: string, format: AudioFormat, param: string): Sound | Refused => {
  const bytes = Base64.decode(text)
  if (bytes === undefined || bytes.length === 0 || (format.type === "audio/pcm" && bytes.length % 2 === 1)) {
    const message = `Invalid 'audio'. Expected base64-encoded audio bytes (${names[format.type]}) but got an invalid value.`
    return new Refused("invalid_value", message, param)
  }
  const pcm = samplesOf(bytes, format)
  return { bytes, pcm, ms: durationMs(pcm) }
}
