/**
 * Messages of an AWS event stream: a prelude with two lengths and its checksum, headers, a payload, a checksum of all.
 */
import { crc32 } from "node:zlib"
import { Corrupt, decodeHeaders, encodeHeaders } from "./headers.ts"
import type { Headers } from "./headers.ts"

export { Corrupt } from "./headers.ts"
export type { Headers } from "./headers.ts"

export interface Message {
  readonly headers: Headers
  readonly payload: Uint8Array
}

const preludeLength = 12
const overhead = preludeLength + 4

/** What a message begins with: how long it is, how long its headers are, and a checksum of both. */
export const prelude = (length: number, headersLength: number): Buffer => {
  const bytes = Buffer.alloc(preludeLength)
  bytes.writeUInt32BE(length, 0)
  bytes.writeUInt32BE(headersLength, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  return bytes
}

/** The message as bytes. */
export const encode = ({ headers, payload }: Message): Buffer => {
  const head = encodeHeaders(headers)
  const message = Buffer.alloc(overhead + head.length + payload.length)
  message.set(prelude(message.length, head.length), 0)
  message.set(head, preludeLength)
  message.set(payload, preludeLength + head.length)
  message.writeUInt32BE(crc32(message.subarray(0, -4)), message.length - 4)
  return message
}

/** The message in just these bytes. */
export const decode = (bytes: Buffer): Message | Corrupt => {
  if (bytes.length < overhead || bytes.readUInt32BE(0) !== bytes.length) {
    return new Corrupt("The message is not as long as it says.")
  }
  if (bytes.readUInt32BE(8) !== crc32(bytes.subarray(0, 8))) {
    return new Corrupt("The prelude checksum does not match.")
  }
  if (bytes.readUInt32BE(bytes.length - 4) !== crc32(bytes.subarray(0, -4))) {
    return new Corrupt("The message checksum does not match.")
  }
  const headersLength = bytes.readUInt32BE(4)
  if (headersLength > bytes.length - overhead) return new Corrupt("The headers are longer than the message.")
  const headers = decodeHeaders(bytes.subarray(preludeLength, preludeLength + headersLength))
  if (headers instanceof Corrupt) return headers
  return { headers, payload: new Uint8Array(bytes.subarray(preludeLength + headersLength, -4)) }
}

/** Bytes that are not a complete message yet. */
export interface Rest {
  readonly chunks: ReadonlyArray<Buffer>
  readonly length: number
}

export const nothing: Rest = { chunks: [], length: 0 }

/** Processes the next bytes of a stream. Returns the complete messages; a corrupt one is the last. */
export const split = (
  { chunks, length }: Rest,
  chunk: Buffer,
  longest: number
): readonly [Rest, ReadonlyArray<Message | Corrupt>] => {
  const all = [...chunks, chunk]
  const have = length + chunk.length
  const first = have < 4 ? undefined : (all[0]!.length >= 4 ? all[0]! : Buffer.concat(all)).readUInt32BE(0)
  // chunks are joined only when they make a complete message
  if (first === undefined || (have < first && first <= longest)) return [{ chunks: all, length: have }, []]
  let rest = Buffer.concat(all)
  const messages: Array<Message | Corrupt> = []
  while (rest.length >= 4) {
    const size = rest.readUInt32BE(0)
    if (size > longest) return [nothing, [...messages, new Corrupt(`A message of ${size} bytes is too long.`)]]
    if (size >= overhead && rest.length < size) break
    const message = decode(rest.subarray(0, size))
    messages.push(message)
    if (message instanceof Corrupt) return [nothing, messages]
    rest = rest.subarray(size)
  }
  return [{ chunks: [rest], length: rest.length }, messages]
}
