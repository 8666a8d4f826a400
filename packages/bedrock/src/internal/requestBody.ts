/**
 * What leaves for the provider: two lanes into the one iterable that the SDK pulls from. It never throws, and it does not
 * rely on being closed: the SDK forgets it on every failure.
 *
 * The SDK pulls some 80 frames ahead of the network, three seconds of sound. So what is too much has to be refused here.
 */
import type { InputEvent } from "./events.ts"

/** Frames of sound that may wait to be pulled: half a second. */
export const AUDIO_QUEUE_FRAMES = 16

type Chunk = { readonly chunk: { readonly bytes: Uint8Array } }
type Pulled = IteratorResult<Chunk, undefined>

export class RequestBody implements AsyncIterable<Chunk> {
  private readonly control: Array<Uint8Array> = []
  private readonly audio: Array<Uint8Array> = []
  private readonly departures: Array<{ readonly at: number; readonly left: () => void }> = []
  private pulling: ((pulled: Pulled) => void) | undefined
  private pushed = 0
  private pulled = 0
  private taken = 0 // sound included
  private seen = 0
  private ending = false

  /** Puts events behind all others but sound. They stay together; `left` is called when the last one was pulled. */
  send(events: ReadonlyArray<InputEvent>, left: () => void): void {
    for (const event of events) this.control.push(encode(event))
    this.pushed += events.length
    this.departures.push({ at: this.pushed, left })
    this.flow()
  }

  get isFull(): boolean {
    return this.ending || this.audio.length >= AUDIO_QUEUE_FRAMES
  }

  sound(event: Uint8Array): void {
    this.audio.push(event)
    this.flow()
  }

  /** Whether something waits, and nothing was pulled since this was asked last. */
  isStuck(): boolean {
    const stuck = this.taken === this.seen && this.control.length + this.audio.length > 0
    this.seen = this.taken
    return stuck
  }

  /** The last words. Sound that still waits is not wanted any more. */
  end(events: ReadonlyArray<InputEvent>): void {
    this.ending = true
    this.audio.length = 0
    this.send(events, () => {})
  }

  /** Ends at once, whatever waits. */
  stop(): void {
    this.ending = true
    this.audio.length = 0
    this.control.length = 0
    this.departures.length = 0
    this.flow()
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    return {
      next: () =>
        new Promise((resolve) => {
          this.pulling = resolve
          this.flow()
        }),
      return: () => {
        this.stop()
        return Promise.resolve({ done: true, value: undefined })
      }
    }
  }

  private flow(): void {
    const { pulling } = this
    const next = pulling === undefined ? undefined : this.next()
    if (pulling !== undefined && next !== undefined) {
      this.pulling = undefined
      pulling(next)
    }
    while (this.departures[0] !== undefined && this.departures[0].at <= this.pulled) this.departures.shift()!.left()
  }

  private next(): Pulled | undefined {
    const event = this.control.shift()
    if (event !== undefined) this.pulled++
    const bytes = event ?? this.audio.shift()
    if (bytes === undefined) return this.ending ? { done: true, value: undefined } : undefined
    this.taken++
    return { done: false, value: { chunk: { bytes } } }
  }
}

const encode = (event: InputEvent): Uint8Array => Buffer.from(JSON.stringify({ event }))
