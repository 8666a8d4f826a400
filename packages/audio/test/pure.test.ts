/** What needs no device: arithmetic, as laws. */
import type { AudioFormat } from "@effect-bidi/core/Audio"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type AudioDevice, find, table } from "../src/AudioDevice.ts"
import * as Codec from "../src/internal/signal/codec.ts"
import { DeviceClock } from "../src/internal/backends/deviceClock.ts"
import { VirtualSpeaker } from "../src/internal/backends/file/virtualSpeaker.ts"
import { Framing } from "../src/internal/capture/framing.ts"
import { PlaybackQueue } from "../src/internal/playback/queue.ts"
import { Decoder, encode } from "../src/internal/backends/portaudio/protocol.ts"
import * as Findings from "../src/internal/program/findings.ts"
import { EchoReference } from "../src/internal/playback/echoReference.ts"
import * as Resampler from "../src/internal/signal/resampler.ts"
import { bytesOf, fromFloat, mix, samplesOf, toFloat } from "../src/internal/signal/samples.ts"
import * as Level from "../src/Level.ts"
import * as Wav from "../src/Wav.ts"
import { breaks, correlate, tone } from "./support/signal.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const some = <S extends Schema.Top>(schema: S, most: number) =>
  Arbitrary.schema(Schema.Array(schema).check(Schema.isMaxLength(most)))
const sample = between(-32_768, 32_767)

/** Distinguishable bytes: 0, 1, 2, … */
const counting = (length: number, from: number = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251)

describe("framing", () => {
  it.prop(
    "loses nothing, repeats nothing, and all frames have one size",
    { size: Arbitrary.schema(between(1, 50)), pieces: some(between(0, 120), 20) },
    ({ pieces, size }) => {
      const framing = new Framing(size)
      const frames: Array<Uint8Array> = []
      let at = 0
      for (const length of pieces) {
        framing.push(counting(length, at), (frame) => frames.push(frame))
        at += length
      }
      assert.strictEqual(frames.length, Math.floor(at / size))
      assert.deepStrictEqual(Buffer.concat(frames), Buffer.from(counting(at).subarray(0, frames.length * size)))
    }
  )
})

describe("the protocol to the child", () => {
  it.prop(
    "messages arrive whole, however they are cut",
    { messages: some(between(0, 300), 10), cuts: some(between(1, 40), 50) },
    ({ cuts, messages }) => {
      const sent = messages.map((length, i) => ({ type: i % 2, payload: Buffer.from(counting(length, i)) }))
      const wire = Buffer.concat(sent.map(({ payload, type }) => encode(type, payload)))
      const decoder = new Decoder()
      const got: Array<{ type: number; payload: Buffer }> = []
      for (let at = 0, i = 0; at < wire.length; i++) {
        const length = cuts.length === 0 ? wire.length : cuts[i % cuts.length]!
        decoder.push(wire.subarray(at, at + length), (type, payload) =>
          got.push({ type, payload: Buffer.from(payload) })
        )
        at += length
      }
      assert.deepStrictEqual(got, sent)
    }
  )
})

describe("samples", () => {
  it.prop("survive floats and back", { samples: some(sample, 100) }, ({ samples }) => {
    const pcm = bytesOf(Int16Array.from(samples))
    assert.deepStrictEqual(samplesOf(fromFloat(toFloat(pcm))), Int16Array.from(samples))
  })

  it.prop("survive stereo and back", { samples: some(sample, 100) }, ({ samples }) => {
    const pcm = bytesOf(Int16Array.from(samples))
    assert.deepStrictEqual(samplesOf(mix(mix(pcm, 1, 2), 2, 1)), Int16Array.from(samples))
  })

  it("at an odd address are the same samples", () => {
    const odd = new Uint8Array(9)
    odd.set(bytesOf(Int16Array.of(1, -2, 3)), 1)
    assert.deepStrictEqual(samplesOf(odd.subarray(1, 7)), Int16Array.of(1, -2, 3))
    assert.deepStrictEqual(samplesOf(Buffer.from(odd.buffer, 1, 6)), Int16Array.of(1, -2, 3))
  })
})

describe("codecs", () => {
  it("µ-law and A-law come back as the companding allows", () => {
    for (const format of ["pcmu", "pcma"] as const) {
      const law: AudioFormat = { encoding: format, sampleRate: 8000, channels: 1 }
      const sound = tone(440, 0.1, 8000)
      const coded = Codec.encoder(law)(bytesOf(sound))
      assert.strictEqual(coded.length, sound.length)
      assert.isAbove(correlate(samplesOf(Codec.decoder(law)(coded)), sound).correlation, 0.999)
    }
  })
})

