/**
 * What the provider hears of the user's frames: themselves, silence, or nothing.
 *
 * A provider that decides by itself when the user has finished goes on listening when no more frames come. Whoever
 * falls silent for good is therefore followed by silence: until the turn is over, at least 2 and at most 10 seconds.
 */
import * as Audio from "../Audio.ts"
import type { Protection } from "./protection.ts"
import type { Turn } from "./turn.ts"

const AT_LEAST = 2000
const AT_MOST = 10_000 // OpenAI's semantic VAD at its lowest eagerness waits 8 seconds

const EVERYBODY = Symbol()

export class Ears {
  private readonly muted = new Map<string | typeof EVERYBODY, number>() // since when
  private readonly format: Audio.AudioFormat
  private readonly turn: Turn
  private readonly protection: Protection
  private readonly now: () => number

  constructor(format: Audio.AudioFormat, turn: Turn, protection: Protection, now: () => number) {
    this.format = format
    this.turn = turn
    this.protection = protection
    this.now = now
  }

  /** Takes the frames of one input, or of everybody, for silence. */
  mute(input: string | undefined): void {
    const who = input ?? EVERYBODY
    if (!this.muted.has(who)) this.muted.set(who, this.now())
  }

  /** Of everybody: also of those that were muted alone. */
  unmute(input: string | undefined): void {
    if (input === undefined) this.muted.clear()
    else this.muted.delete(input)
  }

  /** What of a frame is heard. `undefined` is nothing. */
  hear(frame: Uint8Array, input: string | undefined): Uint8Array | undefined {
    if (this.protection.on) return this.silent(frame)
    if (this.muted.size === 0) return frame
    const since = this.muted.get(EVERYBODY) ?? (input === undefined ? undefined : this.muted.get(input))
    if (since === undefined) return frame
    return this.waitsForSilence(since) ? this.silent(frame) : undefined
  }

  /** Whether the provider should be given silence, when the user fell silent for good at `since`. */
  waitsForSilence(since: number): boolean {
    const elapsed = this.now() - since
    return elapsed < (this.turn.userSpeaking ? AT_MOST : AT_LEAST)
  }

  private silent(frame: Uint8Array): Uint8Array {
    return new Uint8Array(frame.length).fill(Audio.zero(this.format))
  }
}
