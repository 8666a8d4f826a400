/**
 * The answer to a handshake that was refused: its body says why.
 */
import * as Duration from "effect/Duration"
import type { IncomingMessage } from "node:http"
import { type Fields, fields, isFields, parse } from "./frame.ts"

/** An answer to the handshake that is no connection. */
export interface Refusal {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
  /** Milliseconds of the epoch, for a `retry-after` that is a date. */
  readonly now: number
}

const BODY = 64 * 1024 // bytes that are read of it
const PATIENCE = 1000 // ms without another byte

/** Reads the body, or as much of it as comes. Answers at least once. */
export const readRefusal = (response: IncomingMessage, answer: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = () => answer(Buffer.concat(chunks).toString("utf8"))
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BODY) finish()
  })
  response.on("end", finish)
  response.on("error", finish)
  response.on("close", finish)
  response.setTimeout(PATIENCE, finish)
}

/** What a body in the provider's shape, `{ error: { message, status, details } }`, says. */
export interface Told {
  readonly message: string | undefined
  /** The name of a google.rpc.Code. */
  readonly name: string | undefined
}

const errorIn = (body: string): Fields => {
  try {
    // an error of several is told as a list
    const value: unknown = body.trimStart().startsWith("[") ? JSON.parse(body)[0] : parse(body)
    return (isFields(value) ? fields(value, "error") : undefined) ?? {}
  } catch {
    return {}
  }
}

const filled = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

export const toldBy = (body: string): Told => {
  const error = errorIn(body)
  return { message: filled(error.message), name: filled(error.status) }
}

const withinADay = { minimum: Duration.zero, maximum: Duration.days(1) }

/** When to try again: a header of seconds or a date (RFC 9110), else a detail of the body (google.rpc.RetryInfo). */
export const delayOf = ({ body, now, retryAfter }: Refusal): Duration.Duration | undefined => {
  const millis = fromHeader(retryAfter, now) ?? fromDetails(errorIn(body))
  return millis === undefined ? undefined : Duration.clamp(Duration.millis(millis), withinADay)
}

const fromHeader = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined || header.trim() === "") return undefined
  const seconds = Number(header)
  const millis = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000
  return Number.isFinite(millis) ? millis : undefined
}

const fromDetails = ({ details }: Fields): number | undefined => {
  const info = Array.isArray(details) ? details.find((detail) => isFields(detail) && "retryDelay" in detail) : undefined
  return isFields(info) ? millisOf(info.retryDelay) : undefined
}

/** Milliseconds of a time as protobuf writes it in JSON: `"9.5s"`. */
export const millisOf = (time: unknown): number | undefined => {
  const seconds = typeof time === "string" ? /^(\d+(?:\.\d+)?)s$/.exec(time)?.[1] : undefined
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
