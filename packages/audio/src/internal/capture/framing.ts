/**
 * Cuts audio of any length into frames of one size. The rest waits for more.
 */
export class Framing {
  private readonly size: number
  private frame: Uint8Array
  private filled = 0

  /** `size` in bytes. */
  constructor(size: number) {
    this.size = size
    this.frame = new Uint8Array(size)
  }

  /** Each frame has its own memory. */
  push(piece: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    for (let taken = 0; taken < piece.length;) {
      const part = piece.subarray(taken, taken + this.size - this.filled)
      this.frame.set(part, this.filled)
      this.filled += part.length
      taken += part.length
      if (this.filled === this.size) {
        const full = this.frame
        this.frame = new Uint8Array(this.size)
        this.filled = 0
        onFrame(full)
      }
    }
  }

  /** Discards an incomplete frame. */
  clear(): void {
    this.filled = 0
  }
}
