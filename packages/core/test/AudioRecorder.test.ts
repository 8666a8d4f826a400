import { Audio, BidiAgent } from "@effect-bidi/core"
import * as AudioRecorder from "@effect-bidi/core/AudioRecorder"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** A disk of one file. */
const disk = () => {
  let bytes = new Uint8Array(0)
  let at = 0
  const file = {
    seek: (offset: bigint) => Effect.sync(() => BigInt((at = Number(offset)))),
    writeAll: (more: Uint8Array) =>
      Effect.sync(() => {
        const next = new Uint8Array(Math.max(bytes.length, at + more.length))
        next.set(bytes)
        next.set(more, at)
        at += more.length
        bytes = next
      })
  } as unknown as FileSystem.File
  return { layer: FileSystem.layerNoop({ open: () => Effect.succeed(file) }), read: () => bytes }
}

/** From when to when a channel sounds, in milliseconds; and what the header says. */
const heard = (bytes: Uint8Array, channel: 0 | 1) => {
  const view = new DataView(bytes.buffer)
  const rate = view.getUint32(24, true)
  const samples = (bytes.length - 44) / 4
  assert.strictEqual(view.getUint32(40, true), bytes.length - 44)
  const spans: Array<[number, number]> = []
  for (let i = 0; i < samples; i++) {
    if (view.getInt16(44 + 4 * i + 2 * channel, true) === 0) continue
    const last = spans.at(-1)
    if (last !== undefined && i - last[1] < 20) last[1] = i + 1
    else spans.push([i, i + 1])
  }
  return spans.map((span) => span.map((i) => Math.round((i * 1000) / rate)))
}

const record = (output: Audio.AudioFormat) =>
  Effect.gen(function* () {
    const { layer, read } = disk()
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (line) {
        yield* line.accept
        yield* line.wait("2 seconds")
        yield* line.reply({ text: "One.", audio: "1 second" })
        yield* line.reply({ text: "A long story.", audio: "10 seconds" })
        yield* line.wait("4 seconds")
        yield* line.hear("Stop!", { lasting: "500 millis" })
        yield* line.wait("1 second")
        yield* line.reply({ text: "Yes?", audio: "500 millis" })
      }),
      { output }
    )
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
    const call = yield* agent
      .start({ outputs: [speaker.output, AudioRecorder.output("call.wav")] })
      .pipe(Effect.provide(layer))
    yield* BidiTest.advance("1 second")
    const speech = (n: number) =>
      ({ _tag: "AudioInput", audio: new Uint8Array(960).fill(n), ...Audio.pcm(24_000) }) as const
    for (let n = 0; n < 25; n++) {
      yield* BidiTest.advance("20 millis")
      yield* call.send(speech(7))
    }
    yield* BidiTest.advance("5500 millis")
    const crashed = read()
    yield* BidiTest.advance("10 seconds")
    yield* call.stop()
    yield* call.await
    return { crashed, bytes: read() }
  })

describe("a recording", () => {
  it.effect("has both where they were heard, and ends what was cut where it was cut", () =>
    Effect.gen(function* () {
      const { bytes, crashed } = yield* record(Audio.pcm(24_000))
      assert.deepStrictEqual(heard(bytes, 0), [[1000, 1500]])
      assert.deepStrictEqual(heard(bytes, 1), [
        [2000, 6000],
        [7500, 8000]
      ])
      // a process that dies has all but the last two seconds
      assert.deepStrictEqual(heard(crashed, 1), [[2000, 6000]])
      assert.strictEqual(bytes.length, 44 + 17_000 * 24 * 4)
    })
  )

  it.effect("of another rate is brought to one", () =>
    Effect.gen(function* () {
      const { bytes } = yield* record(Audio.pcm(16_000))
      assert.deepStrictEqual(heard(bytes, 0), [[1000, 1500]])
      const [first, second] = heard(bytes, 1)
      assert.approximately(first![0]!, 2000, 1)
      assert.approximately(first![1]!, 6000, 1)
      assert.approximately(second![0]!, 7500, 1)
      assert.approximately(second![1]!, 8000, 1)
    })
  )
})