describe("WAV", () => {
  it.prop(
    "what is written is read",
    {
      samples: some(sample, 100),
      sampleRate: Arbitrary.schema(between(8000, 192_000)),
      channels: Arbitrary.schema(between(1, 2))
    },
    ({ channels, sampleRate, samples }) => {
      const pcm = Buffer.from(bytesOf(Int16Array.from(samples.slice(0, samples.length - (samples.length % channels)))))
      const read = Result.getOrThrow(Wav.decode(Wav.encode({ sampleRate, channels, pcm })))
      assert.deepStrictEqual({ ...read, pcm: Buffer.from(read.pcm) }, { sampleRate, channels, pcm })
    }
  )

  it.prop("no bytes make it throw", { bytes: some(between(0, 255), 200) }, ({ bytes }) => {
    const file = Buffer.from(Wav.encode({ sampleRate: 8000, channels: 1, pcm: new Uint8Array(20) }))
    file.set(bytes.slice(0, 44), Math.min(12, file.length))
    Wav.decode(file)
    Wav.decode(Uint8Array.from(bytes))
  })

  it("floats, 8, 24 and 32 bits become 16, and a streamed length reaches to the end", () => {
    const file = (encoding: number, width: number, data: Buffer, size = data.length) => {
      const head = Buffer.from(Wav.header({ sampleRate: 16_000, channels: 1 }, size))
      head.writeUInt16LE(encoding, 20)
      head.writeUInt16LE(width, 34)
      return Buffer.concat([head, data])
    }
    const read = (bytes: Buffer) => Array.from(samplesOf(Result.getOrThrow(Wav.decode(bytes)).pcm))
    const float = Buffer.alloc(8)
    float.writeFloatLE(0.5, 0)
    float.writeFloatLE(-2, 4)
    assert.deepStrictEqual(read(file(3, 32, float)), [16_384, -32_768])
    assert.deepStrictEqual(read(file(1, 8, Buffer.of(128, 0, 255))), [0, -32_768, 32_512])
    assert.deepStrictEqual(read(file(1, 24, Buffer.of(0, 0, 0x40))), [0x4000])
    assert.deepStrictEqual(read(file(1, 32, Buffer.of(0, 0, 0, 0xc0))), [-0x4000])
    assert.deepStrictEqual(read(file(1, 16, Buffer.of(1, 0, 2, 0), 0x7fff_ff00)), [1, 2])
  })

  it("what is not supported is an error", () => {
    assert.deepStrictEqual(Wav.decode(Buffer.from("hello")), Result.fail("it is not a WAV file"))
    const file = Buffer.from(Wav.encode({ sampleRate: 8000, channels: 1, pcm: new Uint8Array(2) }))
    file.writeUInt16LE(85, 20) // MP3
    assert.isTrue(Result.isFailure(Wav.decode(file)))
  })
})

describe("levels", () => {
  it("a full tone is 3 dB below full scale, silence below everything", () => {
    const { peak, rms } = Level.measure(bytesOf(tone(1000, 1, 24_000, 1)))
    assert.approximately(Level.decibels(rms), -3.01, 0.01)
    assert.approximately(peak, 1, 0.001)
    assert.strictEqual(Level.decibels(Level.measure(new Uint8Array(10)).rms), -Infinity)
    assert.deepStrictEqual(Level.measure(new Uint8Array(0)), { rms: 0, peak: 0 })
  })

  it.prop("a meter has its width, and grows with the sound", { steps: some(between(0, 1000), 20) }, ({ steps }) => {
    const filled = steps
      .toSorted((a, b) => a - b)
      .map((step) => {
        const meter = Level.bar(step / 1000, 20)
        assert.strictEqual(meter.length, 20)
        return meter.lastIndexOf("█")
      })
    assert.deepStrictEqual(
      filled,
      filled.toSorted((a, b) => a - b)
    )
  })

  it("the indicator shows who speaks", () => {
    const quiet = { rms: 0.0001, peak: 0.001, speaking: false }
    const loud = { rms: 0.5, peak: 1, speaking: true }
    assert.strictEqual(Level.indicator({ microphone: loud, speaker: quiet }), "mic ●█ agent ○▁ ")
  })
})

