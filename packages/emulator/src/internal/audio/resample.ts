/**
 * Rational resampling with a bank of windowed-sinc filters, one for each phase between two input samples.
 */

/** Input samples to each side of the output sample that take part in it. */
const halfWidth = 16

interface Bank {
  readonly up: number
  readonly down: number
  readonly phases: ReadonlyArray<Float64Array>
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

const makeBank = (from: number, to: number): Bank => {
  const divisor = gcd(from, to)
  const up = to / divisor
  const down = from / divisor
  // going down, everything over the new half rate has to go, or it comes back as noise
  const cutoff = Math.min(1, to / from) * 0.95
  const phases = Array.from({ length: up }, (_, phase) => {
    const taps = new Float64Array(halfWidth * 2)
    let sum = 0
    for (let tap = 0; tap < taps.length; tap++) {
      const distance = tap - halfWidth + 1 - phase / up
      const x = Math.PI * distance * cutoff
      const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / halfWidth)
      taps[tap] = (x === 0 ? 1 : Math.sin(x) / x) * Math.max(0, window)
      sum += taps[tap]!
    }
    // every phase passes a constant unchanged, so silence and levels survive
    return taps.map((tap) => tap / sum)
  })
  return { up, down, phases }
}

/** `samples` taken at `from` a second, as taken at `to` a second. */
export const resampleSamples = (samples: Int16Array, from: number, to: number): Int16Array => {
  const { up, down, phases } = makeBank(from, to)
  const out = new Int16Array(Math.round((samples.length * up) / down))
  for (let n = 0; n < out.length; n++) {
    const at = n * down
    const center = Math.floor(at / up)
    const taps = phases[at % up]!
    let sum = 0
    for (let tap = 0; tap < taps.length; tap++) {
      sum += (samples[center + tap - halfWidth + 1] ?? 0) * taps[tap]!
    }
    out[n] = Math.max(-32_768, Math.min(32_767, Math.round(sum)))
  }
  return out
}
