/**
 * Hands every event to everybody who asked for it, in one order, at once.
 */
import type { Output, OutputTag } from "../BidiEvent.ts"

type Offer = (event: Output) => void
type Offers = ReadonlyArray<Offer>

export class Fanout {
  private byTag: ReadonlyMap<OutputTag, Offers> = new Map()
  private ofAudio: Offers = [] // fifty a second are found without a search

  emit(event: Output): void {
    const offers = event._tag === "AudioStream" ? this.ofAudio : this.byTag.get(event._tag)
    if (offers === undefined) return
    for (let i = 0; i < offers.length; i++) offers[i]!(event)
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
    this.ofAudio = to.get("AudioStream") ?? []
  }
}
