/**
 * The long story, and where it was interrupted.
 *
 * Every sentence names its day, so that missing or repeated sentences are easy to notice.
 */
import type { Turn } from "../../Prompt.ts"
import { place } from "./rest.ts"

const days: ReadonlyArray<string> = [
  "Day one, the small boat Heron left the harbour with a cargo of forty clocks.",
  "Day two, a grey cat was found asleep among the clocks and was made second mate.",
  "Day three, the wind turned north and every clock on board began to run slow.",
  "Day four, the captain wound them all again by the light of a single candle.",
  "Day five, dolphins swam beside the boat until the sun went down.",
  "Day six, it rained so hard that the cat moved into the captain's left boot.",
  "Day seven, nobody worked, and the cook baked bread with the last of the honey.",
  "Day eight, a lighthouse blinked three times and the captain blinked back.",
  "Day nine, they bought oranges and rope from a fisherman who sang while he counted.",
  "Day ten, fog came down, and the Heron found her way by the ticking of the clocks.",
  "Day eleven, the fog lifted, and there was an island on no map at all.",
  "Day twelve, they walked around it before breakfast and met one very old tortoise.",
  "Day thirteen, the tortoise was given a clock and seemed pleased with the sound.",
  "Day fourteen, a storm tore the smaller sail, and the cook mended it with fishing line.",
  "Day fifteen, the mended sail held, and everyone thanked the cook.",
  "Day sixteen, the cat caught a flying fish and would not share it.",
  "Day seventeen, the captain wrote a long letter and put it in a green bottle.",
  "Day eighteen, the sea was as flat as a table, so they rowed and told jokes.",
  "Day nineteen, a whale breathed beside them, and it smelled of old cabbage.",
  "Day twenty, the first gull of the far coast landed on the mast.",
  "Day twenty one, bells could be heard across the water at noon.",
  "Day twenty two, the Heron came into port with thirty nine clocks and one cat.",
  "Day twenty three, all the clocks struck together, and the whole town cheered.",
  "Day twenty four, the captain slept late, and that is the end of the story."
]

/** The whole story: about 80 seconds of speech. */
export const story = days.join(" ")

/** The short story: its first days. */
export const shortStory = days.slice(0, 4).join(" ")

const words = place(story)

/** Fewer words in common with the story may be a coincidence. */
const fewest = 3

/** The longest mark, in words, that a client adds to a text that was cut off. */
const longestMark = 4

/**
 * The index of the first word of the story after `text`; `undefined` when `text` is not part of the story. Some
 * words occur twice: then the occurrence nearest to `expected`, where the story had stopped before, counts.
 */
const toldUpTo = (text: string, expected: number): number | undefined => {
  const told = place(text)
  let best: { readonly from: number; readonly length: number } | undefined
  for (let from = 0; from < words.length; from++) {
    let length = 0
    while (length < told.length && told[length]!.word === words[from + length]?.word) length++
    const isNearer = best === undefined || Math.abs(from - expected) < Math.abs(best.from - expected)
    if (best === undefined || length > best.length || (length === best.length && isNearer)) best = { from, length }
  }
  if (best === undefined || best.length < Math.min(fewest, told.length) || best.length === 0) return undefined
  // two words are enough only at the start of the story
  if (best.length < fewest && best.from !== 0) return undefined
  return told.length - best.length > longestMark ? undefined : best.from + best.length
}

/**
 * The rest of the story after its last part in the conversation: all of it when it was asked for and none of it was
 * heard, "" when it was told to the end, `undefined` without a story.
 */
export const restOfStory = (history: ReadonlyArray<Turn>): string | undefined => {
  let rest: string | undefined
  let next = 0
  for (const turn of history) {
    if (turn.role === "user" && asksForStory(turn.text)) {
      rest = story
      next = 0
    }
    const told = turn.role === "assistant" ? toldUpTo(turn.text, next) : undefined
    if (told === undefined) continue
    next = told
    rest = told >= words.length ? "" : story.slice(words[told]!.at)
  }
  return rest
}

/** Whether the text asks for a story. */
export const asksForStory = (text: string): boolean => /\b(?:tell|read|say|give|hear|want)\b.*\bstory\b/i.test(text)
