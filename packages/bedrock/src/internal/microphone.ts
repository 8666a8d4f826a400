/**
 * The user's sound on its way to the provider: one block for the whole connection, in events of 32 ms, and silence where
 * there is no sound. The provider ends a connection that says nothing for a minute, and finds the end of a turn in
 * silence.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import * as Audio from "@effect-bidi/core/Audio"
import { audioStart, contentEnd, type InputEvent } from "./events.ts"
import type { Line } from "./transport.ts"

/** Milliseconds of one event. */
export const FRAME_MILLIS = 32

/** Milliseconds of one event of silence: nobody waits for it, and every event is signed. */
export const SILENCE_MILLIS = 3 * FRAME_MILLIS

/** Milliseconds without sound, beyond what the last frame lasted, until silence takes its place. */
export const SILENCE_AFTER_MILLIS = 300

/** Silence is not made up for when the process was held up for longer. */
const MAX_CATCH_UP_MILLIS = 1000

export class Microphone {
  private readonly line: Pick<Line, "audio" | "isFull" | "send">
  private readonly format: Audio.AudioFormat
  private readonly promptName: string
  private readonly contentName: string
  private readonly head: string
  private readonly size: number
  private readonly silent: number
  private readonly rest: Array<Uint8Array> = []
  private resting = 0
  private since = 0 // until when the provider has sound
  private due = 0 // when it needs silence

  constructor(
    line: Pick<Line, "audio" | "isFull" | "send">,
    format: Audio.AudioFormat,
    promptName: string,
    contentName: string
  ) {
    this.line = line
    this.format = format
    this.promptName = promptName
    this.contentName = contentName
    this.head = `{"event":{"audioInput":${JSON.stringify({ promptName, contentName }).slice(0, -1)},"content":"`
    this.size = Audio.bytes(format, FRAME_MILLIS)
    this.silent = Audio.bytes(format, SILENCE_MILLIS)
  }

  isOpen = false

  /** What opens the block, to be sent at once. From then on nothing of the past can be told any more. */
  open(now: number): ReadonlyArray<InputEvent> {
    if (this.isOpen) return []
    this.isOpen = true
    this.since = now - SILENCE_MILLIS
    this.due = now
    return [audioStart(this.promptName, this.contentName, this.format)]
  }

  /** What closes it. */
  close(): ReadonlyArray<InputEvent> {
    return this.isOpen ? [contentEnd(this.promptName, this.contentName)] : []
  }

  /** Takes a frame at once, whole or not at all. What is left of the last 32 ms waits for the next. */
  take(frame: Uint8Array, now: number): boolean {
    if (this.line.isFull()) return false
    if (!this.isOpen) void this.line.send(this.open(now))
    this.since = now
    this.due = now + Audio.millis(this.format, frame.length) + SILENCE_AFTER_MILLIS
    this.push(frame)
    return true
  }

  /** Sends the silence that is due. Returns in how many milliseconds to ask again. */
  keepAlive(now: number): number {
    if (now >= this.due) {
      this.since = Math.max(this.since, now - MAX_CATCH_UP_MILLIS)
      for (; this.since + SILENCE_MILLIS <= now; this.since += SILENCE_MILLIS) this.sendSilence()
      this.due = this.since + SILENCE_MILLIS
    }
    return this.due - now
  }

  private sendSilence(): void {
    if (this.line.isFull()) return
    // behind what was left of the sound
    if (this.resting > 0) this.push(new Uint8Array(this.size - this.resting))
    this.send(new Uint8Array(this.silent))
  }

  private push(frame: Uint8Array): void {
    let from = 0
    while (this.resting + frame.length - from >= this.size) {
      const to = from + this.size - this.resting
      this.send(frame.subarray(from, to))
      from = to
    }
    if (from === frame.length) return
    // whoever brought it may use its memory again
    this.rest.push(frame.slice(from))
    this.resting += frame.length - from
  }

  private send(last: Uint8Array): void {
    const bytes = this.resting === 0 ? last : Buffer.concat([...this.rest, last])
    this.rest.length = 0
    this.resting = 0
    this.line.audio(Buffer.from(`${this.head}${Base64.encode(bytes)}"}}}`))
  }
}
