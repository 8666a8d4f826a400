/**
 * The encoding of messages: base64 of JSON in a frame of an event stream. Frames of a client are wrapped in frames with a
 * signature.
 */
import { isRecord } from "../session/check.ts"
import type { WireEvent } from "../session/machine.ts"
import type { Blob } from "../server/message.ts"
import type { Incoming } from "../server/transport.ts"
import { Corrupt, decode, encode } from "../eventstream/message.ts"
import type { Message } from "../eventstream/message.ts"
import type { Codec } from "../http2/transport.ts"
import { parse } from "../websocket/transport.ts"

const word = (value: string) => ({ type: "string", value }) as const

const unreadable = (reason: string): Incoming => ({
  shown: { corrupt: reason },
  input: { _tag: "Unreadable", reason }
})

/** Only the length of a signature, 32 bytes, is checked: the emulator knows no secret. */
const isSigned = ({ headers }: Message): boolean => {
  const date = headers[":date"]
  const signature = headers[":chunk-signature"]
  return date?.type === "timestamp" && signature?.type === "binary" && signature.value.length === 32
}

const textIn = ({ headers, payload }: Message): string | undefined => {
  if (headers[":event-type"]?.value !== "chunk" || headers[":message-type"]?.value !== "event") return undefined
  const body = parse(Buffer.from(payload).toString("utf8"))
  const bytes = isRecord(body) ? body.bytes : undefined
  return typeof bytes === "string" ? Buffer.from(bytes, "base64").toString("utf8") : undefined
}

const read = (message: Message, mustSign: boolean): Incoming => {
  const signed = isSigned(message)
  if (mustSign && !signed) return unreadable("A frame has no :date and :chunk-signature of the right shape.")
  if (signed && message.payload.length === 0) return { shown: undefined, input: { _tag: "Ended" } }
  const inner = signed ? decode(Buffer.from(message.payload)) : message
  if (inner instanceof Corrupt) return unreadable(inner.reason)
  const text = textIn(inner)
  if (text === undefined) return unreadable("A frame holds no chunk.")
  return { shown: parse(text), input: { _tag: "Text", text } }
}

const frame = (bytes: string): Buffer =>
  encode({
    headers: {
      ":event-type": word("chunk"),
      ":content-type": word("application/json"),
      ":message-type": word("event")
    },
    payload: Buffer.from(JSON.stringify({ bytes: Buffer.from(bytes).toString("base64") }))
  })

/** For frames with a signature, or without one for clients with a bearer token. */
export const codec = (mustSign: boolean): Codec => ({
  encode: (event) => {
    const { exception } = event
    if (!isRecord(exception)) return frame(JSON.stringify(event))
    return encode({
      headers: {
        ":exception-type": word(String(exception.type)),
        ":content-type": word("application/json"),
        ":message-type": word("exception")
      },
      payload: Buffer.from(JSON.stringify({ message: exception.message }))
    })
  },
  encodeText: frame,
  decode: (message) => read(message, mustSign)
})

/** The name of an event, or the type of an exception. */
export const typesOf = ({ event, exception }: WireEvent): ReadonlyArray<string> => {
  if (isRecord(exception)) return [String(exception.type)]
  return isRecord(event) ? Object.keys(event) : []
}

/** What the base64 in a field is. Other long texts have spaces or quotes in them. */
export const blobOf = (key: string): Blob | undefined => (key === "content" ? "sound" : undefined)
