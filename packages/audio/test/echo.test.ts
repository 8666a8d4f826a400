/** The echo canceller, with a computed echo. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Audio from "@effect-bidi/core/Audio"
import * as Resampler from "../src/internal/signal/resampler.ts"
import { bytesOf, samplesOf } from "../src/internal/signal/samples.ts"
import * as Pipeline from "../src/internal/capture/pipeline.ts"
import { decibels, measure } from "../src/Level.ts"

const RATE = 24_000
const FRAME = RATE / 100

/** Noise with the pauses of speech, always the same. */
const voice = (seconds: number) =>
  Effect.gen(function* () {
    const samples = new Int16Array(seconds * RATE)
    let low = 0
    for (let i = 0; i < samples.length; i++) {
      const speaking = Math.sin((2 * Math.PI * i) / (RATE * 0.7)) > -0.5
      low = low * 0.8 + (yield* Random.nextBetween(-1, 1)) * (speaking ? 4000 : 0)
      samples[i] = low
    }
    return samples
  }).pipe(Random.withSeed("voice"))

/** What a room makes of it: later, softer, and several times. */
const room = (samples: Int16Array) => {
  const echo = new Int16Array(samples.length)
  for (const [millis, gain] of [
    [60, 0.5],
    [72, 0.25],
    [95, -0.12]
  ] as const) {
    const delay = (millis * RATE) / 1000
    for (let i = delay; i < samples.length; i++) echo[i]! += samples[i - delay]! * gain
  }
  return echo
}

const run = (
  speaker: Int16Array,
  microphone: Int16Array,
  options: { echoCancellation: boolean; halfDuplex: boolean }
) =>
  Effect.gen(function* () {
    const out: Array<Uint8Array> = []
    let at = 0
    let now = 0
    const pipeline = yield* Pipeline.make({
      from: { sampleRate: RATE, channels: 1 },
      to: Audio.pcm(RATE),
      frame: FRAME,
      ...options,
      playing: () => ({
        audible: () => at < speaker.length,
        reference: () => ({ pcm: bytesOf(speaker.slice(at, at + FRAME)), sampleRate: RATE }),
        recent: () => new Uint8Array(0)
      }),
      makeResampler: yield* Resampler.load,
      now: () => now,
      onFrame: (frame) => void out.push(frame)
    })
    for (; at < microphone.length; at += FRAME) {
      pipeline(bytesOf(microphone.slice(at, at + FRAME)))
      now += 10
    }
    return samplesOf(Buffer.concat(out))
  }).pipe(Effect.scoped)

const level = (samples: Int16Array) => decibels(measure(bytesOf(samples)).rms)

it.effect("removes the agent from the microphone by 20 dB and more within two seconds, and keeps the person", () =>
  Effect.gen(function* () {
    const speaker = yield* voice(5)
    const echo = room(speaker)
    const clean = yield* run(speaker, echo, { echoCancellation: true, halfDuplex: false })
    assert.approximately(clean.length, echo.length, RATE / 20)
    const from = 2 * RATE
    assert.isBelow(level(clean.slice(from)) - level(echo.slice(from)), -20)
    // a person speaks and the agent does not
    const alone = yield* run(new Int16Array(0), speaker, { echoCancellation: true, halfDuplex: false })
    assert.approximately(level(alone.slice(from)), level(speaker.slice(from)), 3)
  })
)

it.effect("half duplex hears nothing while the agent is audible, and everything a quarter of a second later", () =>
  Effect.gen(function* () {
    const speaker = new Int16Array(RATE).fill(1000)
    const out = yield* run(speaker, new Int16Array(2 * RATE).fill(500), { echoCancellation: false, halfDuplex: true })
    assert.strictEqual(out.length, 2 * RATE)
    const first = out.findIndex((sample) => sample !== 0)
    assert.approximately(first / RATE, 1.24, 0.011)
    assert.isTrue(out.slice(first).every((sample) => sample === 500))
  })
)

it.effect("leaves no handlers in the process", () =>
  Effect.gen(function* () {
    const before = [process.listenerCount("unhandledRejection"), process.listenerCount("uncaughtException")]
    yield* run(new Int16Array(FRAME), new Int16Array(FRAME), { echoCancellation: true, halfDuplex: false })
    assert.deepStrictEqual(
      [process.listenerCount("unhandledRejection"), process.listenerCount("uncaughtException")],
      before
    )
  })
)