describe("devices", () => {
  const device = (index: number, name: string, more: Partial<AudioDevice> = {}): AudioDevice => ({
    index,
    name,
    description: name,
    direction: "input",
    channels: 1,
    sampleRate: 48_000,
    isDefault: false,
    ...more
  })
  const all = [
    device(0, "alsa.usb", { description: "Blue Yeti" }),
    device(1, "alsa.pci", { description: "Built-in Audio", isDefault: true }),
    device(2, "alsa.usb.2", { description: "Headset" }),
    device(3, "hdmi", { direction: "output" })
  ]
  const chosen = (wanted: number | string | undefined) => Result.map(find(all, "input", wanted), ({ index }) => index)

  it("are found by index, name, and a part of either name", () => {
    assert.deepStrictEqual(chosen(undefined), Result.succeed(1))
    assert.deepStrictEqual(chosen(2), Result.succeed(2))
    assert.deepStrictEqual(chosen("yeti"), Result.succeed(0))
    assert.deepStrictEqual(chosen("ALSA.PCI"), Result.succeed(1))
    assert.deepStrictEqual(chosen("alsa.usb"), Result.succeed(0)) // the whole name of one, a part of another
  })

  it("that are not there, or of the other direction, or several, are an error that lists those that are", () => {
    for (const wanted of [7, "nothing", 3, "hdmi", "alsa"]) {
      const error = find(all, "input", wanted)
      assert.isTrue(Result.isFailure(error))
      if (Result.isFailure(error))
        assert.include(error.failure.message, "microphone 0 Blue Yeti (alsa.usb), 1 channel, 48000 Hz")
    }
    const none = find([], "input", undefined)
    assert.isTrue(Result.isFailure(none) && none.failure.message.includes("No microphone was found"))
  })

  it("are a table", () => {
    assert.deepStrictEqual(table(all.slice(1, 2)).split("\n"), [
      "   index  direction   channels  rate   name      description",
      "*  1      microphone  1         48000  alsa.pci  Built-in Audio"
    ])
  })
})

describe("findings", () => {
  it("say what to do", () => {
    assert.isFalse(Findings.microphone({ rms: 0, peak: 0 }).ok)
    assert.include(Findings.microphone({ rms: 0, peak: 0 }).text, "Unmute")
    assert.include(Findings.microphone({ rms: 0.9, peak: 1 }).text, "clips")
    assert.isTrue(Findings.microphone({ rms: 0.05, peak: 0.3 }).ok)
    assert.isFalse(Findings.speaker(500, 100, 3000).ok)
  })
})

describe("the clock of a device", () => {
  const step = Schema.TaggedUnion({
    Pass: { millis: between(0, 300) },
    Write: { samples: between(1, 5000) },
    Report: {}
  })
  it.prop("never goes back, and never beyond what was given", { steps: some(step, 40) }, ({ steps }) => {
    const clock = new DeviceClock(24_000)
    let now = 0
    let given = 0
    let played = 0
    let last = 0
    for (const step of steps) {
      if (step._tag === "Pass") {
        now += step.millis
        played = Math.min(given, played + step.millis * 24)
      }
      if (step._tag === "Write") given += step.samples
      if (step._tag === "Report") clock.report(played, now)
      const position = clock.at(now, given)
      assert.isTrue(position >= last && position <= given)
      last = position
    }
    clock.report(given, now)
    assert.strictEqual(clock.at(now, given), given)
  })
})

describe("the playback queue", () => {
  const step = Schema.TaggedUnion({
    Add: { produced: between(1, 500), given: between(0, 500) },
    Play: { samples: between(0, 700) },
    Cut: {},
    Resume: {}
  })
  it.prop(
    "counts every sample once: heard, waiting or cut, across silence, pauses and lost devices",
    { steps: some(step, 60) },
    ({ steps }) => {
      const queue = new PlaybackQueue(2)
      let written = 0 // to the device, since it counts
      let position = 0
      let produced = 0
      let cut = 0
      let heard = 0
      for (const step of steps) {
        if (step._tag === "Add") {
          queue.add(new Uint8Array(step.given * 2), step.produced)
          written += step.given
          produced += step.produced
        }
        if (step._tag === "Play") position = Math.min(written, position + step.samples)
        if (step._tag === "Cut") {
          const waiting = queue.waiting(position)
          queue.cut(position)
          cut += waiting
          written = position = 0
        }
        if (step._tag === "Resume") {
          const rest = queue.resume(position)
          assert.strictEqual(
            rest.reduce((sum, pcm) => sum + pcm.length / 2, 0),
            written - position
          )
          written -= position
          position = 0
        }
        const now = queue.played(position)
        assert.isTrue(now >= heard - 1e-6)
        heard = now
        assert.approximately(heard + queue.waiting(position) + cut, produced, 1e-6)
      }
      assert.approximately(queue.played(written) + cut, produced, 1e-6)
      assert.approximately(queue.waiting(written), 0, 1e-6)
    }
  )

  it("finds the sound at a place, also a little behind", () => {
    const queue = new PlaybackQueue(2)
    queue.add(bytesOf(Int16Array.of(1, 2, 3)), 3)
    queue.add(bytesOf(Int16Array.of(4, 5)), 2)
    assert.strictEqual(queue.played(4), 4)
    assert.deepStrictEqual(samplesOf(queue.from(1, 3)), Int16Array.of(2, 3, 4))
    assert.deepStrictEqual(samplesOf(queue.from(4, 9)), Int16Array.of(5))
    assert.strictEqual(queue.from(5, 9).length, 0)
    assert.strictEqual(queue.played(4), 4)
  })
})

