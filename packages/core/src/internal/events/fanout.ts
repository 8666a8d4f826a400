/**
 * Hands every event to everybody who asked for it, in one order, at once.
 */
import type { Output, OutputTag } from "../../BidiEvent.ts"

type Offer = (event: Output) => void
type Offers = ReadonlyArray<Offer>

export class Fanout {
  private byTag: ReadonlyMap<OutputTag, Offers> = new Map()
  private audio: Offer = () => {} // fifty a second are told without a search

  emit(event: Output): void {
    if (event._tag === "AudioStream") return this.audio(event)
    for (const offer of this.byTag.get(event._tag) ?? []) offer(event)
  }

  /** Whether anybody asked for it. */
  wants(tag: OutputTag): boolean {
    return this.byTag.has(tag)
  }

  /** `offer` must return at once and must not throw. */
  subscribe(tags: ReadonlyArray<OutputTag>, offer: Offer): void {
    const next = new Map(this.byTag)
    for (const tag of new Set(tags)) next.set(tag, [...(next.get(tag) ?? []), offer])
    this.change(next)
  }

  /** Emits the last event; nothing passes after it. */
  close(last: Output): void {
    this.emit(last)
    this.change(new Map())
  }

  private change(to: ReadonlyMap<OutputTag, Offers>): void {
    this.byTag = to
    this.audio = together(to.get("AudioStream") ?? [])
  }
}

const together = (offers: Offers): Offer =>
  offers.length === 1
    ? offers[0]!
    : (event) => {
        for (const offer of offers) offer(event)
      }
