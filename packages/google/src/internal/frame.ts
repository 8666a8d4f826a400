/**
 * Reading messages, none of which is trusted. On this wire, what has its default value is left out.
 */
import { type Fields, isFields, Malformed } from "@effect-bidi/core/adapter/Json"

/** What comes from the socket; `undefined` is a message that is no JSON object. */
export type Inbound = Fields | undefined

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
