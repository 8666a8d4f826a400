/**
 * Reading events of the provider.
 */
import { type Fields, isFields, optionalFields, parse as parseJson } from "@effect-bidi/core/adapter/Json"

/** An event of the provider: `{ "event": { [type]: data } }`. */
export interface Frame {
  readonly type: string
  readonly data: Fields
}

/** What comes from the stream; `undefined` is a chunk that is no event. */
export type Inbound = Frame | undefined

const decoder = new TextDecoder()

export const parse = (bytes: Uint8Array): Inbound => {
  const event = optionalFields(parseJson(decoder.decode(bytes)), "event")
  if (event === undefined) return undefined
  const type = Object.keys(event)[0]
  const data = type === undefined ? undefined : event[type]
  return type !== undefined && isFields(data) ? { type, data } : undefined
}
