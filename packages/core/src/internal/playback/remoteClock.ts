import { DeviceClock } from "./deviceClock.ts"

/** How far behind real time a remote device can be, in milliseconds, whatever it reports. */
export const MAX_LAG_MILLIS = 5000

/**
 * How much a remote device has played: it plays in real time from its last report on. Reports may stop, or be wrong: what
 * waits for the end of the audio does not depend on them.
 */
export class RemoteClock {
  private readonly clock = new DeviceClock()
  private due = 0 // when everything is played, in real time
  private reported = 0 // a device does not go back
  private pausedAt: number | undefined

  get given(): number {
    return this.clock.given
  }

  append(millis: number, now: number): void {
    const latest = this.latest(now)
    if (latest > this.clock.played(now)) this.report(latest, now)
    this.clock.append(millis, now)
    this.due = Math.max(this.due, this.pausedAt ?? now) + millis
  }

  played(now: number): number {
    return Math.max(this.clock.played(now), this.latest(now))
  }

  /** The device reports that it has played this much. */
  report(played: number, now: number): void {
    this.reported = Math.min(this.given, Math.max(this.reported, played))
    this.clock.correct(this.reported, now)
  }

  pause(now: number): void {
    this.clock.correct(this.played(now), now)
    this.clock.pause(now)
    this.pausedAt ??= now
  }

  resume(now: number): void {
    if (this.pausedAt === undefined) return
    this.due += now - this.pausedAt
    this.pausedAt = undefined
    this.clock.resume(now)
  }

  flush(now: number): void {
    this.report(this.played(now), now)
    this.clock.flush(now)
    this.due = this.pausedAt ?? now
  }

  // The least that it has played by now.
  private latest(now: number): number {
    return this.given - Math.max(0, this.due + MAX_LAG_MILLIS - (this.pausedAt ?? now))
  }
}
