/**
 * Comparing sounds.
 */

/**
 * The best normalised correlation of `part` with any place in `whole`, and where that is, in samples. Found in two steps:
 * over envelopes, then sample by sample around the best places.
 */
export const correlate = (
  whole: Int16Array,
  part: Int16Array
): { readonly correlation: number; readonly at: number } => {
  const STEP = 48
  const envelope = (samples: Int16Array) => {
    const sums = new Float64Array(Math.floor(samples.length / STEP))
    for (let i = 0; i < sums.length; i++) {
      for (let j = 0; j < STEP; j++) sums[i]! += Math.abs(samples[i * STEP + j]!)
    }
    return sums
  }
  const at = (a: ArrayLike<number>, b: ArrayLike<number>, offset: number) => {
    let ab = 0
    let aa = 0
    let bb = 0
    for (let i = 0; i < b.length; i++) {
      const x = a[i + offset] ?? 0
      const y = b[i]!
      ab += x * y
      aa += x * x
      bb += y * y
    }
    return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
  }
  const coarse = [envelope(whole), envelope(part)] as const
  const places: Array<{ readonly offset: number; readonly value: number }> = []
  for (let offset = -10; offset < coarse[0].length - coarse[1].length + 10; offset++) {
    places.push({ offset, value: at(coarse[0], coarse[1], offset) })
  }
  places.sort((a, b) => b.value - a.value)
  let best = { correlation: -1, at: 0 }
  const tried = new Set<number>()
  for (const { offset } of places.slice(0, 4)) {
    for (let fine = (offset - 1) * STEP; fine <= (offset + 1) * STEP; fine++) {
      if (tried.has(fine)) continue
      tried.add(fine)
      const correlation = at(whole, part, fine)
      if (correlation > best.correlation) best = { correlation, at: fine }
    }
  }
  return best
}

/**
 * How well `whole` contains `part`: the median correlation of its pieces of 0.2 s (at 24 kHz). A busy machine may make a gap
 * in one place; gaps are counted elsewhere.
 */
export const likeness = (whole: Int16Array, part: Int16Array): number => {
  const PIECE = 4800
  const { at } = correlate(whole, part)
  // after a gap, everything is a little later
  const near = whole.subarray(Math.max(0, at - PIECE), at + part.length + PIECE)
  const all: Array<number> = []
  for (let from = 0; from + PIECE <= part.length; from += PIECE) {
    const piece = part.subarray(from, from + PIECE)
    if (extent(piece) !== undefined) all.push(correlate(near, piece).correlation)
  }
  all.sort((a, b) => a - b)
  return all[Math.floor(all.length / 2)] ?? 0
}

/** The first and the last sample that are louder than `threshold`, or `undefined`. */
export const extent = (
  samples: Int16Array,
  threshold: number = 200
): { readonly first: number; readonly last: number } | undefined => {
  const first = samples.findIndex((sample) => Math.abs(sample) > threshold)
  return first < 0 ? undefined : { first, last: samples.findLastIndex((sample) => Math.abs(sample) > threshold) }
}

/** A tone of `hertz`, as 16-bit samples. */
export const tone = (hertz: number, seconds: number, sampleRate: number, amplitude: number = 0.4): Int16Array =>
  Int16Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) =>
    Math.round(amplitude * 32_767 * Math.sin((2 * Math.PI * hertz * i) / sampleRate))
  )

/**
 * Counts breaks in a tone: samples that do not follow from the two before them, at most one in 20 ms.
 */
export class Breaks {
  private readonly factor: number
  private readonly sampleRate: number
  private readonly tolerance: number
  private older = 0
  private old = 0
  private ignored = 2
  count = 0

  constructor(hertz: number, sampleRate: number, tolerance: number = 1500) {
    this.factor = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate)
    this.sampleRate = sampleRate
    this.tolerance = tolerance
  }

  push(samples: Int16Array): void {
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i]!
      if (this.ignored > 0) this.ignored--
      else if (Math.abs(sample - (this.factor * this.old - this.older)) > this.tolerance) {
        this.count++
        this.ignored = this.sampleRate / 50
      }
      this.older = this.old
      this.old = sample
    }
  }

  /** Counts from here on. */
  reset(): void {
    this.count = 0
    this.ignored = 2
  }
}

/** Breaks in a recorded tone. */
export const breaks = (samples: Int16Array, hertz: number, sampleRate: number): number => {
  const counter = new Breaks(hertz, sampleRate)
  counter.push(samples)
  return counter.count
}
