/**
 * Text as it is spoken: its words in every script, where it may be cut, and how long it takes at least.
 *
 * A cut is between two words; inside a word only where that is very long, and never inside what a reader takes for one
 * character. A mark of punctuation belongs to the word before it.
 *
 * @since 0.1.0
 */

const words = new Intl.Segmenter(undefined, { granularity: "word" })
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

// A name of a place or a number of many digits is spoken for seconds: of longer words than this a part was heard.
const LONGEST = 20

const PUNCTUATION = /^\p{P}+$/u

// What opens a quotation or a bracket belongs to the word behind it.
const TRAILING = /[\s\p{Ps}\p{Pi}¿¡]+$/u

/**
 * The part of a text before a position, in UTF-16 units, that a listener has heard as words. Grows with the position.
 *
 * @category functions
 */
export const wordsBefore = (text: string, position: number): string => {
  if (position <= 0) return ""
  let end = position >= text.length ? text.length : wordAt(text, position)
  // white space may be part of a character
  while (true) {
    const kept = text.slice(0, end).replace(TRAILING, "")
    end = graphemeAt(text, kept.length)
    if (end === kept.length) return kept
  }
}

/**
 * The pieces in which a text is spoken: words with the white space behind them, long ones in parts. Together they are the
 * text.
 *
 * @category functions
 */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  (text.match(/\S+\s*|^\s+/g) ?? []).flatMap((chunk) =>
    chunk.length <= LONGEST ? [chunk] : Array.from(words.segment(chunk), ({ segment }) => segment)
  )

// The end of the last word that ends at the position or before, or of its last character in a very long word.
const wordAt = (text: string, position: number): number => {
  const segments = words.segment(text)
  let word = segments.containing(position)!
  while (word.index > 0 && PUNCTUATION.test(word.segment)) word = segments.containing(word.index - 1)!
  return word.segment.length > LONGEST ? Math.min(position, word.index + word.segment.length) : word.index
}

const graphemeAt = (text: string, position: number): number =>
  graphemes.segment(text).containing(position)?.index ?? position

// Nobody says more than 25 letters a second, or 10 characters that are syllables.
const LETTER = 40
const SYLLABLE = 100
const SYLLABLES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

/**
 * The least time in which a voice can say a text, in milliseconds.
 *
 * @category functions
 */
export const shortest = (text: string): number =>
  text.length * LETTER + (text.match(SYLLABLES) ?? []).length * (SYLLABLE - LETTER)
