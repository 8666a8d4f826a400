/**
 * Reading messages that nobody vouches for.
 */
import * as Predicate from "effect/Predicate"

export type Fields = Readonly<Record<string, unknown>>

/** What comes from the socket; `undefined` is a message that is no JSON object. */
export type Inbound = Fields | undefined

/** A field is not what fields of its name are. Caught where messages are read; it never leaves the protocol. */
export class Malformed extends Error {}

export const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

// on this wire, what has its default value is left out

export const fields = (from: Fields, key: string): Fields | undefined => {
  const value = from[key]
  if (value === undefined || value === null) return undefined
  if (!isFields(value)) throw new Malformed(`"${key}" is not an object`)
  return value
}

export const list = (from: Fields, key: string): ReadonlyArray<unknown> => {
  const value = from[key]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Malformed(`"${key}" is not a list`)
  return value
}

export const text = (from: Fields, key: string): string => {
  const value = from[key]
  if (value === undefined || value === null) return ""
  if (typeof value !== "string") throw new Malformed(`"${key}" is not a string`)
  return value
}

export const flag = (from: Fields, key: string): boolean => from[key] === true

/** A count: zero when it is missing or no count. */
export const count = (from: Fields, key: string): number => {
  const value = from[key]
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}

export const parse = (json: string): Inbound => {
  try {
    const value: unknown = JSON.parse(json)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
