/**
 * Text split into words and clauses. Joined, they are the text again (except for text of white space alone).
 */

/** Words with the white space before them. The last word includes the white space after it. */
export const wordsOf = (text: string): ReadonlyArray<string> => {
  const words = text.match(/\s*\S+/gu) ?? []
  const tail = text.slice(words.join("").length)
  return words.length === 0 ? [] : [...words.slice(0, -1), words.at(-1)! + tail]
}

/** Clauses, which end with punctuation before a space, or with the text. */
export const clausesOf = (text: string): ReadonlyArray<string> => {
  const clauses: Array<string> = []
  let clause = ""
  for (const word of wordsOf(text)) {
    clause += word
    if (/[.!?;:,]["')\]]*\s*$/u.test(word)) {
      clauses.push(clause)
      clause = ""
    }
  }
  return clause === "" ? clauses : [...clauses, clause]
}

/** How long a word takes to say, in letters. A digit counts as three. */
export const weightOf = (word: string): number =>
  Math.max(1, (word.match(/\p{L}/gu) ?? []).length + 3 * (word.match(/\p{N}/gu) ?? []).length)

/** A small number that only depends on the letters of the word. */
export const hashOf = (word: string): number => {
  let hash = 2_166_136_261
  for (const char of word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 16_777_619)
  }
  // the low bits of FNV vary little for short words
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Voices with the ordinary pitch: none, and the default of OpenAI. */
const ordinary = new Set(["", "marin"])

/** Pitch of a provider's voice: 0.78 to 1.22 around the ordinary one, the same for the same name. */
export const pitchOf = (name: string): number => (ordinary.has(name) ? 1 : 0.775 + (hashOf(name) % 10) * 0.05)
