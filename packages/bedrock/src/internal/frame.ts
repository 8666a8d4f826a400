/**
 * Reading events that nobody vouches for.
 */
import * as Predicate from "effect/Predicate"

export type Fields = Readonly<Record<string, unknown>>

/** An event of the provider: `{ "event": { [type]: data } }`. */
export interface Frame {
  readonly type: string
  readonly data: Fields
}

/** What comes from the stream; `undefined` is a chunk that is no event. */
export type Inbound = Frame | undefined

/** An event lacks what events of its kind have. Caught where events are read; it never leaves the protocol. */
export class Malformed extends Error {}

const decoder = new TextDecoder()

export const parse = (bytes: Uint8Array): Inbound => {
  try {
    const event = (JSON.parse(decoder.decode(bytes)) as { readonly event?: unknown } | null)?.event
    if (!isFields(event)) return undefined
    const type = Object.keys(event)[0]
    const data = type === undefined ? undefined : event[type]
    return type !== undefined && isFields(data) ? { type, data } : undefined
  } catch {
    return undefined
  }
}

export const text = (from: Fields, key: string): string => {
  const value = from[key]
  if (typeof value !== "string") throw new Malformed(`"${key}" is not a string`)
  return value
}

export const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

export const optionalText = (from: Fields, key: string): string | undefined => {
  const value = from[key]
  return typeof value === "string" ? value : undefined
}

export const optionalFields = (from: Fields | undefined, key: string): Fields | undefined => {
  const value = from?.[key]
  return isFields(value) ? value : undefined
}

/** A count: zero when it is missing or no count. */
export const count = (from: Fields | undefined, key: string): number => {
  const value = from?.[key]
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}
