import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"
import { FrameLengths, MAX_FRAME_BYTES } from "../src/internal/frameLength.ts"
import * as F from "./fixtures/frames.ts"
import { read, ready } from "./support/line.ts"
import * as Server from "./support/server.ts"

/** What a frame of an AWS event stream begins with. */
const prelude = (length: number, checksum?: number) => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(length, 0)
  bytes.writeUInt32BE(checksum ?? crc32(bytes.subarray(0, 8)), 8)
  return bytes
}

describe("a frame", () => {
  it.effect("that claims 1.2 GB ends the connection at once, and takes no memory", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.send(F.wire(F.completionStart), F.wire(F.start("u", "TEXT", "USER")))
      peer.write(prelude(1_200_000_000))
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
      const before = process.memoryUsage().arrayBuffers
      const error = yield* reader.end
      assert.strictEqual(error.reason._tag, "ServerFault")
      assert.include(error.message, "the provider sent a frame of 1200000000 bytes")
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 100_000_000)
      yield* peer.closed
    })
  )

  it.effect("that claims 1.2 GB is noticed when it is the first", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.write(prelude(1_200_000_000))
      assert.include((yield* reader.end).message, "1200000000 bytes")
    })
  )

  it.effect("whose length cannot be believed ends the connection at once", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.write(prelude(900_000, 7))
      assert.include((yield* reader.end).message, "a frame whose length cannot be believed")
    })
  )

  it("may be as long as it says, up to the bound", () => {
    const wrong = (length: number) => {
      const lengths = new FrameLengths()
      lengths.pass(prelude(length))
      return lengths.wrong
    }
    assert.isUndefined(wrong(MAX_FRAME_BYTES))
    assert.strictEqual(wrong(MAX_FRAME_BYTES + 1), `a frame of ${MAX_FRAME_BYTES + 1} bytes`)
    assert.strictEqual(wrong(15), "a frame of 15 bytes")
  })

  it.effect.prop(
    "is found wherever the bytes are cut",
    [
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))),
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 30 })))
    ],
    ([sizes, cuts]) =>
      Effect.sync(() => {
        const frames = sizes.map((size) => Server.chunk("x".repeat(size)))
        const bytes = Buffer.concat([...frames, prelude(MAX_FRAME_BYTES + 1)])
        const lengths = new FrameLengths()
        const good: Array<Uint8Array> = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          const part = bytes.subarray(at, at + cut)
          good.push(part.subarray(0, lengths.pass(part)))
          at += part.length
          if (lengths.wrong !== undefined) break
        }
        assert.strictEqual(lengths.wrong, `a frame of ${MAX_FRAME_BYTES + 1} bytes`)
        // all that came before it has passed, and less of it than says how long it is
        const passed = Buffer.concat(good)
        const before = bytes.length - 12
        assert.isTrue(passed.length >= before && passed.length < before + 4, `${passed.length} of ${before}`)
      }),
    cases(500)
  )
})
