/**
 * Reading JSON of a provider, none of which is trusted: fields of an object, by name and type.
 *
 * Readers that throw {@link Malformed} are for code that catches it where messages are read. It never leaves an adapter.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"

/**
 * A JSON object of which nothing is known.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = Readonly<Record<string, unknown>>

/**
 * A message lacks what messages of its kind have, or has it with another type.
 *
 * @category errors
 * @since 0.1.0
 */
export class Malformed extends Error {}

/**
 * Whether a value is a JSON object.
 *
 * @category guards
 * @since 0.1.0
 */
export const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

/**
 * Returns the object that a text says; `undefined` where the text is no JSON object.
 *
 * @category combinators
 * @since 0.1.0
 */
export const parse = (json: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Returns a string. Throws {@link Malformed} where there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const text = (from: Fields, key: string): string => {
  const value = from[key]
  if (typeof value !== "string") throw new Malformed(`"${key}" is not a string`)
  return value
}

/**
 * Returns a string, if there is one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const optionalText = (from: Fields, key: string): string | undefined => {
  const value = from[key]
  return typeof value === "string" ? value : undefined
}

/**
 * Returns a string that is not empty, if there is one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const filledText = (from: Fields, key: string): string | undefined => optionalText(from, key) || undefined

/**
 * Returns an object. Throws {@link Malformed} where there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fields = (from: Fields, key: string): Fields => {
  const value = from[key]
  if (!isFields(value)) throw new Malformed(`"${key}" is not an object`)
  return value
}

/**
 * Returns an object, if there is one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const optionalFields = (from: Fields | undefined, key: string): Fields | undefined => {
  const value = from?.[key]
  return isFields(value) ? value : undefined
}

/**
 * Returns a count: zero where it is missing, or no whole number of zero or more.
 *
 * @category combinators
 * @since 0.1.0
 */
export const count = (from: Fields | undefined, key: string): number => {
  const value = from?.[key]
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
