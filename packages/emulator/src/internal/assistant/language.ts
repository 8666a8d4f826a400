/**
 * Just enough English to match the words of a sentence with those of a tool's name.
 */

/** Words without meaning for a request. */
const fillers = new Set(
  (
    "a an the of to in on at for from with by and or is are was be been do does did can could would will shall should may might please me my " +
    "mine i you your it its this that these those there here what what's which who whom how when where why have has had just now some any all " +
    "as if so but not no yes let lets us we our they them he she his her about into than then up out okay ok hey"
  ).split(" ")
)

/** Words in the names of many tools. */
const toolFillers = new Set("get set fetch tool function call do run make query api current my user new".split(" "))

/** The common stem of the forms of a word: "orders" and "order", "calculate" and "calculator". */
export const stem = (word: string): string => {
  const lower = word.toLowerCase()
  const singular = lower.replace(/ies$/, "y").replace(/(?<=..[^s])s$/, "")
  const cut = singular.replace(/(?:at(?:e|ed|ing|ion|or)|ing|ied|ed|ion|or|er|e|y)$/, "")
  return cut.length >= 3 ? cut : singular
}

/** Words in lower case, cut at spaces, punctuation, `_` and camelCase. */
export const tokens = (text: string): ReadonlyArray<string> =>
  (text.replace(/([a-z0-9])([A-Z])/g, "$1 $2").match(/[\p{L}\p{N}']+/gu) ?? []).map((word) =>
    word.toLowerCase().replace(/'s$|'/g, "")
  )

/** Stems of the words that carry meaning. */
export const contentOf = (text: string): ReadonlyArray<string> => [
  ...new Set(
    tokens(text)
      .filter((word) => !fillers.has(word))
      .map(stem)
  )
]

/** Stems of the words that tell one tool from another. */
export const toolContentOf = (name: string): ReadonlyArray<string> => {
  const words = tokens(name).filter((word) => !fillers.has(word) && !toolFillers.has(word))
  // a tool may be called just `run`
  return [...new Set((words.length === 0 ? tokens(name) : words).map(stem))]
}

/** `get_weather` as people say it: "get weather". */
export const spokenName = (name: string): string => tokens(name).join(" ")

/** "a", "a and b", "a, b and c". */
export const listed = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)!}`

/** First letter in upper case. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** A sentence: first letter in upper case, a mark at the end. */
export const sentence = (text: string): string => {
  const trimmed = text.trim()
  return /[.!?]["')\]]?$/.test(trimmed) ? capital(trimmed) : `${capital(trimmed)}.`
}
