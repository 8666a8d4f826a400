/**
 * The part of a text that was heard, by how much of its sound was played.
 */
import type { HeardItem } from "../../BidiModel.ts"
import { minMillis, wordsBefore } from "./spoken.ts"

/** Where a voice is in a text: after `chars` characters, `until` milliseconds of its sound have been spoken. */
export interface Mark {
  readonly chars: number
  readonly until: number
}

/** How much of the sound was heard, of what was produced, in milliseconds. */
export type Played = Pick<HeardItem, "heard" | "produced">

/**
 * The part of `text` that was heard. It ends with a whole word, in any script (`Intl.Segmenter`): a word that was only
 * begun was not heard, except for one so long that it is cut between two characters. The voice goes evenly from mark to
 * mark, and from the first character to the last where there are none. Marks are in the order of the text.
 */
export const heardText = (text: string, { heard, produced }: Played, marks: ReadonlyArray<Mark> = []): string => {
  if (heard <= 0 || produced <= 0) return ""
  if (heard >= produced) return text
  let from: Mark = { chars: 0, until: 0 }
  let to: Mark = { chars: text.length, until: Math.max(produced, marks.at(-1)?.until ?? 0) }
  for (const mark of marks) {
    if (mark.until > heard) {
      to = mark
      break
    }
    from = mark
  }
  const length = to.until - from.until
  const end =
    length <= 0 ? from.chars : from.chars + Math.floor(((to.chars - from.chars) * (heard - from.until)) / length)
  return wordsBefore(text, end)
}

/**
 * The same for a reply that is not finished: there may be more text than sound. The text is taken to be spoken no faster
 * than a voice can, at this `pace`: the time the voice takes, as a share of the least time that voices take.
 */
export const heardTextUnfinished = (
  text: string,
  { heard, produced }: Played,
  pace: number,
  marks: ReadonlyArray<Mark> = []
): string => {
  const last = marks.at(-1)
  const least = (last?.until ?? 0) + pace * minMillis(text.slice(last?.chars ?? 0))
  return heardText(text, { heard, produced: Math.max(produced, least) }, marks)
}
