/**
 * Sound of any format as samples of one rate and one channel.
 */
import type { AudioFormat } from "../../Audio.ts"

/** Decodes frames of one signal, and brings them to `rate` by linear interpolation, across the borders of frames. */
export const converter = ({ channels, encoding, sampleRate }: AudioFormat, rate: number) => {
  const step = sampleRate / rate
  let last = 0
  let position = 0 // of the next sample, counted from the last one of the frame before
  return (audio: Uint8Array): Int16Array => {
    const samples = mono(audio, encoding, channels)
    if (step === 1 || samples.length === 0) return samples
    const out: Array<number> = []
    // index 0 is the last sample of the frame before
    while (position < samples.length) {
      const index = Math.floor(position)
      const from = index === 0 ? last : samples[index - 1]!
      out.push(Math.round(from + (samples[index]! - from) * (position - index)))
      position += step
    }
    position -= samples.length
    last = samples.at(-1)!
    return Int16Array.from(out)
  }
}

const mono = (audio: Uint8Array, encoding: AudioFormat["encoding"], channels: number): Int16Array => {
  const view = new DataView(audio.buffer, audio.byteOffset, audio.byteLength)
  const size = (encoding === "pcm" ? 2 : 1) * channels
  const read =
    encoding === "pcm"
      ? (at: number) => view.getInt16(at, true)
      : encoding === "pcmu"
        ? (at: number) => ofMuLaw(audio[at]!)
        : (at: number) => ofALaw(audio[at]!)
  return Int16Array.from({ length: Math.floor(audio.length / size) }, (_, i) => read(i * size))
}

const ofMuLaw = (byte: number): number => {
  const bits = ~byte & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84
  return (bits & 0x80) !== 0 ? -magnitude : magnitude
}

const ofALaw = (byte: number): number => {
  const bits = byte ^ 0x55
  const exponent = (bits & 0x70) >> 4
  const mantissa = ((bits & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return (bits & 0x80) !== 0 ? magnitude : -magnitude
}
