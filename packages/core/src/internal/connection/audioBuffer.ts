/**
 * The user's speech on its way to the model: at most 2.5 s of it. In front are frames that were sent and not answered
 * yet, which a new connection gets again; behind them frames that were not sent. When full, the oldest frame is lost.
 *
 * The sound is copied into one ring. Kept as they came, frames would live just long enough to be moved into the old
 * generation of the heap before they are garbage, which is the most expensive way to be garbage.
 */
import * as Audio from "../../Audio.ts"
import type { Connection } from "../../BidiModel.ts"

const CAPACITY_MILLIS = 2500

export class AudioBuffer {
  private readonly capacity: number
  private readonly onLost: () => void
  private readonly onWaiting: () => void
  private connection: Connection | undefined
  private held: number | undefined // frames from this number on wait
  private ring = new Uint8Array(0) // until there is sound
  private ends: Array<number> = [] // where each frame ends, in bytes since the beginning
  private first = 0 // the frame ends[first] is the oldest that is still here
  private sent = 0 // how many of those that are here were sent, from the oldest on
  private dropped = 0 // how many frames have left the lane, since the beginning
  private turnStart = 0 // the number of the first frame that belongs to no turn of this connection yet
  private committedUntil = 0 // the number of the first frame that never belonged to any

  /** `onLost` hears of every frame that is lost and was never sent, `onWaiting` when frames have to wait. */
  constructor(format: Audio.AudioFormat, onLost: () => void, onWaiting: () => void) {
    this.capacity = (Audio.byteRate(format) * CAPACITY_MILLIS) / 1000
    this.onLost = onLost
    this.onWaiting = onWaiting
  }

  /** How many frames were brought in all. */
  get total(): number {
    return this.dropped + this.count
  }

  /** The number of the oldest frame that is still here. */
  get oldest(): number {
    return this.dropped
  }

  /** Whether there is speech that was taken as a turn and has no answer: the next connection gets it again. */
  get unanswered(): boolean {
    return this.committedUntil > this.dropped
  }

  /** Takes a frame, and passes it on at once if nothing is in its way. */
  push(frame: Uint8Array): void {
    this.append(frame)
    if (!this.send(frame)) this.onWaiting()
  }

  /** Passes on the silence after what was brought last, if all of that was sent. It is not kept: it would push that out. */
  silence(frame: Uint8Array): void {
    if (this.flush()) this.connection!.sendAudio(frame)
  }

  /** Sends what waits. Answers whether all that may be sent is sent. */
  flush(): boolean {
    return this.send(undefined)
  }

  /** From here on frames go to this connection. */
  connect(connection: Connection | undefined): void {
    this.connection = connection
  }

  /** Frames with this number and later ones wait. `undefined`: none do. */
  hold(from: number | undefined): void {
    this.held = from
  }

  private append(frame: Uint8Array): void {
    const { length } = frame
    while (this.count > 0 && this.start(this.count) - this.start(0) + length > this.capacity) {
      if (this.sent === 0) this.onLost()
      this.drop(1)
    }
    // only a lane that is empty gets another ring
    if (length > this.ring.length) this.ring = new Uint8Array(Math.max(this.capacity, length))
    const start = this.start(this.count)
    this.ends.push(start + length)
    this.copyIn(frame, start)
  }

  /** `latest` is the frame that was brought last, as it came. */
  private send(latest: Uint8Array | undefined): boolean {
    const { connection, held } = this
    if (connection === undefined) return false
    const end = held === undefined ? this.count : Math.min(this.count, held - this.dropped)
    while (this.sent < end) {
      const frame = latest !== undefined && this.sent === this.count - 1 ? latest : this.copyOut(this.sent)
      if (!connection.sendAudio(frame)) return false
      this.sent++
    }
    return true
  }

  /** The provider took what was sent as a turn. */
  committed(): void {
    this.turnStart = this.dropped + this.sent
    this.committedUntil = Math.max(this.committedUntil, this.turnStart)
  }

  /** All turns were answered, or their words are known: they are never sent again. */
  answered(): void {
    this.drop(Math.max(0, Math.min(this.sent, this.turnStart - this.dropped)))
  }

  /** The user took back what was brought before the frame with the number `until`. */
  discardUntil(until: number): void {
    this.drop(Math.max(0, until - this.dropped))
  }

  /** There is a new connection, which has heard nothing. */
  rewind(): void {
    this.sent = 0
    this.turnStart = this.dropped
  }

  private get count(): number {
    return this.ends.length - this.first
  }

  /** Where a frame begins, in bytes since the beginning. */
  private start(index: number): number {
    const before = this.first + index - 1
    return before < 0 ? 0 : this.ends[before]!
  }

  private copyIn(frame: Uint8Array, start: number): void {
    const at = start % this.ring.length
    const room = this.ring.length - at
    if (frame.length <= room) return this.ring.set(frame, at)
    this.ring.set(frame.subarray(0, room), at)
    this.ring.set(frame.subarray(room), 0)
  }

  /** A copy: whoever sends a frame may keep it. */
  private copyOut(index: number): Uint8Array {
    const start = this.start(index)
    const frame = new Uint8Array(this.start(index + 1) - start)
    const at = start % this.ring.length
    const before = Math.min(frame.length, this.ring.length - at)
    frame.set(this.ring.subarray(at, at + before))
    frame.set(this.ring.subarray(0, frame.length - before), before)
    return frame
  }

  private drop(count: number): void {
    this.first += count
    this.dropped += count
    this.sent = Math.max(0, this.sent - count)
    if (this.first <= this.count) return
    // many at once: moving the rest for each of them costs more than everything else here
    this.ends = this.ends.slice(this.first - 1) // the end of the last that is gone is the beginning of the oldest
    this.first = 1
  }
}
