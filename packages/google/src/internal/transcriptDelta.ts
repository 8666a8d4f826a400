/**
 * What a piece of transcription adds to the words before it. Pieces bring their own spaces, and are joined as they come,
 * but for two things that the provider does:
 *
 * - What was said after a pause comes in a burst of its own, without a space between ("table." and "For four").
 * - A burst comes once more, alone or at the beginning of a longer one.
 */

/** Nothing, where the piece says only what is there already. */
export const deltaOf = (before: string, piece: string): string => {
  if (before.trim() === "" || piece === "") return piece
  return beginsBurst(before, piece) ? ` ${piece}` : (again(before, piece) ?? piece)
}

// A sentence, or a part of one, that ends without a space, and a piece that begins one with a letter. Numbers, names of
// hosts and abbreviations are written without a space too.
const beginsBurst = (before: string, piece: string): boolean => {
  if (again(before, piece) !== undefined) return false
  const sentence = before.replace(CLOSING, "")
  if (sentence.endsWith(".")) return !/(^|[\s.])\p{L}\.$/u.test(sentence) && /^["'“‘¿¡(]?\p{Lu}/u.test(piece)
  return /[,;:!?…]$/u.test(sentence) && /^["'“‘¿¡(]?\p{L}/u.test(piece)
}

// What closes a quotation or a bracket behind the end of a sentence.
const CLOSING = /(?<=[.!?…])["'”’)\]]+$/u

/** What is new in a piece that says all of it again; `undefined` for one that does not. */
const again = (before: string, piece: string): string | undefined => {
  const known = before.trimStart()
  // one word may well be said twice, and one that begins with a space goes on
  if (!/\S\s+\S/u.test(known.trimEnd()) || /^\s/u.test(piece)) return undefined
  if (piece.startsWith(known)) return piece.slice(known.length)
  // with less white space at its end than there is
  if (piece === known.trimEnd()) return ""
  const burst = lastBurst(known)
  return burst !== undefined && piece.trimEnd() === burst ? "" : undefined
}

// The last sentence, if it is more than a word.
const lastBurst = (text: string): string | undefined => {
  const last = /(?:^|[.!?…]\s+)([^.!?…]*\s[^.!?…]*[.!?…]+)\s*$/u.exec(text)?.[1]
  return last?.trim()
}
