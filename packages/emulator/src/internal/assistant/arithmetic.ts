/**
 * Sums in words, turned into an expression that a calculator can read. The emulator never computes it: the tool does.
 */
import { withDigits } from "./numbers.ts"

const rewrites: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bsubtract (.+?) from (.+)/gi, "$2 minus $1"],
  [/\b(?:add|the sum of|sum of) (.+?) (?:and|to) (.+)/gi, "$1 plus $2"],
  [/\b(?:multiply) (.+?) (?:by|and|with) (.+)/gi, "$1 times $2"],
  [/\b(?:the product of|product of) (.+?) and (.+)/gi, "$1 times $2"],
  [/\bdivide (.+?) by (.+)/gi, "$1 over $2"],
  [/\b(?:the difference between|difference between) (.+?) and (.+)/gi, "$1 minus $2"],
  [/\b(?:the )?square root of (\d+(?:\.\d+)?)/gi, "sqrt ( $1 )"],
  [/\b(?:the )?square root of (?=\()/gi, "sqrt "],
  [/\bhalf of (\d+(?:\.\d+)?)/gi, "( $1 over 2 )"],
  [/\b(?:double|twice) (\d+(?:\.\d+)?)/gi, "( 2 times $1 )"],
  [/\b(?:open|left) (?:paren|parenthesis|bracket)\b/gi, "("],
  [/\b(?:close|right) (?:paren|parenthesis|bracket)\b/gi, ")"],
  [/\b(?:multiplied by|times)\b|[×*]/gi, " * "],
  [/(?<=\d\s*)x(?=\s*\d)/gi, " * "],
  [/\bdivided by\b|\bover\b|[÷/]/gi, " / "],
  [/(?:\bpercent\b|\bper cent\b|%) of\b/gi, " / 100 * "],
  [/\bpercent\b|\bper cent\b|%/gi, " / 100 "],
  [/\bsquared\b/gi, " ^ 2 "],
  [/\bcubed\b/gi, " ^ 3 "],
  [/\b(?:to the power of|raised to)\b|\*\*/gi, " ^ "],
  [/\bplus\b/gi, " + "],
  [/\b(?:minus|less|negative)\b/gi, " - "],
  [/[()+^]/g, " $& "],
  [/(?<=[\d)]\s*)-(?=\s*[\d(])/g, " - "],
  [/[?!,;:=]|\.(?!\d)/g, " . "]
]

const isNumber = (token: string | undefined): boolean => token !== undefined && /^-?\d+(\.\d+)?$/.test(token)
const isOperator = (token: string | undefined): boolean => token !== undefined && /^[-+*/^]$/.test(token)

/** End of the longest expression that starts at `at`, and whether anything is computed in it. */
const scan = (
  tokens: ReadonlyArray<string>,
  at: number
): { readonly end: number; readonly sum: boolean } | undefined => {
  const operand = (i: number): { end: number; sum: boolean } | undefined => {
    if (tokens[i] === "-") {
      const inner = operand(i + 1)
      return inner === undefined ? undefined : { end: inner.end, sum: inner.sum }
    }
    if (isNumber(tokens[i])) return { end: i + 1, sum: false }
    if (tokens[i] === "sqrt") {
      const inner = tokens[i + 1] === "(" ? operand(i + 1) : undefined
      return inner === undefined ? undefined : { end: inner.end, sum: true }
    }
    if (tokens[i] !== "(") return undefined
    const inner = scan(tokens, i + 1)
    return inner !== undefined && tokens[inner.end] === ")" ? { end: inner.end + 1, sum: inner.sum } : undefined
  }
  let found = operand(at)
  while (found !== undefined && isOperator(tokens[found.end])) {
    const right = operand(found.end + 1)
    if (right === undefined) break
    found = { end: right.end, sum: true }
  }
  return found
}

const write = (tokens: ReadonlyArray<string>): string =>
  tokens
    .map((token, i) =>
      token === "-" && (i === 0 || isOperator(tokens[i - 1]) || tokens[i - 1] === "(") ? "-\0" : token
    )
    .join(" ")
    .replace(/\0 /g, "")
    .replace(/\( /g, "(")
    .replace(/ \)/g, ")")
    .replace(/sqrt \(/g, "sqrt(")

/** The expression in the text, such as `25 * 48`, or `undefined` without one. */
export const expressionIn = (text: string): string | undefined => {
  let words = withDigits(text)
  for (const [pattern, replacement] of rewrites) words = words.replace(pattern, replacement)
  const tokens = words.split(/\s+/).filter((token) => token !== "")
  let best: ReadonlyArray<string> = []
  for (let i = 0; i < tokens.length; i++) {
    const found = scan(tokens, i)
    if (found?.sum === true && found.end - i > best.length) best = tokens.slice(i, found.end)
  }
  return best.length === 0 ? undefined : write(best)
}
