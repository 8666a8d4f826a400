/**
 * The encoding of messages: JSON in binary frames from the server, in text or binary frames from a client. One message may
 * hold several things.
 */
import { isRecord } from "../session/check.ts"
import type { WireEvent } from "../session/machine.ts"
import type { Blob } from "../server/message.ts"
import { parse } from "../websocket/transport.ts"
import type { Codec } from "../websocket/transport.ts"
import { camelCase } from "./check.ts"

export const codec: Codec = {
  encode: (text) => Buffer.from(text),
  decode: (data) => {
    const text = data.toString("utf8")
    return { shown: parse(text), input: { _tag: "Text", text } }
  },
  garbage: '{"serverContent":{"modelTurn":'
}

/** Messages whose fields count as types of their own. */
const nested = new Set(["serverContent", "realtimeInput"])

/** Fields that only describe `turnComplete`. */
const details = new Set(["turnCompleteReason", "interactionStatus"])

/** The types of a message: `serverContent.modelTurn`, `usageMetadata`. */
export const typesOf = (event: WireEvent): ReadonlyArray<string> =>
  Object.entries(event).flatMap(([given, inner]) => {
    const key = camelCase(given)
    if (!nested.has(key) || !isRecord(inner)) return [key]
    const names = Object.keys(inner).map(camelCase)
    const isEnd = names.includes("turnComplete")
    return names.filter((name) => !isEnd || !details.has(name)).map((name) => `${key}.${name}`)
  })

/** What the base64 in a field is, by the media type beside it. */
export const blobOf = (key: string, parent: WireEvent): Blob | undefined => {
  if (key !== "data") return undefined
  const type = parent.mimeType ?? parent.mime_type
  return typeof type === "string" && type.startsWith("audio/") ? "sound" : "picture"
}