describe("the echo reference", () => {
  it.prop("runs without a seam, however late single pieces are", { late: some(between(0, 200), 100) }, ({ late }) => {
    const reference = new EchoReference(1000)
    const places: Array<number> = []
    for (let i = 0; i < 300; i++) {
      // one piece in three is late, by up to a fifth of a second, and so is told a later position
      const delay = i % 3 === 0 ? (late[i % 100] ?? 0) : 0
      places.push(reference.next(100 + i * 10 + delay, 10))
    }
    places.forEach((place, i) => assert.approximately(place, 130 + i * 10, i < 30 ? 215 : 16))
  })
})

describe("the virtual speaker", () => {
  it.prop(
    "runs with the clock: sound where there is some, silence elsewhere, and nothing after a cut",
    { waits: some(between(0, 50), 20), cutAt: Arbitrary.schema(between(0, 20)) },
    ({ cutAt, waits }) => {
      let recorded = 0
      let loud = 0
      const speaker = new VirtualSpeaker({ sampleRate: 1000, channels: 1 }, 0, (pcm) => {
        recorded += pcm.length / 2
        loud += samplesOf(pcm.slice()).filter((sample) => sample !== 0).length
      })
      let now = 0
      let heard = 0
      waits.forEach((wait, i) => {
        speaker.write(bytesOf(new Int16Array(20).fill(7)), now)
        now += wait
        if (i === cutAt) heard += speaker.cut(now)
      })
      heard += speaker.position(now)
      assert.strictEqual(recorded, now)
      assert.strictEqual(loud, heard)
    }
  )
})

describe("the resampler", () => {
  it.effect("keeps a tone whole across frames of any length, at every pair of rates", () =>
    Effect.gen(function* () {
      const makeResampler = yield* Resampler.load
      for (const [from, to] of [
        [24_000, 48_000],
        [48_000, 24_000],
        [44_100, 24_000],
        [24_000, 16_000],
        [8000, 24_000]
      ] as const) {
        const resampler = yield* makeResampler(from, to)
        const sound = tone(440, 1, from)
        const parts: Array<Uint8Array> = []
        for (let at = 0, length = 7; at < sound.length; at += length, length = (length * 31) % 977) {
          parts.push(resampler.push(bytesOf(sound.slice(at, at + length))))
        }
        const out = samplesOf(Buffer.concat(parts))
        assert.approximately(out.length, to, to / 100)
        assert.strictEqual(breaks(out.slice(to / 50, -to / 50), 440, to), 0)
        assert.approximately(Level.measure(bytesOf(out.slice(to / 50, -to / 50))).rms, 0.4 / Math.SQRT2, 0.001)
      }
    })
  )

  it.effect("is used again, and remembers nothing", () =>
    Effect.gen(function* () {
      const makeResampler = yield* Resampler.load
      for (let round = 0; round < 3; round++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const resampler = yield* makeResampler(24_000, 11_025)
            const first = resampler.push(new Uint8Array(2400))
            assert.isTrue(first.every((byte) => byte === 0))
            resampler.push(bytesOf(tone(440, 0.1, 24_000)))
          })
        )
      }
    })
  )

  it.effect("leaves no handlers in the process", () =>
    Effect.gen(function* () {
      yield* (yield* Resampler.load)(24_000, 48_000)
      const foreign = [...process.listeners("unhandledRejection"), ...process.listeners("uncaughtException")].filter(
        (listener) => /ExitStatus|^function abort/.test(String(listener))
      )
      assert.deepStrictEqual(foreign, [])
    })
  )
})
