/**
 * Mono 16-bit sound: the one shape of audio that moves inside the emulator.
 */
import { resampleSamples } from "./internal/audio/resample.ts"

/** Mono signed 16-bit samples and the rate, in samples a second, at which they were taken. */
export interface Pcm {
  readonly samples: Int16Array
  readonly sampleRate: number
}

/** How long the sound lasts, in milliseconds (fractions included). */
export const durationMs = (pcm: Pcm): number => (pcm.samples.length * 1000) / pcm.sampleRate

/** Silence of `ms` milliseconds at `sampleRate` samples a second. */
export const silence = (ms: number, sampleRate: number): Pcm => ({
  samples: new Int16Array(Math.round((ms * sampleRate) / 1000)),
  sampleRate
})

/** One sound after another. All parts must share the sample rate of the first; an empty list is 24 kHz of nothing. */
export const concat = (parts: ReadonlyArray<Pcm>): Pcm => {
  const samples = concatSamples(parts.map((part) => part.samples))
  return { samples, sampleRate: parts[0]?.sampleRate ?? 24_000 }
}

/** The samples of all chunks in one array. */
export const concatSamples = (chunks: ReadonlyArray<Int16Array>): Int16Array => {
  const joined = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}

/** Little-endian bytes to samples; a trailing odd byte is dropped. Never aliases the input. */
export const fromBytes = (bytes: Uint8Array, sampleRate: number): Pcm => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const samples = new Int16Array(bytes.byteLength >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true)
  return { samples, sampleRate }
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Samples to little-endian bytes. */
export const toBytes = (samples: Int16Array): Uint8Array => {
  if (isLittleEndian) return new Uint8Array(samples.slice().buffer)
  const bytes = new Uint8Array(samples.length * 2)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i]!, true)
  return bytes
}

/** The same sound at another rate, through a windowed-sinc low-pass. The duration is kept to the nearest sample. */
export const resample = (pcm: Pcm, sampleRate: number): Pcm =>
  pcm.sampleRate === sampleRate
    ? pcm
    : { samples: resampleSamples(pcm.samples, pcm.sampleRate, sampleRate), sampleRate }
