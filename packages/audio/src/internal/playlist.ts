/**
 * What was given to a speaker and has not been heard yet, and how much was heard in all. Pure bookkeeping: a device says
 * how far it is in what it was given, this says what that is of what the model produced.
 *
 * Sound is produced at the model's rate and given to a device at the device's; every piece keeps both lengths, so the
 * count of what was heard comes out whole however it was resampled.
 */
interface Piece {
  /** As the device takes it. */
  readonly pcm: Uint8Array
  /** Its length in moments (samples of all channels) of the device. */
  readonly given: number
  /** Its length in moments of the model. */
  readonly produced: number
}

export class Playlist {
  private readonly frameSize: number
  private pieces: Array<Piece> = []
  private head = 0 // pieces before it have been heard
  private before = 0 // moments of this device before pieces[head]
  private heard = 0 // moments of the model before pieces[head]
  private owed = 0 // moments of the model whose sound is still inside the resampler
  private total = 0

  /** `frameSize`: bytes of one moment as the device takes it. */
  constructor(frameSize: number) {
    this.frameSize = frameSize
  }

  add(pcm: Uint8Array, produced: number): void {
    this.total += produced
    const given = pcm.length / this.frameSize
    if (given === 0) {
      this.owed += produced
      return
    }
    this.pieces.push({ pcm, given, produced: produced + this.owed })
    this.owed = 0
  }

  /** How much of all that was produced has been heard, when the device is at `position` in what it was given. */
  played(position: number): number {
    while (this.head < this.pieces.length && this.before + this.pieces[this.head]!.given <= position) {
      const piece = this.pieces[this.head++]!
      this.before += piece.given
      this.heard += piece.produced
    }
    if (this.head > 256) {
      // the last few that were heard are kept: an echo of them may still come
      this.pieces = this.pieces.slice(this.head - 8)
      this.head = 8
    }
    const piece = this.pieces[this.head]
    if (piece === undefined) {
      // all was given and heard: what the resampler holds back is less than a moment of the device
      this.heard += this.owed
      this.owed = 0
      return this.heard
    }
    return this.heard + piece.produced * Math.max(0, (position - this.before) / piece.given)
  }

  /** How much was produced and not heard, in moments of the model. */
  waiting(position: number): number {
    return this.total - this.played(position)
  }

  /** What was not heard at `position` never will be. Answers how much was heard in all. The device counts from 0 again. */
  cut(position: number): number {
    const heard = this.played(position)
    this.pieces = []
    this.head = 0
    this.before = 0
    this.owed = 0
    this.heard = heard
    this.total = heard
    return heard
  }

  /** Begins anew on a device that counts from 0: answers what it is to be given, which is what was not heard at `position`. */
  resume(position: number): ReadonlyArray<Uint8Array> {
    const heard = this.played(position)
    const rest = this.pieces.slice(this.head)
    const first = rest[0]
    if (first !== undefined) {
      const done = Math.max(0, Math.floor(position - this.before))
      const share = heard - this.heard
      rest[0] = {
        pcm: first.pcm.subarray(done * this.frameSize),
        given: first.given - done,
        produced: first.produced - share
      }
    }
    this.pieces = rest
    this.head = 0
    this.before = 0
    this.heard = heard
    return rest.map(({ pcm }) => pcm)
  }

  /** The sound from `position` on: `moments` of it, or less where there is no more. Nothing counts as heard by it. */
  from(position: number, moments: number): Uint8Array {
    let index = this.head
    let start = this.before
    while (index > 0 && position < start) start -= this.pieces[--index]!.given
    const parts: Array<Uint8Array> = []
    let skip = Math.max(0, Math.floor(position - start)) * this.frameSize
    let missing = moments * this.frameSize
    for (; index < this.pieces.length && missing > 0; index++) {
      const { pcm } = this.pieces[index]!
      const part = pcm.subarray(skip, skip + missing)
      skip = Math.max(0, skip - pcm.length)
      missing -= part.length
      if (part.length > 0) parts.push(part)
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }
}
