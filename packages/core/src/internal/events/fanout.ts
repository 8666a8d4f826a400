/**
 * Gives every event to its subscribers, at once, in the order in which they subscribed, with the time at which it happens.
 */
import type { AudioStream, Output, OutputTag, Untimed, UserAudio } from "../../BidiEvent.ts"

type Offer = (event: Output) => void
type Offers = ReadonlyArray<Offer>

export class Fanout {
  private byTag: ReadonlyMap<OutputTag, Offers> = new Map()
  private audio: Offer = () => {} // fifty frames a second need no lookup
  private userAudio: Offer = () => {}
  private readonly demands = new Map<OutputTag, () => void>()
  private readonly now: () => number

  /** `now` is in milliseconds since 1970. */
  constructor(now: () => number) {
    this.now = now
  }

  emit(event: Untimed<Exclude<Output, AudioStream | UserAudio>>): void {
    const offers = this.byTag.get(event._tag)
    if (offers === undefined) return
    const timed = { ...event, at: this.now() } as Output
    for (const offer of offers) offer(timed)
  }

  /** A frame of audio, whose time is known already. */
  sound(frame: AudioStream): void {
    this.audio(frame)
  }

  /** A frame of the user's. */
  speech(frame: UserAudio): void {
    this.userAudio(frame)
  }

  /** Calls `start` as soon as somebody asks for these events. */
  onDemand(tag: OutputTag, start: () => void): void {
    if (this.wants(tag)) start()
    else this.demands.set(tag, start)
  }

  /** Whether anybody has subscribed to it. */
  wants(tag: OutputTag): boolean {
    return this.byTag.has(tag)
  }

  /** `offer` must return at once and must not throw. */
  subscribe(tags: ReadonlyArray<OutputTag>, offer: Offer): void {
    const next = new Map(this.byTag)
    for (const tag of new Set(tags)) next.set(tag, [...(next.get(tag) ?? []), offer])
    this.change(next)
    for (const tag of tags) {
      this.demands.get(tag)?.()
      this.demands.delete(tag)
    }
  }

  /** Emits the last event; nothing passes after it. */
  close(last: Untimed<Exclude<Output, AudioStream | UserAudio>>): void {
    this.emit(last)
    this.change(new Map())
  }

  private change(to: ReadonlyMap<OutputTag, Offers>): void {
    this.byTag = to
    this.audio = together(to.get("AudioStream") ?? [])
    this.userAudio = together(to.get("UserAudio") ?? [])
  }
}

const together = (offers: Offers): Offer =>
  offers.length === 1
    ? offers[0]!
    : (event) => {
        for (const offer of offers) offer(event)
      }
