/**
 * What the provider hears of the user: the frames, silence, or nothing.
 *
 * A provider that detects the end of the user's turns keeps waiting when frames stop. When an input is muted or ends, the
 * provider is therefore sent silence until the turn is over, for at least 2 and at most 10 seconds.
 */
import * as Audio from "../../Audio.ts"
import type { AudioInput } from "../../BidiEvent.ts"
import type { AudioBuffer } from "../connection/audioBuffer.ts"
import type { UninterruptibleSpeech } from "./uninterruptibleSpeech.ts"
import type { TurnState } from "./turnState.ts"

const MIN_SILENCE_MILLIS = 2000
const MAX_SILENCE_MILLIS = 10_000 // OpenAI's semantic VAD at its lowest eagerness waits 8 seconds

const ALL_INPUTS = Symbol()

export class InputGate {
  private readonly muted = new Map<string | typeof ALL_INPUTS, number>() // since when, in milliseconds
  private anyMuted = false // checked for every frame
  private readonly partialSamples = new Map<string | undefined, Audio.WholeSamples>() // inputs whose frames end within a sample
  private anyPartial = false // checked for every frame
  /** Gets every frame that the model hears, once somebody asks for them. */
  onPassed: ((audio: Uint8Array) => void) | undefined
  private readonly sample: number
  private readonly format: Audio.AudioFormat
  private readonly buffer: AudioBuffer
  private readonly turn: TurnState
  private readonly uninterruptible: UninterruptibleSpeech
  private readonly now: () => number

  constructor(
    format: Audio.AudioFormat,
    lane: AudioBuffer,
    turn: TurnState,
    uninterruptible: UninterruptibleSpeech,
    now: () => number
  ) {
    this.format = format
    this.sample = Audio.frameSize(format)
    this.buffer = lane
    this.turn = turn
    this.uninterruptible = uninterruptible
    this.now = now
  }

  /** Replaces the frames of one input, or of all, by silence. */
  mute(input: string | undefined): void {
    const who = input ?? ALL_INPUTS
    if (!this.muted.has(who)) this.muted.set(who, this.now())
    this.anyMuted = true
  }

  /** Without a name, also unmutes inputs that were muted by name. */
  unmute(input: string | undefined): void {
    if (input === undefined) this.muted.clear()
    else this.muted.delete(input)
    this.anyMuted = this.muted.size > 0
  }

  /** Passes on a frame of the user's speech. Returns what is wrong with it, if anything is. */
  hear(frame: AudioInput, input: string | undefined): string | undefined {
    const problem = Audio.mismatch(this.format, frame)
    if (problem !== undefined) return problem
    const audio = this.wholeSamples(frame.audio, input)
    if (audio.length === 0) return undefined
    if (this.uninterruptible.active) this.pass(this.silent(audio))
    else if (!this.anyMuted) this.pass(audio)
    else this.passMuted(audio, input)
    return undefined
  }

  /** Whether the provider still needs silence, when frames stopped at `since`. */
  waitsForSilence(since: number): boolean {
    const elapsed = this.now() - since
    return elapsed < (this.turn.userSpeaking ? MAX_SILENCE_MILLIS : MIN_SILENCE_MILLIS)
  }

  private wholeSamples(audio: Uint8Array, input: string | undefined): Uint8Array {
    if (!this.anyPartial && audio.length % this.sample === 0) return audio
    this.anyPartial = true
    let samples = this.partialSamples.get(input)
    if (samples === undefined) this.partialSamples.set(input, (samples = new Audio.WholeSamples(this.format)))
    return samples.push(audio)
  }

  private passMuted(audio: Uint8Array, input: string | undefined): void {
    const since = this.muted.get(ALL_INPUTS) ?? (input === undefined ? undefined : this.muted.get(input))
    if (since === undefined) this.pass(audio)
    else if (this.waitsForSilence(since)) this.pass(this.silent(audio))
  }

  private pass(audio: Uint8Array): void {
    this.buffer.push(audio)
    if (this.onPassed !== undefined) this.onPassed(audio)
  }

  private silent(frame: Uint8Array): Uint8Array {
    return new Uint8Array(frame.length).fill(Audio.silenceByte(this.format))
  }
}
