import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Base64 from "../src/internal/audio/base64.ts"
import { tone } from "./support/sound.ts"

const Rate = Schema.Literals([8000, 16_000, 22_050, 24_000, 48_000])

const rms = ({ samples }: Pcm.Pcm): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)

/** How strong a frequency is in a sound, by correlation. */
const strength = ({ sampleRate, samples }: Pcm.Pcm, hz: number): number => {
  let re = 0
  let im = 0
  for (const [i, sample] of samples.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * i) / sampleRate)
    im += sample * Math.sin((2 * Math.PI * hz * i) / sampleRate)
  }
  return (2 * Math.hypot(re, im)) / samples.length
}

it.prop("resampling keeps duration, level and pitch", { from: Rate, to: Rate }, ({ from, to }) => {
  const before = tone(400, 8000, from)
  const after = Pcm.resample(before, to)
  assert.strictEqual(after.sampleRate, to)
  assert.closeTo(Pcm.durationMs(after), 400, 0.1)
  assert.closeTo(rms(after), rms(before), rms(before) * 0.03)
  assert.isAbove(strength(after, 440), 7500)
})

it("going down in rate leaves nothing over the half rate", () => {
  const high: Pcm.Pcm = {
    samples: Int16Array.from({ length: 24_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 7000 * i) / 24_000)),
    sampleRate: 24_000
  }
  assert.isBelow(rms(Pcm.resample(high, 8000)), 200)
})

it.prop(
  "samples survive as bytes",
  [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -32_768, maximum: 32_767 })))],
  ([values]) => {
    const samples = Int16Array.from(values)
    assert.deepStrictEqual(Pcm.fromBytes(Pcm.toBytes(samples), 24_000).samples, samples)
  }
)

it("an odd byte at the end is dropped", () => {
  assert.deepStrictEqual(Pcm.fromBytes(Uint8Array.of(1, 0, 9), 8000).samples, Int16Array.of(1))
})

it.each(["A", "AA", "AA=", "====", "A A=", "AAA*", "_-AA", "AAAA="])("%s is not base64", (text) => {
  assert.isUndefined(Base64.decode(text))
})

it("base64 of nothing is no bytes", () => assert.deepStrictEqual(Base64.decode(""), new Uint8Array(0)))
