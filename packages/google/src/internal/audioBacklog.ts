/**
 * What the user says while the model takes no audio: it waits for the result of a tool, and closes a connection on which
 * audio comes meanwhile. It is sent behind the result, in order.
 */
import type { ClientMessage } from "./state.ts"

/** How much is kept, in seconds. Of more than that the oldest is lost. */
export const BACKLOG_SECONDS = 30

type Item = Uint8Array | ClientMessage

const isAudio = (item: Item): item is Uint8Array => item instanceof Uint8Array

export class AudioBacklog {
  private items: Array<Item> = []
  private bytes = 0
  private readonly capacity: number

  /** `second` is how many bytes a second of sound has. */
  constructor(second: number) {
    this.capacity = BACKLOG_SECONDS * second
  }

  get isEmpty(): boolean {
    return this.items.length === 0
  }

  /** Keeps a copy: whoever brings a frame may use its memory again. Returns whether something had to go for it. */
  audio(frame: Uint8Array): boolean {
    this.items.push(frame.slice())
    this.bytes += frame.length
    let lost = false
    while (this.bytes > this.capacity) {
      const oldest = this.items.findIndex(isAudio)
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
    readonly post: (message: ClientMessage) => boolean
  }): void {
    let gone = 0
    for (const item of this.items) {
      if (!(isAudio(item) ? take.audio(item) : take.post(item))) break
      gone++
      if (isAudio(item)) this.bytes -= item.length
    }
    this.items.splice(0, gone)
  }
}
