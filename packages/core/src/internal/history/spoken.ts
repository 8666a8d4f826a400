/**
 * Text as it is spoken: its words in every script, where it may be cut, and how long it takes at least.
 *
 * A cut is between two words; inside a word only if that is very long, and never inside a grapheme, which a reader takes
 * for one character. A punctuation mark belongs to the word before it.
 */

const words = new Intl.Segmenter(undefined, { granularity: "word" })
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

// In characters. A long place name or number is spoken for seconds: such a word may have been heard in part.
const MAX_WHOLE_WORD = 20

const PUNCTUATION = /^\p{P}+$/u

// A mark that opens a quotation or a bracket belongs to the word behind it.
const TRAILING = /[\s\p{Ps}\p{Pi}¿¡]+$/u

/** The whole words of a text before a position in UTF-16 units. A higher position never gives fewer. */
export const wordsBefore = (text: string, position: number): string => {
  if (position <= 0) return ""
  let end = position >= text.length ? text.length : wordAt(text, position)
  // white space may be part of a grapheme
  while (true) {
    const kept = text.slice(0, end).replace(TRAILING, "")
    end = graphemeAt(text, kept.length)
    if (end === kept.length) return kept
  }
}

/** The pieces in which a text is spoken: words with the white space behind them, long ones in parts. Joined they are the text. */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  (text.match(/\S+\s*|^\s+/g) ?? []).flatMap((chunk) =>
    chunk.length <= MAX_WHOLE_WORD ? [chunk] : Array.from(words.segment(chunk), ({ segment }) => segment)
  )

// The end of the last word that ends at the position or before it; in a very long word, the position itself.
const wordAt = (text: string, position: number): number => {
  const segments = words.segment(text)
  let word = segments.containing(position)!
  while (word.index > 0 && PUNCTUATION.test(word.segment)) word = segments.containing(word.index - 1)!
  return word.segment.length > MAX_WHOLE_WORD ? Math.min(position, word.index + word.segment.length) : word.index
}

const graphemeAt = (text: string, position: number): number =>
  graphemes.segment(text).containing(position)?.index ?? position

// Nobody says more than 25 letters a second, or 10 characters that are syllables.
const MIN_MILLIS_PER_LETTER = 40
const MIN_MILLIS_PER_SYLLABLE = 100
const SYLLABLES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

/** The least time in which a voice can say a text, in milliseconds. */
export const minMillis = (text: string): number =>
  text.length * MIN_MILLIS_PER_LETTER +
  (text.match(SYLLABLES) ?? []).length * (MIN_MILLIS_PER_SYLLABLE - MIN_MILLIS_PER_LETTER)
