/**
 * Which of the audio that was produced has been heard: a ledger of produced audio, and one position for each place
 * where it is played. Pure bookkeeping in milliseconds; nothing here waits.
 */
import type { HeardItem } from "../../BidiModel.ts"

/**
 * Where one device is in the audio it was given, without asking it: it plays in real time from the moment it has
 * something to play. `now` is in milliseconds of any clock.
 */
export class RealTime {
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

  /** All it was given. */
  get given(): number {
    return this.total
  }

  /** It is somewhere else than thought, and goes on from there. */
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

  /** Silence: what was not played never will be. Answers how much was. */
  flush(now: number): number {
    this.total = this.played(now)
    return this.total
  }
}

/** How far behind real time a remote device is believed to be, in milliseconds, whatever it reports. */
export const REPORT_GRACE = 5000

/**
 * Where a remote device is: in real time, from where it said last that it was. Reports may stop, be early by a rounding
 * or be wrong; nothing that waits for the end of the sound waits for them.
 */
export class RemoteTime {
  private readonly clock = new RealTime()
  private due = 0 // when everything will have been played, if it is played in real time
  private sure = 0 // a device does not go back
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

  /** It says that it has played so much. */
  report(played: number, now: number): void {
    this.sure = Math.min(this.given, Math.max(this.sure, played))
    this.clock.correct(this.sure, now)
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

  // The least that was played by now.
  private latest(now: number): number {
    return this.given - Math.max(0, this.due + REPORT_GRACE - (this.pausedAt ?? now))
  }
}

/** How far a device is, in milliseconds since it was opened, counting only what it was given. */
export type Position = () => number

// Positions are sums of fractions: what differs by less than this is the same moment.
const TOLERANCE = 0.5

// 127.99999 is a sum that should have been 128.
const whole = (millis: number): number => Math.floor(millis + 0.001)

interface Segment {
  readonly responseId: string
  readonly itemId: string
  readonly start: number
  /** Where the next one began; none yet: this one still grows. */
  end: number | undefined
}

export class Ledger {
  private segments: Array<Segment> = []
  private growing: string | undefined // the item of the last segment
  private produced = 0
  private readonly devices = new Map<Position, number>()

  /** Adds a device. Without any, everything counts as heard when it is produced. */
  add(position: Position): void {
    this.devices.set(position, position() - this.produced)
  }

  get hasDevices(): boolean {
    return this.devices.size > 0
  }

  append(responseId: string, itemId: string, millis: number): void {
    if (itemId !== this.growing) this.begin(responseId, itemId)
    this.produced += millis
  }

  /** Milliseconds until the last device has played everything. */
  remaining(): number {
    let least = this.produced
    for (const [position, base] of this.devices) least = Math.min(least, position() - base)
    const rest = this.produced - least
    return rest > TOLERANCE ? rest : 0
  }

  /** The responses of which something is still to be heard, in their order. */
  unheard(): ReadonlyArray<string> {
    const heard = this.furthest()
    return this.segments.filter((segment) => this.end(segment) > heard + TOLERANCE).map((segment) => segment.responseId)
  }

  /** Milliseconds until all of a response has been heard that was produced. */
  left(responseId: string): number {
    const last = this.segments.findLast((segment) => segment.responseId === responseId)
    if (last === undefined) return 0
    const left = this.end(last) - this.furthest()
    return left > TOLERANCE ? left : 0
  }

  isUnheard(responseId: string): boolean {
    return this.left(responseId) > 0
  }

  /** What was heard of each audio item of a response, in whole milliseconds, before the devices are flushed or after. */
  heard(responseId: string): ReadonlyArray<HeardItem> {
    const position = this.furthest()
    const items = new Map<string, { heard: number; produced: number }>()
    for (const segment of this.segments) {
      const { itemId, start } = segment
      if (segment.responseId !== responseId) continue
      const end = this.end(segment)
      const item = items.get(itemId) ?? { heard: 0, produced: 0 }
      item.produced += end - start
      item.heard += Math.max(0, Math.min(position, end) - start)
      items.set(itemId, item)
    }
    return Array.from(items, ([itemId, item]) => ({
      itemId,
      heard: whole(item.heard),
      produced: whole(item.produced)
    }))
  }

  /** The position of a device that has played so much of an item; `undefined` when the item is not known any more. */
  locate(device: Position, itemId: string, played: number): number | undefined {
    let left = Math.max(0, played)
    let at: number | undefined
    for (const segment of this.segments) {
      if (segment.itemId !== itemId) continue
      const length = this.end(segment) - segment.start
      at = segment.start + Math.min(left, length)
      if (left <= length) break
      left -= length
    }
    return at === undefined ? undefined : this.devices.get(device)! + at
  }

  /** The devices were flushed: what they have played now is all there is. */
  flushed(): void {
    this.segments = []
    this.growing = undefined
    for (const position of this.devices.keys()) this.devices.set(position, position() - this.produced)
  }

  private begin(responseId: string, itemId: string): void {
    const last = this.segments.at(-1)
    if (last !== undefined) {
      last.end = this.produced
      if (last.responseId !== responseId) this.forgetPlayed()
    }
    this.segments.push({ responseId, itemId, start: this.produced, end: undefined })
    this.growing = itemId
  }

  private end(segment: Segment): number {
    return segment.end ?? this.produced
  }

  private furthest(): number {
    let most = this.devices.size === 0 ? this.produced : 0
    for (const [position, base] of this.devices) most = Math.max(most, position() - base)
    return Math.min(most, this.produced)
  }

  // A reply is remembered whole while any of it is audible: if it is cut, all of its items are told.
  private forgetPlayed(): void {
    const played = this.produced - this.remaining()
    const audible = new Set<string>()
    for (const segment of this.segments) {
      if (this.end(segment) > played + TOLERANCE) audible.add(segment.responseId)
    }
    this.segments = this.segments.filter(({ responseId }) => audible.has(responseId))
  }
}
