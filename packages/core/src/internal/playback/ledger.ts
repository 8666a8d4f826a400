/**
 * Which of the audio that was produced was heard: a ledger of the audio, and the position of each device that plays it. All
 * in milliseconds; nothing here waits.
 */
import type { HeardItem } from "../../BidiModel.ts"

/** How much of what it was given a device has played, in milliseconds since it was opened. */
export type Position = () => number

// Positions are sums of fractions: a smaller difference is none.
const TOLERANCE_MILLIS = 0.5

// 127.99999 is a sum that should have been 128.
const whole = (millis: number): number => Math.floor(millis + 0.001)

interface Segment {
  readonly responseId: string
  readonly itemId: string
  readonly start: number
  /** `undefined` while it grows. */
  end: number | undefined
}

/** An item that is being played, in milliseconds. */
export interface Sounding {
  readonly responseId: string
  readonly itemId: string
  readonly played: number
  readonly left: number
}

export class Ledger {
  private segments: Array<Segment> = []
  private growing: string | undefined // the item of the last segment
  private produced = 0
  private readonly devices = new Map<Position, number>()
  /** Called for the next audio that is produced, and every one after it. */
  onSound: (() => void) | undefined

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
    if (this.onSound !== undefined) this.onSound()
  }

  /** Milliseconds until every device has played everything. */
  remaining(): number {
    let least = this.produced
    for (const [position, base] of this.devices) least = Math.min(least, position() - base)
    const rest = this.produced - least
    return rest > TOLERANCE_MILLIS ? rest : 0
  }

  /** The item that is audible now, as far as the devices have got: how much of it was played, and is left. */
  sounding(): Sounding | undefined {
    const at = this.devices.size === 0 ? this.produced : this.furthest()
    const segment = this.segments.find((segment) => this.end(segment) > at + TOLERANCE_MILLIS)
    if (segment === undefined) return undefined
    const { itemId, responseId } = segment
    let before = 0
    for (const other of this.segments) {
      if (other === segment) break
      if (other.itemId === itemId) before += this.end(other) - other.start
    }
    return { responseId, itemId, played: before + Math.max(0, at - segment.start), left: this.end(segment) - at }
  }

  /** The responses that are not heard to their end, in order. */
  unheard(): ReadonlyArray<string> {
    const heard = this.furthest()
    return this.segments
      .filter((segment) => this.end(segment) > heard + TOLERANCE_MILLIS)
      .map((segment) => segment.responseId)
  }

  /** Milliseconds until everything that was produced of a response is heard. */
  left(responseId: string): number {
    const last = this.segments.findLast((segment) => segment.responseId === responseId)
    if (last === undefined) return 0
    const left = this.end(last) - this.furthest()
    return left > TOLERANCE_MILLIS ? left : 0
  }

  isUnheard(responseId: string): boolean {
    return this.left(responseId) > 0
  }

  /** What was heard of each item of a response, in whole milliseconds. Right after a flush it still holds. */
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

  /** The position of a device that has played this much of an item; `undefined` when the item is not known any more. */
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

  /** The devices were flushed: what they have not played they will not. */
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

  // A reply is kept whole while any of it is audible: an interruption names all of its items.
  private forgetPlayed(): void {
    const played = this.produced - this.remaining()
    const audible = new Set<string>()
    for (const segment of this.segments) {
      if (this.end(segment) > played + TOLERANCE_MILLIS) audible.add(segment.responseId)
    }
    this.segments = this.segments.filter(({ responseId }) => audible.has(responseId))
  }
}
