/**
 * The body of a refused handshake, `{ error: { message, status, details } }`.
 */
import { delay } from "@effect-bidi/core/adapter/AdapterErrors"
import { type Fields, filledText, isFields, optionalFields, parse } from "@effect-bidi/core/adapter/Json"
import type * as Duration from "effect/Duration"

/** What a body says, none of which has to be there. */
export interface ErrorBody {
  readonly message?: string | undefined
  /** The name of a google.rpc.Code. */
  readonly status?: string | undefined
  /** When to try again (google.rpc.RetryInfo). */
  readonly retryDelay?: Duration.Duration | undefined
}

export const errorIn = (body: string): ErrorBody => {
  const error = optionalFields(first(body), "error")
  if (error === undefined) return {}
  return { message: filledText(error, "message"), status: filledText(error, "status"), retryDelay: retryDelayIn(error) }
}

// an error of several comes as a list
const first = (body: string): Fields | undefined => {
  if (!body.trimStart().startsWith("[")) return parse(body)
  const list = parse(`{"errors":${body}}`)?.errors
  return Array.isArray(list) && isFields(list[0]) ? list[0] : undefined
}

const retryDelayIn = ({ details }: Fields): Duration.Duration | undefined => {
  const info = Array.isArray(details) ? details.find((detail) => isFields(detail) && "retryDelay" in detail) : undefined
  const millis = isFields(info) ? millisOf(info.retryDelay) : undefined
  return millis === undefined ? undefined : delay(millis)
}

/** Milliseconds of a time as protobuf writes it in JSON: `"9.5s"`. */
export const millisOf = (time: unknown): number | undefined => {
  const seconds = typeof time === "string" ? /^(\d+(?:\.\d+)?)s$/.exec(time)?.[1] : undefined
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
