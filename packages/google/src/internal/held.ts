/**
 * What the user says while the model can hear nothing: it waits for the answer to a call, and closes a connection on which
 * sound comes meanwhile. It is sent behind the answer, in order.
 */
import type { ClientMessage } from "./state.ts"

/** How much is kept, in seconds. Of more than that the oldest is lost. */
export const HELD = 30

type Item = Uint8Array | ClientMessage

const isSound = (item: Item): item is Uint8Array => item instanceof Uint8Array

export class Held {
  private items: Array<Item> = []
  private bytes = 0
  private readonly capacity: number

  /** `second` is how many bytes a second of sound has. */
  constructor(second: number) {
    this.capacity = HELD * second
  }

  get isEmpty(): boolean {
    return this.items.length === 0
  }

  /** Keeps a copy: whoever brings a frame may use its memory again. Answers whether something had to go for it. */
  sound(frame: Uint8Array): boolean {
    this.items.push(frame.slice())
    this.bytes += frame.length
    let lost = false
    while (this.bytes > this.capacity) {
      const oldest = this.items.findIndex(isSound)
      this.bytes -= (this.items[oldest] as Uint8Array).length
      this.items.splice(oldest, 1)
      lost = true
    }
    return lost
  }

  /** Keeps signals that belong between the frames. */
  signals(messages: ReadonlyArray<ClientMessage>): void {
    this.items.push(...messages)
  }

  /** Lets go of all that is taken, in order. */
  release(take: {
    readonly audio: (frame: Uint8Array) => boolean
    readonly put: (message: ClientMessage) => boolean
  }): void {
    let gone = 0
    for (const item of this.items) {
      if (!(isSound(item) ? take.audio(item) : take.put(item))) break
      gone++
      if (isSound(item)) this.bytes -= item.length
    }
    this.items.splice(0, gone)
  }
}
