/**
 * Audio formats, and the arithmetic between bytes and time.
 *
 * Audio is headerless: signed 16-bit little-endian PCM, or G.711 with one byte a sample. In memory it is a
 * `Uint8Array`; base64 exists only at a wire.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * How samples are written: `pcm` is signed 16-bit little-endian, `pcmu` and `pcma` are G.711 µ-law and A-law.
 *
 * @category schemas
 */
export const Encoding = Schema.Literals(["pcm", "pcmu", "pcma"])

/**
 * @category models
 */
export type Encoding = typeof Encoding.Type

/**
 * The shape of an audio signal. `sampleRate` is in Hz; `channels` are interleaved.
 *
 * @category schemas
 */
export const AudioFormat = Schema.Struct({
  encoding: Encoding,
  sampleRate: Schema.Int.check(Schema.isBetween({ minimum: 8000, maximum: 192_000 })),
  channels: Schema.Literals([1, 2])
})

/**
 * @category models
 */
export type AudioFormat = typeof AudioFormat.Type

/**
 * 16-bit PCM, one channel, at `sampleRate` Hz.
 *
 * @category constructors
 */
export const pcm = (sampleRate: number): AudioFormat => ({ encoding: "pcm", sampleRate, channels: 1 })

/**
 * Bytes of one sample of all channels.
 *
 * @category arithmetic
 */
export const frameSize = (format: AudioFormat): number => (format.encoding === "pcm" ? 2 : 1) * format.channels

/**
 * Bytes in one second.
 *
 * @category arithmetic
 */
export const byteRate = (format: AudioFormat): number => frameSize(format) * format.sampleRate

/**
 * How long `bytes` of audio sound, in milliseconds (not rounded). The number behind {@link duration}, for paths that
 * run once a frame.
 *
 * @category arithmetic
 */
export const millis = (format: AudioFormat, bytes: number): number => (bytes * 1000) / byteRate(format)

/**
 * How long `bytes` of audio sound.
 *
 * @category arithmetic
 */
export const duration = (format: AudioFormat, bytes: number): Duration.Duration =>
  Duration.millis(millis(format, bytes))

/**
 * How many bytes `length` of audio takes, rounded down to whole samples.
 *
 * @category arithmetic
 */
export const bytes = (format: AudioFormat, length: Duration.Input): number =>
  Math.floor((Duration.toMillis(Duration.fromInputUnsafe(length)) * format.sampleRate) / 1000) * frameSize(format)

/**
 * The byte that silence is made of: 0 in PCM, 0xFF in µ-law, 0xD5 in A-law.
 *
 * @category arithmetic
 */
export const zero = ({ encoding: format }: AudioFormat): number =>
  format === "pcmu" ? 0xff : format === "pcma" ? 0xd5 : 0

/**
 * Silence of the given length.
 *
 * @category constructors
 */
export const silence = (format: AudioFormat, length: Duration.Input): Uint8Array =>
  new Uint8Array(bytes(format, length)).fill(zero(format))

/**
 * Makes whole samples of a signal whose pieces end anywhere: what is over at the end of a piece waits for the next one.
 *
 * @category framing
 */
export class WholeSamples {
  private readonly size: number
  private rest: Uint8Array = nothing

  constructor(format: AudioFormat) {
    this.size = frameSize(format)
  }

  /** The whole samples there are with this piece: the piece itself, as a rule. */
  push(piece: Uint8Array): Uint8Array {
    if (this.rest.length === 0 && piece.length % this.size === 0) return piece
    const all = new Uint8Array(this.rest.length + piece.length)
    all.set(this.rest)
    all.set(piece, this.rest.length)
    const whole = all.length - (all.length % this.size)
    this.rest = all.subarray(whole)
    return all.subarray(0, whole)
  }

  /** Forgets what waits. */
  clear(): void {
    this.rest = nothing
  }
}

const nothing = new Uint8Array(0)

/**
 * Says in words why audio of one shape cannot be taken for another, or `undefined` when it can.
 *
 * @category arithmetic
 */
export const mismatch = (wanted: AudioFormat, got: AudioFormat): string | undefined =>
  got.encoding !== wanted.encoding || got.sampleRate !== wanted.sampleRate || got.channels !== wanted.channels
    ? `audio is ${describe(got)}, the model takes ${describe(wanted)}`
    : undefined

/**
 * A format in words, for people: `pcm 24000 Hz mono`.
 *
 * @category formatting
 */
export const describe = (format: AudioFormat): string =>
  `${format.encoding} ${format.sampleRate} Hz ${format.channels === 1 ? "mono" : "stereo"}`
