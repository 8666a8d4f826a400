/**
 * 20 ms of sound that carry their own number and the time they were sent, so that the other side of any driver can tell
 * what was lost and how long it took.
 */

/** pcm16 at 24 kHz, one channel. */
export const SAMPLE_RATE = 24_000
export const FRAMES_PER_SECOND = 50
export const FRAME_MILLIS = 1000 / FRAMES_PER_SECOND
export const FRAME_BYTES = (SAMPLE_RATE * 2) / FRAMES_PER_SECOND

// A multiple of three: the base64 of the rest does not depend on it.
const STAMP_BYTES = 24
const STAMP_CHARS = (STAMP_BYTES / 3) * 4

const noise = Buffer.alloc(FRAME_BYTES)
for (let i = 0; i < FRAME_BYTES; i += 2) noise.writeInt16LE(Math.round(8000 * Math.sin(i) * Math.cos(i * i)), i)
const noiseBase64 = noise.subarray(STAMP_BYTES).toString("base64")

const stamp = Buffer.alloc(STAMP_BYTES)

/** Milliseconds of a clock that all processes of a machine share. */
export const now = (): number => performance.timeOrigin + performance.now()

/** A frame as bytes, sent now. */
export const bytes = (sequence: number): Uint8Array => {
  const frame = new Uint8Array(FRAME_BYTES)
  frame.set(noise)
  const view = new DataView(frame.buffer)
  view.setUint32(0, sequence, true)
  view.setFloat64(8, now(), true)
  return frame
}

/** The same frame in base64, for a server that should not be the one that is measured: only the stamp is encoded. */
export const base64 = (sequence: number): string => {
  stamp.writeUInt32LE(sequence, 0)
  stamp.writeDoubleLE(now(), 8)
  return stamp.toString("base64") + noiseBase64
}

/** The stamp of a frame whose base64 begins at `offset` of a text. */
export const stampOf = (text: Buffer, offset: number): Uint8Array =>
  Buffer.from(text.toString("latin1", offset, offset + STAMP_CHARS), "base64")

/** What arrives on one line, in order: counts it, and what is missing between. */
export class Receipt {
  private next: number | undefined
  received = 0
  lost = 0

  /** Answers how long the frame took, in milliseconds. */
  take(frame: Uint8Array): number {
    const view = new DataView(frame.buffer, frame.byteOffset, STAMP_BYTES)
    const sequence = view.getUint32(0, true)
    this.lost += sequence - (this.next ?? sequence)
    this.next = sequence + 1
    this.received++
    return now() - view.getFloat64(8, true)
  }

  /** Counts from zero; a frame that is missing from here on is still missed. */
  reset(): void {
    this.received = 0
    this.lost = 0
  }
}
