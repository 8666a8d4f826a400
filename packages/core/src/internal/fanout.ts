/**
 * Hands every event to everybody who asked for it, in one order, at once.
 */
import type { Output, OutputTag } from "../BidiEvent.ts"

export interface Fanout {
  readonly emit: (event: Output) => void
  /** `offer` must return at once and must not throw. The answer ends the subscription. */
  readonly subscribe: (tags: ReadonlyArray<OutputTag>, offer: (event: Output) => void) => () => void
  /** Emits the last event; nothing passes after it. */
  readonly close: (last: Output) => void
}

export const make = (): Fanout => {
  type Offer = (event: Output) => void
  let byTag = new Map<OutputTag, ReadonlyArray<Offer>>()

  const emit = (event: Output) => {
    const offers = byTag.get(event._tag)
    if (offers === undefined) return
    for (let i = 0; i < offers.length; i++) offers[i]!(event)
  }

  return {
    emit,
    subscribe: (tags, offer) => {
      for (const tag of new Set(tags)) byTag.set(tag, [...(byTag.get(tag) ?? []), offer])
      return () => {
        for (const [tag, offers] of byTag) {
          byTag.set(
            tag,
            offers.filter((other) => other !== offer)
          )
        }
      }
    },
    close: (last) => {
      emit(last)
      byTag = new Map()
    }
  }
}
