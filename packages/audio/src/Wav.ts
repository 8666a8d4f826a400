/**
 * WAV files: writes signed 16-bit PCM, and reads other widths and floating point too.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { bytesOf } from "./internal/signal/samples.ts"

/**
 * Audio with its format. `pcm` is signed 16-bit little-endian with interleaved channels; `sampleRate` is in Hz.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wav {
  readonly sampleRate: number
  readonly channels: number
  readonly pcm: Uint8Array
}

/**
 * Makes the header of a file with `size` bytes of 16-bit PCM.
 *
 * @category encoding
 * @since 0.1.0
 */
export const header = ({ channels, sampleRate }: Omit<Wav, "pcm">, size: number): Uint8Array => {
  const bytes = Buffer.alloc(44)
  bytes.write("RIFF", 0, "latin1")
  bytes.writeUInt32LE(Math.min(0xffff_ffff, 36 + size), 4)
  bytes.write("WAVEfmt ", 8, "latin1")
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20) // PCM
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(sampleRate, 24)
  bytes.writeUInt32LE(sampleRate * channels * 2, 28)
  bytes.writeUInt16LE(channels * 2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write("data", 36, "latin1")
  bytes.writeUInt32LE(Math.min(0xffff_ffff, size), 40)
  return bytes
}

/**
 * Encodes a whole file.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (wav: Wav): Uint8Array => Buffer.concat([header(wav, wav.pcm.length), wav.pcm])

interface Shape {
  readonly encoding: number
  readonly channels: number
  readonly sampleRate: number
  readonly width: number
}

const EXTENSIBLE = 0xfffe
const PCM = 1
const FLOAT = 3

/**
 * Decodes a file with PCM of 8, 16, 24 or 32 bits, or 32-bit floats, to 16-bit PCM. An incomplete last sample is omitted, and
 * a wrong length (in a file that was streamed) means the end of the file. Fails with a message that says what is wrong.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (file: Uint8Array): Result.Result<Wav, string> => {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE") {
    return Result.fail("it is not a WAV file")
  }
  let shape: Shape | undefined
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString("latin1", at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    const body = bytes.subarray(at + 8, at + 8 + size)
    if (name === "fmt " && body.length >= 16) {
      const encoding = body.readUInt16LE(0)
      shape = {
        // the extensible form has the encoding further back
        encoding: encoding === EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : encoding,
        channels: body.readUInt16LE(2),
        sampleRate: body.readUInt32LE(4),
        width: body.readUInt16LE(14)
      }
    }
    if (name === "data") {
      if (shape === undefined) return Result.fail("its samples come before its header")
      const { channels, sampleRate } = shape
      return Result.map(toSixteen(shape, body), (pcm) => ({ sampleRate, channels, pcm }))
    }
    at += 8 + size + (size % 2)
  }
  return Result.fail("it has no samples")
}

/** Readers of one sample as 16 bits, by encoding and bits. */
const readers: Record<string, (body: Buffer, at: number) => number> = {
  [`${PCM}:8`]: (body, at) => (body[at]! - 128) << 8,
  [`${PCM}:16`]: (body, at) => body.readInt16LE(at),
  [`${PCM}:24`]: (body, at) => body.readIntLE(at, 3) >> 8,
  [`${PCM}:32`]: (body, at) => body.readInt32LE(at) >> 16,
  [`${FLOAT}:32`]: (body, at) => Math.max(-32_768, Math.min(32_767, Math.round(body.readFloatLE(at) * 32_768)))
}

const toSixteen = (
  { channels, encoding, sampleRate, width }: Shape,
  body: Buffer
): Result.Result<Uint8Array, string> => {
  if (channels === 0 || sampleRate === 0) return Result.fail("it has no channels or no sample rate")
  const read = readers[`${encoding}:${width}`]
  if (read === undefined) return Result.fail(`samples with encoding ${encoding} and ${width} bits are not supported`)
  const size = width / 8
  const samples = new Int16Array(Math.floor(body.length / (size * channels)) * channels)
  for (let i = 0; i < samples.length; i++) samples[i] = read(body, i * size)
  return Result.succeed(bytesOf(samples))
}
