/**
 * The position of a device between two of its reports, assuming that it plays in real time. Pure; `now` is in milliseconds of
 * any clock, positions are in samples per channel.
 */

// Reports come every 50 ms. A device that is silent for longer is not assumed to go on.
const MAX_EXTRAPOLATION_MILLIS = 150

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

  /** Never goes back, and never beyond `given`. 0 before the first report. */
  at(now: number, given: number): number {
    if (this.reported !== undefined) {
      const since = Math.min(MAX_EXTRAPOLATION_MILLIS, Math.max(0, now - this.reported))
      this.latest = Math.max(this.latest, Math.min(given, Math.floor(this.position + since * this.perMillis)))
    }
    return this.latest
  }
}
