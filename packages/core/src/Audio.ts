/**
 * Audio formats, and the arithmetic between bytes and time.
 *
 * Audio has no header: it is signed 16-bit little-endian PCM, or G.711 with one byte a sample. In memory it is a
 * `Uint8Array`; base64 exists only in the messages of providers.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"

/**
 * How samples are written: `pcm` is signed 16-bit little-endian, `pcmu` and `pcma` are G.711 µ-law and A-law.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Encoding = Schema.Literals(["pcm", "pcmu", "pcma"])

/**
 * How samples are written.
 *
 * @category models
 * @since 0.1.0
 */
export type Encoding = typeof Encoding.Type

/**
 * The format of an audio signal. `sampleRate` is in Hz; two channels are interleaved.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AudioFormat = Schema.Struct({
  encoding: Encoding,
  sampleRate: Schema.Int.check(Schema.isBetween({ minimum: 8000, maximum: 192_000 })),
  channels: Schema.Literals([1, 2])
})

/**
 * The format of an audio signal.
 *
 * @category models
 * @since 0.1.0
 */
export type AudioFormat = typeof AudioFormat.Type

/**
 * Makes the format of 16-bit PCM with one channel, at a sample rate in Hz.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pcm = (sampleRate: number): AudioFormat => ({ encoding: "pcm", sampleRate, channels: 1 })

/**
 * Returns the size of a sample frame, one sample of each channel, in bytes.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const frameSize = (self: AudioFormat): number => (self.encoding === "pcm" ? 2 : 1) * self.channels

/**
 * Returns how many bytes a second of audio has.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const byteRate = (self: AudioFormat): number => frameSize(self) * self.sampleRate

/**
 * Returns how long a number of bytes plays, in milliseconds (not rounded). It is for code that runs once a frame;
 * otherwise use {@link duration}.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const millis: {
  (bytes: number): (self: AudioFormat) => number
  (self: AudioFormat, bytes: number): number
} = dual(2, (self: AudioFormat, bytes: number): number => (bytes * 1000) / byteRate(self))

/**
 * Returns how long a number of bytes plays.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const duration: {
  (bytes: number): (self: AudioFormat) => Duration.Duration
  (self: AudioFormat, bytes: number): Duration.Duration
} = dual(2, (self: AudioFormat, bytes: number): Duration.Duration => Duration.millis(millis(self, bytes)))

/**
 * Returns how many bytes audio of a length has, rounded down to whole sample frames.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const bytes: {
  (length: Duration.Input): (self: AudioFormat) => number
  (self: AudioFormat, length: Duration.Input): number
} = dual(
  2,
  (self: AudioFormat, length: Duration.Input): number =>
    Math.floor((Duration.toMillis(Duration.fromInputUnsafe(length)) * self.sampleRate) / 1000) * frameSize(self)
)

/**
 * Returns the byte of which silence consists: 0 in PCM, 0xFF in µ-law, 0xD5 in A-law.
 *
 * @category arithmetic
 * @since 0.1.0
 */
export const silenceByte = ({ encoding }: AudioFormat): number =>
  encoding === "pcmu" ? 0xff : encoding === "pcma" ? 0xd5 : 0

/**
 * Makes silence of a length.
 *
 * @category constructors
 * @since 0.1.0
 */
export const silence: {
  (length: Duration.Input): (self: AudioFormat) => Uint8Array
  (self: AudioFormat, length: Duration.Input): Uint8Array
} = dual(2, (self: AudioFormat, length: Duration.Input): Uint8Array =>
  new Uint8Array(bytes(self, length)).fill(silenceByte(self))
)

/**
 * Makes whole sample frames of a signal whose pieces may end anywhere: what is left over at the end of a piece waits for
 * the next one.
 *
 * @category framing
 * @since 0.1.0
 */
export class WholeSamples {
  private readonly size: number
  private rest: Uint8Array = nothing

  constructor(format: AudioFormat) {
    this.size = frameSize(format)
  }

  /** Returns the whole sample frames that there are with this piece: usually the piece itself. */
  push(piece: Uint8Array): Uint8Array {
    if (this.rest.length === 0 && piece.length % this.size === 0) return piece
    const all = new Uint8Array(this.rest.length + piece.length)
    all.set(this.rest)
    all.set(piece, this.rest.length)
    const whole = all.length - (all.length % this.size)
    this.rest = all.subarray(whole)
    return all.subarray(0, whole)
  }

  /** Drops what waits. */
  clear(): void {
    this.rest = nothing
  }
}

const nothing = new Uint8Array(0)

/**
 * Returns why audio in one format is not what a model takes, or `undefined` if it is.
 *
 * @category formatting
 * @since 0.1.0
 */
export const mismatch = (wanted: AudioFormat, got: AudioFormat): string | undefined =>
  got.encoding !== wanted.encoding || got.sampleRate !== wanted.sampleRate || got.channels !== wanted.channels
    ? `audio is ${describe(got)}, the model takes ${describe(wanted)}`
    : undefined

/**
 * Describes a format for people: `pcm 24000 Hz mono`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const describe = (self: AudioFormat): string =>
  `${self.encoding} ${self.sampleRate} Hz ${self.channels === 1 ? "mono" : "stereo"}`
