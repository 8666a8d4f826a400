/**
 * The user's speech on its way to the model, at most 2.5 s of it: frames that were sent but not answered yet, which a new
 * connection receives again, and behind them frames that were not sent. When it is full, the oldest frame is dropped.
 *
 * The audio is copied into one ring buffer. Separate frames would live just long enough to be promoted to the old
 * generation of the heap, which is the most expensive kind of garbage.
 */
import * as Audio from "../../Audio.ts"
import type { Connection } from "../../BidiModel.ts"

const CAPACITY_MILLIS = 2500

export class AudioBuffer {
  private readonly capacity: number
  private readonly onLost: () => void
  private readonly onWaiting: () => void
  private connection: Connection | undefined
  private held: number | undefined // frames from this number on must wait
  private ring = new Uint8Array(0) // allocated with the first frame
  private ends: Array<number> = [] // the end of each frame, in bytes since the beginning
  private first = 0 // ends[first] belongs to the oldest frame in the buffer
  private sent = 0 // how many frames in the buffer were sent, from the oldest on
  private dropped = 0 // how many frames have left the buffer
  private turnStart = 0 // the first frame that belongs to no turn of this connection yet
  private committedUntil = 0 // the first frame that never belonged to a turn

  /** `onLost` is called for every frame that is dropped without having been sent, `onWaiting` when frames have to wait. */
  constructor(format: Audio.AudioFormat, onLost: () => void, onWaiting: () => void) {
    this.capacity = (Audio.byteRate(format) * CAPACITY_MILLIS) / 1000
    this.onLost = onLost
    this.onWaiting = onWaiting
  }

  /** The number of frames so far. */
  get total(): number {
    return this.dropped + this.count
  }

  /** The number of the oldest frame in the buffer. */
  get oldest(): number {
    return this.dropped
  }

  /** Whether there is speech that became a turn and was not answered. The next connection receives it again. */
  get unanswered(): boolean {
    return this.committedUntil > this.dropped
  }

  /** Appends a frame, and sends it at once if nothing waits before it. */
  push(frame: Uint8Array): void {
    this.append(frame)
    if (!this.send(frame)) this.onWaiting()
  }

  /** Sends silence if everything before it was sent. Silence is not stored, because it would displace speech. */
  silence(frame: Uint8Array): void {
    if (this.flush()) this.connection!.sendAudio(frame)
  }

  /** Sends what waits. Returns whether everything that may be sent was sent. */
  flush(): boolean {
    return this.send(undefined)
  }

  /** Sends frames to this connection from now on. */
  connect(connection: Connection | undefined): void {
    this.connection = connection
  }

  /** Holds back this frame and later ones; with `undefined`, none. */
  hold(from: number | undefined): void {
    this.held = from
  }

  private append(frame: Uint8Array): void {
    const { length } = frame
    while (this.count > 0 && this.start(this.count) - this.start(0) + length > this.capacity) {
      if (this.sent === 0) this.onLost()
      this.drop(1)
    }
    // only happens while the buffer is empty
    if (length > this.ring.length) this.ring = new Uint8Array(Math.max(this.capacity, length))
    const start = this.start(this.count)
    this.ends.push(start + length)
    this.copyIn(frame, start)
  }

  /** `latest` is the last frame, which then needs no copy. */
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

  /** The provider took the audio sent so far as a turn. */
  committed(): void {
    this.turnStart = this.dropped + this.sent
    this.committedUntil = Math.max(this.committedUntil, this.turnStart)
  }

  /** All turns were answered, or their words are known. They are not sent again. */
  answered(): void {
    this.drop(Math.max(0, Math.min(this.sent, this.turnStart - this.dropped)))
  }

  /** The user discarded the frames before number `until`. */
  discardUntil(until: number): void {
    this.drop(Math.max(0, until - this.dropped))
  }

  /** A new connection has heard nothing yet. */
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

  /** Returns a copy, because the connection may keep it. */
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
    // compacted in bulk: doing this for each frame would cost more than everything else here
    this.ends = this.ends.slice(this.first - 1) // the end of the last that is gone is the beginning of the oldest
    this.first = 1
  }
}
