/**
 * The value of an arithmetic expression: numbers, `+ - * / % ^ !`, parentheses, constants and functions. There is nothing
 * else in the language, so nothing that a model writes can reach the program or run for ever.
 */

/** What is wrong with an expression. */
export class Malformed extends Error {}

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI]
])

interface Function {
  readonly takes: readonly [least: number, most: number]
  readonly of: (...values: ReadonlyArray<number>) => number
}

const modulo = (a: number, b: number): number => (b === 0 ? a : a - b * Math.floor(a / b))

// by way of decimal text, so that 1.005 to two places is 1.01 as a person expects
const round = (value: number, places = 0): number => {
  if (!Number.isInteger(places) || places < 0 || places > 15) throw new Malformed("round takes 0 to 15 decimal places")
  const size = Math.abs(value)
  const shifted =
    size < 1e21 && size >= 1e-6 ? Math.round(Number(`${size}e${places}`)) : Math.round(size * 10 ** places)
  return Math.sign(value) * Number(shifted < 1e21 ? `${shifted}e-${places}` : shifted / 10 ** places)
}

const log = (value: number, base?: number): number =>
  base === undefined
    ? Math.log(value)
    : base === 10
      ? Math.log10(value)
      : base === 2
        ? Math.log2(value)
        : Math.log(value) / Math.log(base)

const one = (of: (value: number) => number): Function => ({ takes: [1, 1], of })

const FUNCTIONS: ReadonlyMap<string, Function> = new Map<string, Function>([
  ["abs", one(Math.abs)],
  ["acos", one(Math.acos)],
  ["asin", one(Math.asin)],
  ["atan", one(Math.atan)],
  ["cbrt", one(Math.cbrt)],
  ["ceil", one(Math.ceil)],
  ["cos", one(Math.cos)],
  ["exp", one(Math.exp)],
  ["floor", one(Math.floor)],
  ["log", { takes: [1, 2], of: log }],
  ["log10", one(Math.log10)],
  ["log2", one(Math.log2)],
  ["max", { takes: [1, Infinity], of: Math.max }],
  ["min", { takes: [1, Infinity], of: Math.min }],
  ["mod", { takes: [2, 2], of: modulo }],
  ["pow", { takes: [2, 2], of: Math.pow }],
  ["round", { takes: [1, 2], of: round }],
  ["sign", one(Math.sign)],
  ["sin", one(Math.sin)],
  ["sqrt", one(Math.sqrt)],
  ["tan", one(Math.tan)]
])

const factorial = (value: number): number => {
  if (!Number.isInteger(value) || value < 0) throw new Malformed("! takes a whole number that is not negative")
  if (value > 170) return Infinity
  let product = 1
  for (let factor = 2; factor <= value; factor++) product *= factor
  return product
}

const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([a-z]\w*)|(\S))/giy

const tokensOf = (expression: string): Array<string> =>
  [...expression.trim().matchAll(TOKEN)].map(([, number, name, sign]) => number ?? name ?? sign!)

const isOperand = (token: string | undefined): boolean => token !== undefined && /^[\w.(]/.test(token)

/** Throws `Malformed`. From loosest to tightest: sum, product, sign, power, `!` and percent, operand. */
export const evaluate = (expression: string): number => {
  const tokens = tokensOf(expression)
  let at = 0
  const take = (token: string): boolean => tokens[at] === token && ++at > 0
  const expect = (token: string): void => {
    if (!take(token)) throw unexpected(`"${token}"`)
  }
  const unexpected = (wanted: string) =>
    new Malformed(`expected ${wanted}, but found ${at < tokens.length ? `"${tokens[at]}"` : "the end"}`)

  const sum = (): number => {
    let value = product()
    for (;;) {
      const sign = take("+") ? 1 : take("-") ? -1 : 0
      if (sign === 0) return value
      const start = at
      const right = product()
      // 50 + 10% is 55, as on a pocket calculator
      value += sign * (at === start + 2 && tokens[at - 1] === "%" ? value * right : right)
    }
  }

  const product = (): number => {
    let value = signed()
    for (;;) {
      if (take("*")) value *= signed()
      else if (take("/")) value /= signed()
      else if (take("%")) value = modulo(value, signed())
      else if (isOperand(tokens[at]) && !/^[\d.]/.test(tokens[at]!)) value *= power() // 2 pi
      else return value
    }
  }

  const signed = (): number => (take("-") ? -signed() : take("+") ? signed() : power())

  const power = (): number => {
    const base = postfixed()
    return take("^") ? base ** signed() : base
  }

  const postfixed = (): number => {
    let value = operand()
    for (;;) {
      if (take("!")) value = factorial(value)
      // a percent sign before an operand is a remainder
      else if (!isOperand(tokens[at + 1]) && take("%")) value /= 100
      else return value
    }
  }

  const operand = (): number => {
    const token = tokens[at]
    if (token === undefined || !isOperand(token)) throw unexpected("a number")
    at++
    if (token === "(") {
      const value = sum()
      expect(")")
      return value
    }
    if (/^[\d.]/.test(token)) return Number(token)
    const constant = CONSTANTS.get(token)
    if (constant !== undefined) return constant
    const named = FUNCTIONS.get(token)
    if (named === undefined) throw new Malformed(`there is no "${token}"`)
    expect("(")
    const values = [sum()]
    while (take(",")) values.push(sum())
    expect(")")
    if (values.length < named.takes[0] || values.length > named.takes[1]) {
      throw new Malformed(`${token} does not take ${values.length} ${values.length === 1 ? "number" : "numbers"}`)
    }
    return named.of(...values)
  }

  const value = sum()
  if (at < tokens.length) throw unexpected("an operator")
  return value
}
