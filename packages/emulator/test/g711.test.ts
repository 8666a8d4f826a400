import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { aLaw, muLaw } from "../src/internal/audio/g711.ts"

const Sample = Schema.Int.check(Schema.isBetween({ minimum: -32_768, maximum: 32_767 }))
const one = (value: number) => Int16Array.of(value)

// values of ITU-T G.711
it.each([
  [0, 0xff],
  [-1, 0x7f],
  [1000, 0xce],
  [-1000, 0x4e],
  [32_767, 0x80],
  [-32_768, 0x00]
])("mu-law of %d is %d", (sample, byte) => assert.strictEqual(muLaw.encode(one(sample))[0], byte))

it.each([
  [0, 0xd5],
  [-1, 0x55],
  [1000, 0xfa],
  [-1000, 0x7a],
  [32_767, 0xaa],
  [-32_768, 0x2a]
])("A-law of %d is %d", (sample, byte) => assert.strictEqual(aLaw.encode(one(sample))[0], byte))

it("every byte survives decoding and encoding", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  assert.deepStrictEqual(aLaw.encode(aLaw.decode(bytes)), bytes)
  // mu-law has two zeros; both mean 0
  assert.deepStrictEqual(
    muLaw.encode(muLaw.decode(bytes)),
    bytes.map((byte) => (byte === 0x7f ? 0xff : byte))
  )
})

it.prop("the error is at most a sixteenth of the level", { sample: Sample }, ({ sample }) => {
  for (const law of [muLaw, aLaw]) {
    const back = law.decode(law.encode(one(sample)))[0]!
    assert.isAtMost(Math.abs(back - sample), 16 + Math.abs(sample) / 16)
  }
})
