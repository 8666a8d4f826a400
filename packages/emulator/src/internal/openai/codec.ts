/**
 * The encoding of messages: JSON in text frames, one event in each.
 */
import type { WireEvent } from "../session/machine.ts"
import type { Blob } from "../server/message.ts"
import { parse } from "../websocket/transport.ts"
import type { Codec } from "../websocket/transport.ts"

export const codec: Codec = {
  encode: (text) => text,
  decode: (data, isBinary) => {
    if (isBinary) {
      const reason = "Expected a text WebSocket message; binary frames are not supported."
      return { shown: { bytes: data.length }, input: { _tag: "Unreadable", reason } }
    }
    const text = data.toString("utf8")
    return { shown: parse(text), input: { _tag: "Text", text } }
  },
  garbage: '{"type":"response.output_aud'
}

/** The type of an event. */
export const typesOf = ({ type }: WireEvent): ReadonlyArray<string> => (typeof type === "string" ? [type] : [])

const sounds = new Set(["audio", "delta"])

/** What the base64 in a field is. */
export const blobOf = (key: string): Blob | undefined =>
  sounds.has(key) ? "sound" : key === "image_url" ? "picture" : undefined

/** Gives an id to an event that a test pushes. */
export const complete = (event: WireEvent, n: number): WireEvent => ({ event_id: `event_pushed_${n}`, ...event })
