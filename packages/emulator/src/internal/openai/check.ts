/**
 * Checks with OpenAI's error codes and messages, and the path of the parameter.
 */
import { join, kindOf, makeChecks, quotedList, Refused } from "../session/check.ts"
import type { Words } from "../session/check.ts"

export { isRecord, isText, Refused } from "../session/check.ts"
export type { Check, Checked, Problem } from "../session/check.ts"

const words: Words = {
  nameOf: (given) => given,
  isUnset: () => false,
  wrongType: (value, path, expected) => {
    const what = path === "" ? "the event" : `'${path}'`
    const message = `Invalid type for ${what}: expected ${expected}, but got ${kindOf(value)} instead.`
    return new Refused("invalid_type", message, path === "" ? null : path)
  },
  outOfRange: (kind, value, path, min, max) => {
    const [side, word, sign, limit] =
      value < min ? (["below", "minimum", ">=", min] as const) : (["above", "maximum", "<=", max] as const)
    return new Refused(
      `${kind}_${side}_${word === "minimum" ? "min" : "max"}_value`,
      `Invalid '${path}': ${kind} ${side} ${word} value. Expected a value ${sign} ${limit}, but got ${value} instead.`,
      path
    )
  },
  notOneOf: (value, path, values) =>
    new Refused("invalid_value", `Invalid value: '${value}'. Supported values are: ${quotedList(values)}.`, path),
  unknown: (path, key) => new Refused("unknown_parameter", `Unknown parameter: '${join(path, key)}'.`, join(path, key)),
  missing: (path, key) =>
    new Refused("missing_required_parameter", `Missing required parameter: '${join(path, key)}'.`, join(path, key))
}

export const { decimal, either, fields, flag, integer, list, literals, nullable, record, tagged, text } =
  makeChecks(words)
