/**
 * Messages as the log keeps them: sound is replaced by its size.
 */
import type { Message } from "../../Emulator.ts"

/** A string is only taken for sound when it is this long: short ones are worth reading. */
const shortestSound = 64

const soundKeys = new Set(["audio", "delta", "data", "image_url"])
const base64 = /^(?:data:[\w/+.-]+;base64,)?[A-Za-z0-9+/]+={0,2}$/

const bytesOf = (text: string): number => Math.floor((text.length - text.indexOf(",") - 1) * 0.75)

interface Stripped {
  readonly value: unknown
  readonly bytes: number
}

const strip = (value: unknown, key: string): Stripped => {
  if (typeof value === "string") {
    // only the head is looked at: sound can be megabytes long
    const isSound =
      soundKeys.has(key) && value.length >= shortestSound && base64.test(value.slice(0, 256).replace(/=+$/, ""))
    return isSound
      ? { value: `<${bytesOf(value)} bytes>`, bytes: key === "image_url" ? 0 : bytesOf(value) }
      : { value, bytes: 0 }
  }
  if (typeof value !== "object" || value === null) return { value, bytes: 0 }
  const entries = Object.entries(value).map(([key, inner]) => [key, strip(inner, key)] as const)
  const bytes = entries.reduce((sum, [, inner]) => sum + inner.bytes, 0)
  if (Array.isArray(value)) return { value: entries.map(([, inner]) => inner.value), bytes }
  return { value: Object.fromEntries(entries.map(([key, inner]) => [key, inner.value])), bytes }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An event for the log. What is no object of JSON has the type "". */
export const toMessage = (options: {
  readonly kind: "received" | "sent"
  readonly connection: number
  readonly at: number
  readonly event: unknown
  readonly keepAudio: boolean
}): Message => {
  const { event, keepAudio, ...common } = options
  const { bytes, value } = strip(event, "")
  const shown = keepAudio ? event : value
  const record = isRecord(shown) ? shown : { text: shown }
  return { ...common, type: typeof record.type === "string" ? record.type : "", event: record, audioBytes: bytes }
}
