/**
 * The codec of event streams, alone and against an independent one.
 */
import { assert, describe, it } from "@effect/vitest"
import { EventStreamCodec } from "@smithy/core/event-streams"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"
import { Corrupt, decode, encode, nothing, split } from "../src/internal/eventstream/message.ts"
import type { Headers, Message } from "../src/internal/eventstream/message.ts"

const other = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString("utf8"),
  (text) => Buffer.from(text)
)

const headers: Headers = {
  ":event-type": { type: "string", value: "chünk" },
  yes: { type: "boolean", value: true },
  no: { type: "boolean", value: false },
  byte: { type: "byte", value: -7 },
  short: { type: "short", value: -300 },
  integer: { type: "integer", value: -70_000 },
  long: { type: "long", value: -5_000_000_000n },
  ":chunk-signature": { type: "binary", value: new Uint8Array([1, 2, 3]) },
  ":date": { type: "timestamp", value: 1_795_429_339_409 },
  id: { type: "uuid", value: "12345678-9abc-def0-1234-56789abcdef0" }
}
const message: Message = { headers, payload: new Uint8Array([123, 125]) }

const whole = (bytes: Buffer): Message => {
  const decoded = decode(bytes)
  if (decoded instanceof Corrupt) throw new Error(decoded.reason)
  return decoded
}

describe("a message", () => {
  it("with headers of all types comes out as it went in", () => {
    assert.deepStrictEqual(whole(encode(message)), message)
  })

  it("is what another codec makes of it, both ways", () => {
    const theirs = other.decode(encode(message))
    for (const name of ["integer", ":event-type", "id"]) {
      assert.deepStrictEqual<unknown>(theirs.headers[name], headers[name])
    }
    assert.deepStrictEqual((theirs.headers[":date"]!.value as Date).getTime(), headers[":date"]!.value)
    assert.deepStrictEqual([...theirs.body], [123, 125])
    const bytes = Buffer.from(other.encode(theirs))
    assert.isTrue(bytes.equals(encode(message)))
  })

  it("of which any bit is wrong is corrupt", () => {
    const bytes = encode({ headers: { a: { type: "string", value: "b" } }, payload: new Uint8Array([1, 2, 3, 4]) })
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const wrong = Buffer.from(bytes)
      wrong[bit >> 3]! ^= 1 << (bit & 7)
      assert.instanceOf(decode(wrong), Corrupt, `bit ${bit}`)
    }
  })

  it.each([
    ["a header without its value", [1, 97, 7, 0, 9]],
    ["a header of an unknown type", [1, 97, 42]],
    ["half a name", [9, 97]]
  ])("with %s is corrupt, though its checksums are right", (_, head) => {
    const bytes = Buffer.alloc(16 + head.length)
    bytes.writeUInt32BE(bytes.length, 0)
    bytes.writeUInt32BE(head.length, 4)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
    bytes.set(head, 12)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
    assert.instanceOf(decode(bytes), Corrupt)
  })
})

describe("a stream", () => {
  const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 })))
  const Cut = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))

  it.prop(
    "is the same messages, however it is cut",
    { sizes: Sizes, cuts: Schema.NonEmptyArray(Cut) },
    ({ cuts, sizes }) => {
      const messages = sizes.map((size, i): Message => ({ headers, payload: new Uint8Array(size).fill(i) }))
      const bytes = Buffer.concat(messages.map(encode))
      const found: Array<Message | Corrupt> = []
      let rest = nothing
      for (let from = 0, i = 0; from < bytes.length; i++) {
        const to = from + cuts[i % cuts.length]!
        const [left, some] = split(rest, bytes.subarray(from, to), 10_000)
        rest = left
        found.push(...some)
        from = to
      }
      assert.deepStrictEqual(found, messages)
      assert.strictEqual(rest.length, 0)
    }
  )

  it("ends with the first message that is corrupt, or too long", () => {
    const bytes = encode(message)
    const wrong = Buffer.from(bytes)
    wrong[20]! ^= 1
    const [, messages] = split(nothing, Buffer.concat([bytes, wrong, bytes]), 10_000)
    assert.strictEqual(messages.length, 2)
    assert.instanceOf(messages[1], Corrupt)
    const [, long] = split(nothing, bytes, 20)
    assert.instanceOf(long[0], Corrupt)
    const [, short] = split(nothing, Buffer.from([0, 0, 0, 3, 9]), 20)
    assert.instanceOf(short[0], Corrupt)
  })
})
