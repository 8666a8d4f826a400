/**
 * The user's speech on its way to the model: at most 2.5 s of it. In front are frames that were sent and not answered
 * yet, which a new connection gets again; behind them frames that were not sent. When full, the oldest frame is lost.
 */
import * as Audio from "../Audio.ts"
import type { Connection } from "../BidiModel.ts"

const AUDIO_MILLIS = 2500

export class AudioLane {
  private readonly frames: Array<Uint8Array> = []
  private readonly capacity: number
  private readonly lost: () => void
  private size = 0
  private sent = 0 // frames[0..sent) were sent
  private forgotten = 0 // how many frames have left the lane, since the beginning
  private turns = 0 // the number of the first frame that belongs to no turn yet

  /** `lost` hears of every frame that was never sent. */
  constructor(format: Audio.AudioFormat, lost: () => void) {
    this.capacity = (Audio.byteRate(format) * AUDIO_MILLIS) / 1000
    this.lost = lost
  }

  /** How many frames were brought in all. */
  get brought(): number {
    return this.forgotten + this.frames.length
  }

  /** The number of the oldest frame that is still here. */
  get oldest(): number {
    return this.forgotten
  }

  /** Whether everything that is here was sent. */
  get isSent(): boolean {
    return this.sent === this.frames.length
  }

  bring(frame: Uint8Array): void {
    this.frames.push(frame)
    this.size += frame.length
    while (this.size > this.capacity && this.frames.length > 1) {
      if (this.sent === 0) this.lost()
      this.forget(1)
    }
  }

  /** Sends what waits, up to the frame with the number `until`. Answers whether all of that is sent. */
  send(connection: Connection, until: number | undefined): boolean {
    const end = until === undefined ? this.frames.length : Math.min(this.frames.length, until - this.forgotten)
    while (this.sent < end) {
      if (!connection.sendAudio(this.frames[this.sent]!)) return false
      this.sent++
    }
    return true
  }

  /** The provider took what was sent as a turn. */
  committed(): void {
    this.turns = this.forgotten + this.sent
  }

  /** All turns were answered, or their words are known: they are never sent again. */
  answered(): void {
    this.forget(Math.max(0, Math.min(this.sent, this.turns - this.forgotten)))
  }

  /** The user took back what was brought before the frame with the number `until`. */
  takenBack(until: number): void {
    this.forget(Math.max(0, until - this.forgotten))
  }

  /** There is a new connection, which has heard nothing. */
  rewind(): void {
    this.sent = 0
    this.turns = this.forgotten
  }

  private forget(count: number): void {
    for (const frame of this.frames.splice(0, count)) this.size -= frame.length
    this.forgotten += count
    this.sent = Math.max(0, this.sent - count)
  }
}
