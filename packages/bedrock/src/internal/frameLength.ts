/**
 * How long the provider's frames say they are, read as their bytes pass.
 *
 * The AWS SDK believes the first four bytes of a frame, makes room for as many, and waits until they have come: one that
 * claims a gigabyte takes a gigabyte, and nothing is heard of the connection any more. So the claim is read before the SDK
 * reads it, with the checksum that stands behind it.
 */
import { crc32 } from "node:zlib"

/** Bytes of the longest frame that is believed. One of 100 ms of sound has 9 KB, a tool call a few more. */
export const MAX_FRAME_BYTES = 1024 * 1024

const LENGTH_BYTES = 4
const PRELUDE_BYTES = 12
const MIN_FRAME_BYTES = PRELUDE_BYTES + 4

export class FrameLengths {
  /** What is wrong with the last frame that has begun, if anything is. */
  wrong: string | undefined
  private readonly prelude = Buffer.alloc(PRELUDE_BYTES)
  private readonly lengths = this.prelude.subarray(0, 8) // what the checksum is of
  private filled = 0
  private left = 0 // bytes of the frame that are still to come

  /** Takes the next bytes of the stream, and returns how many of them come before a frame that is wrong. */
  pass(bytes: Uint8Array): number {
    let begin = 0
    for (let at = 0; at < bytes.length;) {
      if (this.left > 0) {
        const skipped = Math.min(this.left, bytes.length - at)
        this.left -= skipped
        at += skipped
        continue
      }
      if (this.filled === 0) begin = at
      this.prelude[this.filled++] = bytes[at++]!
      if (this.filled === LENGTH_BYTES) this.wrong = lengthProblem(this.prelude.readUInt32BE(0))
      if (this.filled === PRELUDE_BYTES) {
        if (this.prelude.readUInt32BE(8) !== crc32(this.lengths)) this.wrong = "a frame whose length cannot be believed"
        this.left = this.prelude.readUInt32BE(0) - PRELUDE_BYTES
        this.filled = 0
      }
      if (this.wrong !== undefined) return begin
    }
    return bytes.length
  }
}

const lengthProblem = (length: number): string | undefined =>
  length < MIN_FRAME_BYTES || length > MAX_FRAME_BYTES ? `a frame of ${length} bytes` : undefined

/** Has the bytes of a stream looked at on their way to whoever iterates over it. The last are those before a wrong frame. */
export const watchFrames = (stream: AsyncIterable<Uint8Array>, onWrong: (what: string) => void): void => {
  const iterate = stream[Symbol.asyncIterator].bind(stream)
  const lengths = new FrameLengths()
  const end = (what: string): IteratorResult<Uint8Array> => {
    onWrong(what)
    return { done: true, value: undefined }
  }
  const look = (next: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> => {
    if (next.done === true) return next
    const good = lengths.pass(next.value)
    if (lengths.wrong === undefined) return next
    return good === 0 ? end(lengths.wrong) : { done: false, value: next.value.subarray(0, good) }
  }
  stream[Symbol.asyncIterator] = () => {
    const bytes = iterate()
    return {
      next: () => (lengths.wrong === undefined ? bytes.next().then(look) : Promise.resolve(end(lengths.wrong))),
      return: () => bytes.return!()
    }
  }
}
