/**
 * Where a device is in what it was given, between two of its reports: it plays in real time. Pure; `now` is in
 * milliseconds of any clock, positions are in moments (samples of all channels).
 */

// Reports come every 50 ms. A device that has not reported for longer is not believed to go on.
const TRUST = 150

export class DeviceClock {
  private readonly perMillis: number
  private position = 0
  private reported: number | undefined
  private latest = 0

  constructor(sampleRate: number) {
    this.perMillis = sampleRate / 1000
  }

  report(position: number, now: number): void {
    this.position = position
    this.reported = now
  }

  /** Never goes back, and never beyond `given`. Before the first report nothing was heard. */
  at(now: number, given: number): number {
    if (this.reported !== undefined) {
      const since = Math.min(TRUST, Math.max(0, now - this.reported))
      this.latest = Math.max(this.latest, Math.min(given, Math.floor(this.position + since * this.perMillis)))
    }
    return this.latest
  }
}
