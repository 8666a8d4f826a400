/**
 * What somebody has heard who plays the sound as it comes, at its own pace.
 */
import type { Word } from "../../Speech.ts"

/** Times are milliseconds since the epoch, lengths milliseconds of sound. */
export interface Playback {
  readonly sentMs: number
  readonly endsAt: number
}

export const nothing: Playback = { sentMs: 0, endsAt: 0 }

/** More sound was sent. `isInstant` when nobody waits for sound to be played: it is heard as it is sent. */
export const play = (playback: Playback, now: number, ms: number, isInstant: boolean): Playback => ({
  sentMs: playback.sentMs + ms,
  endsAt: Math.max(playback.endsAt, now) + (isInstant ? 0 : ms)
})

/** Sound that was sent and still waits to be heard. */
export const leftMs = ({ endsAt }: Playback, now: number): number => Math.max(0, endsAt - now)

/** Sound that was heard. */
export const heardMs = (playback: Playback, now: number): number => playback.sentMs - leftMs(playback, now)

/** The words that were heard to their end. */
export const heardOf = (words: ReadonlyArray<Word>, playback: Playback, now: number): ReadonlyArray<Word> => {
  const ms = heardMs(playback, now)
  return words.filter(({ endMs }) => endMs <= ms)
}
