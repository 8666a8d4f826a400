/**
 * How much of the audio that it was given a device has played, without asking it: it plays in real time as soon as it has
 * something to play. `now` is in milliseconds of any clock.
 */
export class DeviceClock {
  private total = 0
  private base = 0
  private since = 0
  private paused = false

  append(millis: number, now: number): void {
    if (this.played(now) >= this.total) {
      this.base = this.total
      this.since = now
    }
    this.total += millis
  }

  played(now: number): number {
    return this.paused ? this.base : Math.min(this.total, this.base + (now - this.since))
  }

  /** How much it was given. */
  get given(): number {
    return this.total
  }

  /** The device has played this much, and plays on from there. */
  correct(played: number, now: number): void {
    this.base = Math.min(this.total, played)
    this.since = now
  }

  pause(now: number): void {
    this.base = this.played(now)
    this.paused = true
  }

  resume(now: number): void {
    if (!this.paused) return
    this.paused = false
    this.since = now
  }

  /** What was not played will not be. Returns how much was. */
  flush(now: number): number {
    this.total = this.played(now)
    return this.total
  }
}
