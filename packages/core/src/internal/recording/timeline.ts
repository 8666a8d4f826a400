/**
 * A call on two tracks, as it was heard: what the user said where it arrived, and what the agent said where the device
 * played it. Pure: whoever writes it down takes what is finished.
 */
import * as Duration from "effect/Duration"
import type { AudioFormat } from "../../Audio.ts"
import type { Output } from "../../BidiEvent.ts"
import { converter } from "./samples.ts"

// Frames that come a little early or late belong behind the one before.
const JITTER_MILLIS = 200

interface Item {
  readonly pieces: Array<Int16Array>
  /** How many samples of it were written down. */
  done: number
}

export class Timeline {
  readonly rate: number
  private readonly startedAt: number
  private readonly user: Track = new Track()
  private readonly agent: Track = new Track()
  private readonly items = new Map<string, Item>()
  private readonly fromUser: (audio: Uint8Array) => Int16Array
  private readonly fromAgent: (audio: Uint8Array) => Int16Array
  private spoken = 0 // where the user's next frame belongs, if it comes at once
  private playing: { readonly itemId: string; readonly start: number } | undefined
  private taken = 0

  constructor(input: AudioFormat, output: AudioFormat, startedAt: number) {
    this.rate = Math.max(input.sampleRate, output.sampleRate)
    this.startedAt = startedAt
    this.fromUser = converter(input, this.rate)
    this.fromAgent = converter(output, this.rate)
  }

  add(event: Output): void {
    switch (event._tag) {
      case "UserAudio": {
        const samples = this.fromUser(event.audio)
        const start = this.position(event.at) - samples.length
        const jitter = (JITTER_MILLIS * this.rate) / 1000
        if (start > this.spoken + jitter) this.spoken = start
        this.user.write(this.spoken, samples)
        this.spoken += samples.length
        return
      }
      case "AudioStream": {
        const samples = this.fromAgent(event.audio)
        const item = this.items.get(event.itemId)
        if (item === undefined) this.items.set(event.itemId, { pieces: [samples], done: 0 })
        else item.pieces.push(samples)
        return
      }
      case "Playback": {
        const played = this.samples(Duration.toMillis(event.played))
        if (event.phase === "started" || event.phase === "resumed") {
          this.playing = { itemId: event.itemId, start: this.position(event.at) - played }
        } else {
          this.play(played)
          this.playing = undefined
        }
        return
      }
      case "Interruption":
        // what waited to be heard never will be
        this.playing = undefined
        this.items.clear()
        return
      default:
        return
    }
  }

  /** Everything before a moment, as interleaved samples; it is taken once. */
  take(until: number): Int16Array {
    const end = Math.max(this.taken, this.position(until))
    if (this.playing !== undefined) this.play(end - this.playing.start)
    return this.interleaved(end)
  }

  /** All that is left. */
  rest(until: number): Int16Array {
    const end = this.position(until)
    if (this.playing !== undefined) this.play(end - this.playing.start)
    return this.interleaved(Math.max(this.taken, end, this.user.end, this.agent.end))
  }

  // The item that is playing was heard up to here.
  private play(to: number): void {
    const { playing } = this
    const item = playing && this.items.get(playing.itemId)
    if (playing === undefined || item === undefined) return
    while (item.pieces.length > 0 && item.done < to) {
      const [piece] = item.pieces
      const part = piece!.subarray(0, to - item.done)
      this.agent.write(playing.start + item.done, part)
      item.done += part.length
      if (part.length < piece!.length) item.pieces[0] = piece!.subarray(part.length)
      else item.pieces.shift()
    }
  }

  private interleaved(end: number): Int16Array {
    const length = end - this.taken
    const out = new Int16Array(2 * length)
    this.user.copy(this.taken, length, out, 0)
    this.agent.copy(this.taken, length, out, 1)
    this.taken = end
    return out
  }

  private position(at: number): number {
    return this.samples(at - this.startedAt)
  }

  private samples(millis: number): number {
    return Math.round((millis * this.rate) / 1000)
  }
}

/** Pieces of sound at their places; between them is silence. */
class Track {
  private pieces: Array<{ readonly start: number; readonly samples: Int16Array }> = []
  end = 0

  write(start: number, samples: Int16Array): void {
    if (samples.length === 0) return
    this.pieces.push({ start, samples })
    this.end = Math.max(this.end, start + samples.length)
  }

  /** Copies a stretch to every second sample, and forgets what lies before its end. */
  copy(from: number, length: number, out: Int16Array, channel: 0 | 1): void {
    const to = from + length
    const later: typeof this.pieces = []
    for (const piece of this.pieces) {
      const { samples, start } = piece
      const first = Math.max(from, start)
      const last = Math.min(to, start + samples.length)
      for (let at = first; at < last; at++) out[2 * (at - from) + channel] = samples[at - start]!
      if (start + samples.length > to) later.push(piece)
    }
    this.pieces = later
  }
}
