/**
 * A speaker without a card: it plays sample by sample as a clock advances, and plays silence while its queue is empty. Pure;
 * `now` is in milliseconds.
 */
import type { Pcm } from "../backend.ts"

export class VirtualSpeaker {
  private readonly sampleRate: number
  private readonly frameSize: number
  private readonly start: number
  private readonly record: (pcm: Uint8Array) => void
  private queue: Array<Uint8Array> = []
  private done = 0 // samples played so far, silence included
  private heard = 0 // of these, samples that were written

  constructor({ channels, sampleRate }: Pcm, now: number, record: (pcm: Uint8Array) => void) {
    this.sampleRate = sampleRate
    this.frameSize = channels * 2
    this.start = now
    this.record = record
  }

  write(pcm: Uint8Array, now: number): void {
    this.advance(now)
    this.queue.push(pcm)
  }

  position(now: number): number {
    this.advance(now)
    return this.heard
  }

  cut(now: number): number {
    this.advance(now)
    const heard = this.heard
    this.queue = []
    this.heard = 0
    return heard
  }

  /** Plays until `now`. */
  advance(now: number): void {
    const due = Math.floor(((now - this.start) * this.sampleRate) / 1000)
    while (this.done < due) {
      const piece = this.queue[0]
      if (piece === undefined) {
        // not all at once: an hour of silence is not an hour in memory
        const silence = Math.min(due - this.done, this.sampleRate)
        this.record(new Uint8Array(silence * this.frameSize))
        this.done += silence
        continue
      }
      const samples = Math.min(due - this.done, piece.length / this.frameSize)
      this.record(piece.subarray(0, samples * this.frameSize))
      this.done += samples
      this.heard += samples
      const rest = piece.subarray(samples * this.frameSize)
      if (rest.length === 0) this.queue.shift()
      else this.queue[0] = rest
    }
  }
}
