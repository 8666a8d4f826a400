/**
 * Which part of what is played goes with a piece of the microphone. Pure.
 *
 * Both run at the same pace, so the distance between them is nearly constant; but pieces arrive late and in bursts, and the
 * position of a device is told now and then. The distance is the one in the middle of the last few, and what is read runs on
 * without a seam until it is wrong by more than a little: every seam costs the canceller a moment.
 */

// An echo comes after its sound, never before: the reference is somewhat ahead.
const LEAD_MILLIS = 30
const SLACK_MILLIS = 15
const REMEMBERED = 60

export class Reference {
  private readonly perMillis: number
  private passed = 0 // moments of the microphone since something is audible
  private cursor: number | undefined
  private distances: Array<number> = []

  constructor(sampleRate: number) {
    this.perMillis = sampleRate / 1000
  }

  /** Where the next `moments` begin, when the device is said to be at `position`. */
  next(position: number, moments: number): number {
    // at 0 it is not known yet whether it has begun
    if (position > 0) {
      this.distances.push(position - this.passed)
      if (this.distances.length > REMEMBERED) this.distances.shift()
    }
    const middle = this.distances.toSorted((a, b) => a - b)[this.distances.length >> 1] ?? -this.passed
    const target = this.passed + middle + LEAD_MILLIS * this.perMillis
    if (this.cursor === undefined || Math.abs(this.cursor - target) > SLACK_MILLIS * this.perMillis) {
      this.cursor = Math.max(0, Math.round(target))
    }
    const from = this.cursor
    this.cursor += moments
    this.passed += moments
    return from
  }

  /** Nothing is audible: the next sound begins anew. */
  clear(): void {
    this.passed = 0
    this.cursor = undefined
    this.distances = []
  }
}
