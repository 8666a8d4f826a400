/**
 * What the provider hears of the user's frames: themselves, silence, or nothing.
 *
 * A provider that decides by itself when the user has finished goes on listening when no more frames come. Whoever
 * falls silent for good is therefore followed by silence: until the turn is over, at least 2 and at most 10 seconds.
 */
import * as Audio from "../../Audio.ts"
import type { AudioInput } from "../../BidiEvent.ts"
import type { AudioBuffer } from "../connection/audioBuffer.ts"
import type { UninterruptibleSpeech } from "./uninterruptible.ts"
import type { TurnState } from "./turnState.ts"

const AT_LEAST = 2000
const AT_MOST = 10_000 // OpenAI's semantic VAD at its lowest eagerness waits 8 seconds

const EVERYBODY = Symbol()

export class InputGate {
  private readonly muted = new Map<string | typeof EVERYBODY, number>() // since when
  private anybodyMuted = false // asked for every frame
  private readonly cut = new Map<string | undefined, Audio.WholeSamples>() // of inputs whose frames end within samples
  private anybodyCut = false // asked for every frame
  private readonly sample: number
  private readonly format: Audio.AudioFormat
  private readonly lane: AudioBuffer
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
    this.lane = lane
    this.turn = turn
    this.uninterruptible = uninterruptible
    this.now = now
  }

  /** Takes the frames of one input, or of everybody, for silence. */
  mute(input: string | undefined): void {
    const who = input ?? EVERYBODY
    if (!this.muted.has(who)) this.muted.set(who, this.now())
    this.anybodyMuted = true
  }

  /** Of everybody: also of those that were muted alone. */
  unmute(input: string | undefined): void {
    if (input === undefined) this.muted.clear()
    else this.muted.delete(input)
    this.anybodyMuted = this.muted.size > 0
  }

  /** Takes a frame of the user's speech at once. Answers what is wrong with it, if anything is. */
  hear(frame: AudioInput, input: string | undefined): string | undefined {
    const problem = Audio.mismatch(this.format, frame)
    if (problem !== undefined) return problem
    const audio = this.whole(frame.audio, input)
    if (audio.length === 0) return undefined
    if (this.uninterruptible.on) this.lane.bring(this.silent(audio))
    else if (!this.anybodyMuted) this.lane.bring(audio)
    else this.muffle(audio, input)
    return undefined
  }

  /** Whether the provider should be given silence, when the user fell silent for good at `since`. */
  waitsForSilence(since: number): boolean {
    const elapsed = this.now() - since
    return elapsed < (this.turn.userSpeaking ? AT_MOST : AT_LEAST)
  }

  private whole(audio: Uint8Array, input: string | undefined): Uint8Array {
    if (!this.anybodyCut && audio.length % this.sample === 0) return audio
    this.anybodyCut = true
    let samples = this.cut.get(input)
    if (samples === undefined) this.cut.set(input, (samples = new Audio.WholeSamples(this.format)))
    return samples.push(audio)
  }

  private muffle(audio: Uint8Array, input: string | undefined): void {
    const since = this.muted.get(EVERYBODY) ?? (input === undefined ? undefined : this.muted.get(input))
    if (since === undefined) this.lane.bring(audio)
    else if (this.waitsForSilence(since)) this.lane.bring(this.silent(audio))
  }

  private silent(frame: Uint8Array): Uint8Array {
    return new Uint8Array(frame.length).fill(Audio.zero(this.format))
  }
}
