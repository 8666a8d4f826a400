/**
 * Mono 16-bit PCM, the audio format inside the emulator.
 *
 * @since 0.1.0
 */
import { resampleSamples } from "./internal/audio/resample.ts"

/**
 * Mono signed 16-bit samples and their sample rate in Hz.
 *
 * @since 0.1.0
 */
export interface Pcm {
  readonly samples: Int16Array
  readonly sampleRate: number
}

/**
 * The duration in milliseconds, fractions included.
 *
 * @since 0.1.0
 */
export const durationMs = (pcm: Pcm): number => (pcm.samples.length * 1000) / pcm.sampleRate

/**
 * Silence of `ms` milliseconds.
 *
 * @since 0.1.0
 */
export const silence = (ms: number, sampleRate: number): Pcm => ({
  samples: new Int16Array(Math.round((ms * sampleRate) / 1000)),
  sampleRate
})

/**
 * Joins audio. All parts must have the sample rate of the first; an empty list is 24 kHz audio of no length.
 *
 * @since 0.1.0
 */
export const concat = (parts: ReadonlyArray<Pcm>): Pcm => {
  const samples = concatSamples(parts.map((part) => part.samples))
  return { samples, sampleRate: parts[0]?.sampleRate ?? 24_000 }
}

/**
 * Joins the samples of all chunks.
 *
 * @since 0.1.0
 */
export const concatSamples = (chunks: ReadonlyArray<Int16Array>): Int16Array => {
  const joined = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}

/**
 * Samples from little-endian bytes. A trailing odd byte is dropped, and the input is copied.
 *
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array, sampleRate: number): Pcm => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const samples = new Int16Array(bytes.byteLength >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true)
  return { samples, sampleRate }
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/**
 * Little-endian bytes of the samples.
 *
 * @since 0.1.0
 */
export const toBytes = (samples: Int16Array): Uint8Array => {
  if (isLittleEndian) return new Uint8Array(samples.slice().buffer)
  const bytes = new Uint8Array(samples.length * 2)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i]!, true)
  return bytes
}

/**
 * The same audio at another sample rate, through a windowed-sinc low-pass. The duration is kept to the nearest sample.
 *
 * @since 0.1.0
 */
export const resample = (pcm: Pcm, sampleRate: number): Pcm =>
  pcm.sampleRate === sampleRate
    ? pcm
    : { samples: resampleSamples(pcm.samples, pcm.sampleRate, sampleRate), sampleRate }
