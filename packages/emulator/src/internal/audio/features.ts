/**
 * Features of speech that do not depend on loudness: mel cepstra, one vector for every 16 ms.
 */
import { resample } from "../../Pcm.ts"
import type { Pcm } from "../../Pcm.ts"

const sampleRate = 8000
const size = 256
const hop = 128
const filters = 20
const coefficients = 12
const lowestHz = 150
const highestHz = 3600

/** Frames further below the loudest one than this are not speech. */
const quietDb = 30

/** Bands further below the loudest frame than this are all the same. */
const floorDb = 35

const toMel = (hz: number): number => 2595 * Math.log10(1 + hz / 700)
const toHz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1)

const edges = Array.from(
  { length: filters + 2 },
  (_, i) => toHz(toMel(lowestHz) + (i * (toMel(highestHz) - toMel(lowestHz))) / (filters + 1)) / (sampleRate / size)
)
const hann = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size))
const bits = Math.log2(size)
const reversed = Uint16Array.from({ length: size }, (_, i) => {
  let out = 0
  for (let bit = 0; bit < bits; bit++) out |= ((i >> bit) & 1) << (bits - 1 - bit)
  return out
})
const twiddleCos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size))
const twiddleSin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size))
const cosines = Array.from({ length: coefficients }, (_, k) =>
  Float64Array.from({ length: filters }, (_, m) => Math.cos((Math.PI * (k + 1) * (m + 0.5)) / filters))
)

/** Power of every frequency bin, by a plain radix-2 transform. */
const spectrum = (frame: Float64Array): Float64Array => {
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  for (let i = 0; i < size; i++) re[reversed[i]!] = frame[i]!
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const cos = twiddleCos[(k * size) / (half * 2)]!
      const sin = twiddleSin[(k * size) / (half * 2)]!
      for (let i = k; i < size; i += half * 2) {
        const j = i + half
        const x = re[j]! * cos - im[j]! * sin
        const y = re[j]! * sin + im[j]! * cos
        re[j] = re[i]! - x
        im[j] = im[i]! - y
        re[i] = re[i]! + x
        im[i] = im[i]! + y
      }
    }
  }
  return re.subarray(0, size / 2).map((x, i) => x * x + im[i]! * im[i]!)
}

const bands = (power: Float64Array): Float64Array =>
  Float64Array.from({ length: filters }, (_, m) => {
    const [from, center, to] = [edges[m]!, edges[m + 1]!, edges[m + 2]!]
    let sum = 0
    for (let bin = Math.ceil(from); bin <= Math.min(Math.floor(to), power.length - 1); bin++) {
      sum += power[bin]! * (bin <= center ? (bin - from) / (center - from) : (to - bin) / (to - center))
    }
    return sum
  })

/** The vectors of the sound between its first and last loud frame. */
export const featuresOf = (pcm: Pcm): ReadonlyArray<Float64Array> => {
  const { samples } = resample(pcm, sampleRate)
  const all: Array<{ energy: number; bands: Float64Array }> = []
  for (let at = 0; at + size <= samples.length; at += hop) {
    const frame = Float64Array.from({ length: size }, (_, i) => {
      const sample = samples[at + i]! - 0.95 * (i === 0 ? 0 : samples[at + i - 1]!)
      return sample * hann[i]!
    })
    const values = bands(spectrum(frame))
    all.push({ energy: values.reduce((sum, value) => sum + value, 0), bands: values })
  }
  const energies = all.map(({ energy }) => energy).sort((a, b) => a - b)
  const loudest = Math.max(1, energies.at(-1) ?? 0)
  const room = energies[Math.floor(energies.length / 10)] ?? 0
  const limit = Math.max(loudest * 10 ** (-quietDb / 10), Math.min(room * 4, loudest / 10))
  const isLoud = ({ energy }: { energy: number }) => energy > limit
  const spoken = all.slice(Math.max(0, all.findIndex(isLoud)), all.findLastIndex(isLoud) + 1)
  // a floor under every band: what lies far below the voice is the room, not the word
  const floor = loudest * 10 ** (-floorDb / 10)
  return spoken.map((frame) => {
    const logs = frame.bands.map((value) => Math.log(value + floor))
    return Float64Array.from(cosines, (row) => row.reduce((sum, cosine, m) => sum + cosine * logs[m]!, 0) / filters)
  })
}

const distance = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let k = 0; k < coefficients; k++) sum += (a[k]! - b[k]!) ** 2
  return Math.sqrt(sum)
}

/**
 * How unlike two utterances are, time stretched so that they fit as well as they can (dynamic time warping), for each
 * frame of the path. Infinite when one is more than 1.8 times as long as the other.
 */
export const unlikeness = (a: ReadonlyArray<Float64Array>, b: ReadonlyArray<Float64Array>): number => {
  if (a.length === 0 || b.length === 0 || Math.max(a.length, b.length) > 1.8 * Math.min(a.length, b.length)) {
    return Number.POSITIVE_INFINITY
  }
  let row = new Float64Array(b.length + 1).fill(Number.POSITIVE_INFINITY)
  row[0] = 0
  for (const vector of a) {
    const next = new Float64Array(b.length + 1).fill(Number.POSITIVE_INFINITY)
    for (let j = 1; j <= b.length; j++) {
      const cost = distance(vector, b[j - 1]!)
      next[j] = Math.min(row[j - 1]! + 2 * cost, row[j]! + cost, next[j - 1]! + cost)
    }
    row = next
  }
  return row[b.length]! / (a.length + b.length)
}
