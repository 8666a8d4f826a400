/**
 * What an application does with one session, whatever is between it and the wire: it speaks, and hears what it is told.
 */
import * as Frame from "./frame.ts"
import type { Latency } from "./latency.ts"

export class Caller {
  readonly receipt = new Frame.Receipt()
  private readonly latency: Latency
  private sequence = 0
  private given = 0
  private base = 0
  private since = 0
  captions = 0
  /** When it was silenced. */
  readonly flushes: Array<number> = []

  constructor(latency: Latency) {
    this.latency = latency
  }

  /** The next 20 ms of its microphone. */
  speak(): Uint8Array {
    return Frame.bytes(this.sequence++)
  }

  /** Puts a frame into its speaker. */
  play(frame: Uint8Array): void {
    this.latency.record(this.receipt.take(frame))
    if (this.played() >= this.given) {
      this.base = this.given
      this.since = performance.now()
    }
    this.given += (frame.length * 1000) / (Frame.SAMPLE_RATE * 2)
  }

  /** The speaker is silenced, now. */
  flush(): void {
    this.flushes.push(Frame.now())
    this.given = this.played()
  }

  /** Milliseconds that were heard: a speaker plays in real time from the moment it has something to play. */
  played(): number {
    return Math.min(this.given, this.base + performance.now() - this.since)
  }

  read(text: string): void {
    this.captions += text.length
  }
}
