/**
 * Checks with Nova's error messages. The service has one message for everything; the details in parentheses are the
 * emulator's own.
 */
import { join, kindOf, makeChecks, quotedList, Refused } from "../session/check.ts"
import type { Words } from "../session/check.ts"

export { isRecord, Refused } from "../session/check.ts"
export type { Check, Checked } from "../session/check.ts"

/** A chunk that cannot be read. */
export const unparsable = (detail: string): Refused =>
  new Refused(
    "validationException",
    `Unable to parse input chunk. Please check input format contains correct format. (${detail})`,
    null
  )

const words: Words = {
  nameOf: (given) => given,
  isUnset: (value) => value === null,
  wrongType: (value, path, expected) => unparsable(`${path || "the event"} is ${kindOf(value)}, not ${expected}`),
  outOfRange: (_, value, path, min, max) => unparsable(`${path} is ${value}, not ${min} to ${max}`),
  notOneOf: (value, path, values) => unparsable(`${path} is '${value}', not ${quotedList(values)}`),
  unknown: (path, key) => unparsable(`nobody knows ${join(path, key)}`),
  missing: (path, key) => unparsable(`${join(path, key)} is missing`)
}

export const { decimal, fields, flag, integer, list, literals, record, text } = makeChecks(words)
