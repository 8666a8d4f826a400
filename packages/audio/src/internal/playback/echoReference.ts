/**
 * Which part of the played audio belongs to a piece of captured audio. Pure.
 *
 * Both run at the same pace, so the offset between them is nearly constant. But pieces arrive late and in bursts, and the
 * position of the device is reported only now and then. The offset is therefore the median of the last ones, and reading
 * continues without a jump until it is off by more than a little, because a jump disturbs the canceller.
 */

// An echo follows its sound, never precedes it, so the reference is slightly ahead.
const LEAD_MILLIS = 30
const SLACK_MILLIS = 15
const DISTANCES_KEPT = 60

export class EchoReference {
  private readonly perMillis: number
  private passed = 0 // captured samples since something is audible
  private cursor: number | undefined
  private offsets: Array<number> = []

  constructor(sampleRate: number) {
    this.perMillis = sampleRate / 1000
  }

  /** Where the next `samples` begin, when the device reports `position`. */
  next(position: number, samples: number): number {
    // at 0 it may not have begun
    if (position > 0) {
      this.offsets.push(position - this.passed)
      if (this.offsets.length > DISTANCES_KEPT) this.offsets.shift()
    }
    const middle = this.offsets.toSorted((a, b) => a - b)[this.offsets.length >> 1] ?? -this.passed
    const target = this.passed + middle + LEAD_MILLIS * this.perMillis
    if (this.cursor === undefined || Math.abs(this.cursor - target) > SLACK_MILLIS * this.perMillis) {
      this.cursor = Math.max(0, Math.round(target))
    }
    const from = this.cursor
    this.cursor += samples
    this.passed += samples
    return from
  }

  /** Nothing is audible; the next sound starts anew. */
  clear(): void {
    this.passed = 0
    this.cursor = undefined
    this.offsets = []
  }
}
