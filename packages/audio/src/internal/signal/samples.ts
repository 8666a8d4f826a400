/**
 * Converts between bytes and samples. The format is little-endian, as are all machines this runs on.
 */

/** Samples of signed 16-bit PCM; a view of the same memory where its address allows that. */
export const samplesOf = (pcm: Uint8Array): Int16Array => {
  const count = pcm.length >> 1
  return pcm.byteOffset % 2 === 0
    ? new Int16Array(pcm.buffer, pcm.byteOffset, count)
    : new Int16Array(Uint8Array.from(pcm.subarray(0, count * 2)).buffer)
}

/** The bytes of samples; a view of the same memory. */
export const bytesOf = (samples: Int16Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)

/** Converts from `from` to `to` channels: several are averaged, one is duplicated. */
export const mix = (pcm: Uint8Array, from: number, to: number): Uint8Array => {
  if (from === to) return pcm
  const samples = samplesOf(pcm)
  const length = Math.floor(samples.length / from)
  const mixed = new Int16Array(length * to)
  for (let i = 0; i < length; i++) {
    let sum = 0
    for (let channel = 0; channel < from; channel++) sum += samples[i * from + channel]!
    mixed.fill(Math.round(sum / from), i * to, (i + 1) * to)
  }
  return bytesOf(mixed)
}

/** Signed 16-bit samples as numbers from -1 to 1. */
export const toFloat = (pcm: Uint8Array): Float32Array => {
  const samples = samplesOf(pcm)
  const floats = new Float32Array(samples.length)
  for (let i = 0; i < samples.length; i++) floats[i] = samples[i]! / 32_768
  return floats
}

/** Numbers from -1 to 1 as signed 16-bit samples; what is outside is clipped. */
export const fromFloat = (floats: Float32Array): Uint8Array => {
  const samples = new Int16Array(floats.length)
  for (let i = 0; i < floats.length; i++) {
    samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(floats[i]! * 32_768)))
  }
  return bytesOf(samples)
}
