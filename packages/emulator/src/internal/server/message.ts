/**
 * Messages as the log keeps them: audio is replaced by its size.
 */
import type { Message } from "../../Emulator.ts"
import { isRecord } from "../session/check.ts"

/** What the base64 in a field is. */
export type Blob = "sound" | "picture"

type Json = Readonly<Record<string, unknown>>

export interface Wording {
  readonly typesOf: (event: Json) => ReadonlyArray<string>
  readonly blobOf: (key: string, parent: Json) => Blob | undefined
}

/** Shorter strings are not replaced. */
const shortestSound = 64

const base64 = /^(?:data:[\w/+.-]+;base64,)?[A-Za-z0-9+/]+={0,2}$/

const bytesOf = (text: string): number => {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  return Math.floor((text.length - text.indexOf(",") - 1) * 0.75) - padding
}

interface Stripped {
  readonly value: unknown
  readonly bytes: number
}

const strip = (value: unknown, key: string, parent: Json, { blobOf }: Pick<Wording, "blobOf">): Stripped => {
  if (typeof value === "string") {
    // only the start is tested, because audio may be megabytes long
    const blob =
      value.length >= shortestSound && base64.test(value.slice(0, 256).replace(/=+$/, ""))
        ? blobOf(key, parent)
        : undefined
    return blob === undefined
      ? { value, bytes: 0 }
      : { value: `<${bytesOf(value)} bytes>`, bytes: blob === "sound" ? bytesOf(value) : 0 }
  }
  if (typeof value !== "object" || value === null) return { value, bytes: 0 }
  const around = isRecord(value) ? value : parent
  const entries = Object.entries(value).map(([key, inner]) => [key, strip(inner, key, around, { blobOf })] as const)
  const bytes = entries.reduce((sum, [, inner]) => sum + inner.bytes, 0)
  if (Array.isArray(value)) return { value: entries.map(([, inner]) => inner.value), bytes }
  return { value: Object.fromEntries(entries.map(([key, inner]) => [key, inner.value])), bytes }
}

/** A logged message. The type of anything but a JSON object is "". */
export const toMessage = (options: {
  readonly kind: "received" | "sent"
  readonly connection: number
  readonly at: number
  readonly event: unknown
  readonly keepAudio: boolean
  readonly wording: Wording
}): Message => {
  const { event, keepAudio, wording, ...common } = options
  const { bytes, value } = strip(event, "", {}, wording)
  const types = isRecord(event) ? wording.typesOf(event) : []
  const shown = keepAudio ? event : value
  const record = isRecord(shown) ? shown : { text: shown }
  return { ...common, type: types[0] ?? "", types, event: record, audioBytes: bytes }
}
