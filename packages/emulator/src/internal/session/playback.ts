/**
 * How much of the audio a listener has heard who plays it in real time as it arrives.
 */
import type { Word } from "../../Speech.ts"

/** `sentMs` is milliseconds of audio, `endsAt` milliseconds since the epoch. */
export interface Playback {
  readonly sentMs: number
  readonly endsAt: number
}

export const nothing: Playback = { sentMs: 0, endsAt: 0 }

/** More audio was sent. With `isInstant` it is heard as soon as it is sent. */
export const play = (playback: Playback, now: number, ms: number, isInstant: boolean): Playback => ({
  sentMs: playback.sentMs + ms,
  endsAt: Math.max(playback.endsAt, now) + (isInstant ? 0 : ms)
})

/** How much audio was sent and not heard yet. */
export const leftMs = ({ endsAt }: Playback, now: number): number => Math.max(0, endsAt - now)

/** How much audio was heard. */
export const heardMs = (playback: Playback, now: number): number => playback.sentMs - leftMs(playback, now)

/** The words that were heard to their end. */
export const heardOf = (words: ReadonlyArray<Word>, playback: Playback, now: number): ReadonlyArray<Word> => {
  const ms = heardMs(playback, now)
  return words.filter(({ endMs }) => endMs <= ms)
}
