/**
 * What a speaker was given and has not played yet, and how much was heard in all. Pure bookkeeping: the device reports its
 * position in what it was given, and this converts it to a position in what the model produced.
 *
 * Every chunk keeps its length at both rates, so that the count of what was heard is exact whatever the resampling.
 */
interface Chunk {
  /** In the format of the device. */
  readonly pcm: Uint8Array
  /** Its length in samples per channel of the device. */
  readonly deviceSamples: number
  /** Its length in samples of the model. */
  readonly modelSamples: number
}

export class PlaybackQueue {
  private readonly frameSize: number
  private chunks: Array<Chunk> = []
  private head = 0 // chunks before it have been heard
  private deviceOffset = 0 // samples of this device before chunks[head]
  private modelOffset = 0 // samples of the model before chunks[head]
  private inResampler = 0 // samples of the model that the resampler holds back
  private total = 0

  /** `frameSize`: bytes of one sample of all channels of the device. */
  constructor(frameSize: number) {
    this.frameSize = frameSize
  }

  add(pcm: Uint8Array, produced: number): void {
    this.total += produced
    const given = pcm.length / this.frameSize
    if (given === 0) {
      this.inResampler += produced
      return
    }
    this.chunks.push({ pcm, deviceSamples: given, modelSamples: produced + this.inResampler })
    this.inResampler = 0
  }

  /** How much has been heard, in samples of the model, when the device is at `position`. */
  played(position: number): number {
    while (this.head < this.chunks.length && this.deviceOffset + this.chunks[this.head]!.deviceSamples <= position) {
      const piece = this.chunks[this.head++]!
      this.deviceOffset += piece.deviceSamples
      this.modelOffset += piece.modelSamples
    }
    if (this.head > 256) {
      // the last few are kept, because their echo may still arrive
      this.chunks = this.chunks.slice(this.head - 8)
      this.head = 8
    }
    const piece = this.chunks[this.head]
    if (piece === undefined) {
      // everything was heard: what the resampler holds back is less than a sample of the device
      this.modelOffset += this.inResampler
      this.inResampler = 0
      return this.modelOffset
    }
    return this.modelOffset + piece.modelSamples * Math.max(0, (position - this.deviceOffset) / piece.deviceSamples)
  }

  /** How much is still to be heard, in samples of the model. */
  waiting(position: number): number {
    return this.total - this.played(position)
  }

  /** Drops what was not heard at `position`. Returns how much was heard in all. The device counts from 0 again. */
  cut(position: number): number {
    const heard = this.played(position)
    this.chunks = []
    this.head = 0
    this.deviceOffset = 0
    this.inResampler = 0
    this.modelOffset = heard
    this.total = heard
    return heard
  }

  /** Restarts on a device that counts from 0. Returns what was not heard at `position`, to be given to it. */
  resume(position: number): ReadonlyArray<Uint8Array> {
    const heard = this.played(position)
    const rest = this.chunks.slice(this.head)
    const first = rest[0]
    if (first !== undefined) {
      const done = Math.max(0, Math.floor(position - this.deviceOffset))
      const share = heard - this.modelOffset
      rest[0] = {
        pcm: first.pcm.subarray(done * this.frameSize),
        deviceSamples: first.deviceSamples - done,
        modelSamples: first.modelSamples - share
      }
    }
    this.chunks = rest
    this.head = 0
    this.deviceOffset = 0
    this.modelOffset = heard
    return rest.map(({ pcm }) => pcm)
  }

  /** Reads up to `samples` from `position` on, without changing what counts as heard. */
  from(position: number, samples: number): Uint8Array {
    let index = this.head
    let start = this.deviceOffset
    while (index > 0 && position < start) start -= this.chunks[--index]!.deviceSamples
    const parts: Array<Uint8Array> = []
    let skip = Math.max(0, Math.floor(position - start)) * this.frameSize
    let missing = samples * this.frameSize
    for (; index < this.chunks.length && missing > 0; index++) {
      const { pcm } = this.chunks[index]!
      const part = pcm.subarray(skip, skip + missing)
      skip = Math.max(0, skip - pcm.length)
      missing -= part.length
      if (part.length > 0) parts.push(part)
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }
}
