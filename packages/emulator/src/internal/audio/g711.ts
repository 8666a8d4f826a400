/**
 * G.711: telephone audio, eight bits a sample at 8 kHz, in its two companding laws.
 */

const muBias = 0x84
const muClip = 32_635

const encodeMu = (sample: number): number => {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), muClip) + muBias
  const exponent = Math.max(0, 24 - Math.clz32(magnitude))
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

const decodeMu = (byte: number): number => {
  const bits = ~byte & 0xff
  const exponent = (bits >> 4) & 0x07
  const magnitude = ((((bits & 0x0f) << 3) + muBias) << exponent) - muBias
  return (bits & 0x80) === 0 ? magnitude : -magnitude
}

const encodeA = (sample: number): number => {
  // the law works on 13 bits; -1 keeps negative values inside their half
  const positive = sample >= 0
  const magnitude = Math.min(positive ? sample : -sample - 1, 32_767) >> 3
  const exponent = magnitude < 32 ? 0 : 27 - Math.clz32(magnitude)
  const mantissa = exponent === 0 ? (magnitude >> 1) & 0x0f : (magnitude >> exponent) & 0x0f
  const byte = (exponent << 4) | mantissa
  return (positive ? byte | 0x80 : byte) ^ 0x55
}

const decodeA = (byte: number): number => {
  const bits = byte ^ 0x55
  const exponent = (bits >> 4) & 0x07
  const mantissa = bits & 0x0f
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1)
  return (bits & 0x80) === 0 ? -magnitude : magnitude
}

/** One law: bytes to 8 kHz samples and back. */
export interface Law {
  readonly decode: (bytes: Uint8Array) => Int16Array
  readonly encode: (samples: Int16Array) => Uint8Array
}

const law = (encodeOne: (sample: number) => number, decodeOne: (byte: number) => number): Law => {
  const table = Int16Array.from({ length: 256 }, (_, byte) => decodeOne(byte))
  return {
    decode: (bytes) => Int16Array.from(bytes, (byte) => table[byte]!),
    encode: (samples) => Uint8Array.from(samples, encodeOne)
  }
}

/** G.711 mu-law (`audio/pcmu`). */
export const muLaw: Law = law(encodeMu, decodeMu)

/** G.711 A-law (`audio/pcma`). */
export const aLaw: Law = law(encodeA, decodeA)
