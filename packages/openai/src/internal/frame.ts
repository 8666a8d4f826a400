/**
 * Reading frames that nobody vouches for.
 */
import * as Predicate from "effect/Predicate"

/** A JSON object with a type, as the SDK hands it over. */
export interface Frame {
  readonly type: string
  readonly [key: string]: unknown
}

/** What comes from the socket; `undefined` is a frame that is no JSON object with a type. */
export type Inbound = Frame | undefined

/** What our own clock says of a request: its time is over. In line with what the provider says. */
export const overdue = (eventId: string): Frame => ({ type: OVERDUE, request: eventId })

export const OVERDUE = "bidi.overdue"

export type Fields = Readonly<Record<string, unknown>>

/** A frame lacks what frames of its kind have. Caught where frames are read; it never leaves the protocol. */
export class Malformed extends Error {}

export const text = (from: Fields, key: string): string => {
  const value = from[key]
  if (typeof value !== "string") throw new Malformed(`"${key}" is not a string`)
  return value
}

export const fields = (from: Fields, key: string): Fields => {
  const value = from[key]
  if (!isFields(value)) throw new Malformed(`"${key}" is not an object`)
  return value
}

export const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

export const optionalText = (from: Fields, key: string): string | undefined => {
  const value = from[key]
  return typeof value === "string" ? value : undefined
}

/** A count: zero when it is missing or no count. */
export const count = (from: Fields | undefined, key: string): number => {
  const value = from?.[key]
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}
