/**
 * Chance that can be had again: the same seed gives the same numbers.
 */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** From 0 up to 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** Whether something happens that happens in so many percent of all cases. */
  happens(percent: number): boolean {
    return this.next() * 100 < percent
  }

  one<A>(of: ReadonlyArray<A>): A {
    return of[Math.floor(this.next() * of.length)]!
  }

  some<A>(low: number, high: number, make: (index: number) => A): Array<A> {
    return Array.from({ length: this.between(low, high) }, (_, index) => make(index))
  }
}
