/**
 * Checks with Gemini's error messages, in the JSON of protocol buffers: names may be in camel case or snake case, and
 * `null` means that a field is missing.
 */
import { join, makeChecks, Refused } from "../session/check.ts"
import type { Words } from "../session/check.ts"

export { isRecord, Refused } from "../session/check.ts"
export type { Check, Checked } from "../session/check.ts"

/** A refusal with this message. */
export const refused = (message: string, path: string | null = null): Refused =>
  new Refused("INVALID_ARGUMENT", message, path)

/** A value of the right type that is not allowed, such as a name that is not in the list. */
export const invalid = (path: string, kind: string, value: unknown): Refused =>
  refused(`Invalid value at '${path}' (${kind}), ${JSON.stringify(value)}`, path)

/** `voice_config` is `voiceConfig`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const words: Words = {
  nameOf: camelCase,
  isUnset: (value) => value === null,
  wrongType: (value, path, expected) => invalid(path, expected, value),
  outOfRange: (_, value, path, min, max) => invalid(path, `${min} to ${max}`, value),
  notOneOf: (value, path, values) => invalid(path, values.join("|"), value),
  unknown: (path, key) =>
    refused(
      `Invalid JSON payload received. Unknown name "${key}"${path === "" ? "" : ` at '${path}'`}: Cannot find field.`,
      join(path, key)
    ),
  missing: (path, key) => refused(`${join(path, key)} is required.`, join(path, key))
}

export const { decimal, fields, flag, integer, list, literals, record, text } = makeChecks(words)
