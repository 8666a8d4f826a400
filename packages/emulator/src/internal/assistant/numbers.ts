/**
 * Numbers written as words: "twenty five" is 25.
 */

const units = [
  ..."zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(" "),
  ..."seventeen eighteen nineteen".split(" ")
]
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ")
const scales: { readonly [word: string]: number } = { thousand: 1000, million: 1_000_000, billion: 1_000_000_000 }

const small = new Map<string, number>([
  ...units.map((word, value) => [word, value] as const),
  ...tens.map((word, index) => [word, (index + 2) * 10] as const)
])

const isNumberWord = (word: string): boolean => small.has(word) || word === "hundred" || word in scales

/** The value of a run of number words; `and` may stand inside it. */
const valueOf = (words: ReadonlyArray<string>): number => {
  let total = 0
  let group = 0
  for (const word of words) {
    if (word === "hundred") group = Math.max(1, group) * 100
    else if (word in scales) {
      total += Math.max(1, group) * scales[word]!
      group = 0
    } else group += small.get(word) ?? 0
  }
  return total + group
}

/** Whether `next` continues the number that ends with `last`: "twenty five" does, "five twenty" does not. */
const continues = (last: string, next: string): boolean => {
  if (next === "hundred" || next in scales) return small.has(last) || last === "hundred"
  if (last === "hundred" || last in scales) return true
  return (small.get(last) ?? 0) >= 20 && (small.get(next) ?? 0) < 10 && small.get(next) !== 0
}

/**
 * The text with every number in digits: words are replaced, thousands separators dropped, "3 point 5" becomes 3.5.
 * Everything else stays as it is.
 */
export const withDigits = (text: string): string => {
  const parts = text.replace(/(?<=\d),(?=\d{3}\b)/g, "").split(/(\s+|-(?=[a-z])|[^\w\s'.-]+)/i)
  const out: Array<string> = []
  for (let i = 0; i < parts.length;) {
    const first = parts[i]!.toLowerCase()
    if (!isNumberWord(first) || first === "hundred" || first in scales) {
      out.push(parts[i]!)
      i++
      continue
    }
    const words = [first]
    let end = i + 1
    for (;;) {
      const gap = parts[end] ?? ""
      const next = (parts[end + 1] ?? "").toLowerCase()
      if (!/^(\s+|-)$/.test(gap)) break
      if (isNumberWord(next) && continues(words.at(-1)!, next)) {
        words.push(next)
        end += 2
      } else if (next === "and" && (words.at(-1) === "hundred" || words.at(-1)! in scales)) {
        const after = (parts[end + 3] ?? "").toLowerCase()
        if (!small.has(after)) break
        words.push(after)
        end += 4
      } else break
    }
    out.push(`${valueOf(words)}`)
    i = end
  }
  return out.join("").replace(/(\d+) point ((?:\d ?)+)/gi, (_, whole: string, rest: string) => {
    const digits = rest.replaceAll(" ", "")
    return `${whole}.${digits}${rest.endsWith(" ") ? " " : ""}`
  })
}

/** All numbers of the text, in order. */
export const numbersIn = (text: string): ReadonlyArray<number> =>
  [...withDigits(text).matchAll(/(?<![A-WYZ_.\d-])(?:(?<!\d )(?:minus |negative )|-)?\d+(?:\.\d+)?/gi)].map(([match]) =>
    Number(match.replace(/minus |negative /i, "-"))
  )
