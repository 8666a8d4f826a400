/**
 * The rest of a text that was spoken in part.
 */

/** A word as it is heard, and where it begins. */
export interface Placed {
  readonly word: string
  readonly at: number
}

/** The words of a text, without case and punctuation. */
export const place = (text: string): ReadonlyArray<Placed> =>
  [...text.matchAll(/\S+/g)].flatMap((match) => {
    const word = match[0].toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")
    return word === "" ? [] : [{ word, at: match.index }]
  })

/** What clients add to words that were cut off. */
const mark = /\s*(?:\[[^\]]*\]|…|\.\.\.)\s*$/

/**
 * The rest of `text` after `told`, which may start with something else; "" when `told` is all of it, `undefined` when
 * `told` does not end within it. A word that was cut off is repeated.
 */
export const restAfter = (text: string, told: string): string | undefined => {
  const words = place(text)
  const before = place(told.replace(mark, ""))
  for (let from = 0; from < before.length; from++) {
    let length = 0
    while (from + length < before.length && before[from + length]!.word === words[length]?.word) length++
    const [cut, ...others] = before.slice(from + length)
    if (length === 0 || others.length > 0 || (cut !== undefined && !words[length]?.word.startsWith(cut.word))) continue
    return length === words.length ? "" : text.slice(words[length]!.at)
  }
  return undefined
}
