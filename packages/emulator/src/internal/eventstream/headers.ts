/**
 * The headers of an event-stream message: names with typed values.
 */

export type Value =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "byte" | "short" | "integer"; readonly value: number }
  | { readonly type: "long"; readonly value: bigint }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "string"; readonly value: string }
  /** Milliseconds since the epoch. */
  | { readonly type: "timestamp"; readonly value: number }
  | { readonly type: "uuid"; readonly value: string }

export type Headers = Readonly<Record<string, Value>>

/** Bytes that are not a valid message. */
export class Corrupt {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

const lengthOf: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 }

const valueOf = (kind: number, bytes: Buffer): Value => {
  switch (kind) {
    case 0:
    case 1:
      return { type: "boolean", value: kind === 0 }
    case 2:
      return { type: "byte", value: bytes.readInt8() }
    case 3:
      return { type: "short", value: bytes.readInt16BE() }
    case 4:
      return { type: "integer", value: bytes.readInt32BE() }
    case 5:
      return { type: "long", value: bytes.readBigInt64BE() }
    case 6:
      return { type: "binary", value: new Uint8Array(bytes) }
    case 7:
      return { type: "string", value: bytes.toString("utf8") }
    case 8:
      return { type: "timestamp", value: Number(bytes.readBigInt64BE()) }
    default:
      return { type: "uuid", value: bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") }
  }
}

/** The headers in the bytes; they have to fill them exactly. */
export const decodeHeaders = (bytes: Buffer): Headers | Corrupt => {
  const headers: Record<string, Value> = {}
  let at = 0
  const take = (length: number): Buffer | undefined => {
    if (at + length > bytes.length) return undefined
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const name = take(take(1)![0]!)
    const kind = take(1)?.[0]
    if (name === undefined || kind === undefined) return new Corrupt("The headers end in the middle of a name.")
    const length = kind === 6 || kind === 7 ? take(2)?.readUInt16BE() : lengthOf[kind]
    const value = length === undefined ? undefined : take(length)
    if (value === undefined) return new Corrupt(`The header ${name.toString("utf8")} has no value of a known type.`)
    headers[name.toString("utf8")] = valueOf(kind, value)
  }
  return headers
}

const sized = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

const bytesOf = (given: Value): readonly [kind: number, Buffer] => {
  const buffer = Buffer.alloc(8)
  switch (given.type) {
    case "boolean":
      return [given.value ? 0 : 1, Buffer.alloc(0)]
    case "byte":
      buffer.writeInt8(given.value)
      return [2, buffer.subarray(0, 1)]
    case "short":
      buffer.writeInt16BE(given.value)
      return [3, buffer.subarray(0, 2)]
    case "integer":
      buffer.writeInt32BE(given.value)
      return [4, buffer.subarray(0, 4)]
    case "long":
      buffer.writeBigInt64BE(given.value)
      return [5, buffer]
    case "binary":
      return [6, sized(given.value)]
    case "string":
      return [7, sized(Buffer.from(given.value))]
    case "timestamp":
      buffer.writeBigInt64BE(BigInt(given.value))
      return [8, buffer]
    case "uuid":
      return [9, Buffer.from(given.value.replaceAll("-", ""), "hex")]
  }
}

/** The headers as bytes. */
export const encodeHeaders = (headers: Headers): Buffer =>
  Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const [kind, bytes] = bytesOf(value)
      const text = Buffer.from(name)
      return Buffer.concat([Buffer.from([text.length]), text, Buffer.from([kind]), bytes])
    })
  )
