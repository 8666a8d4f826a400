/** The whole channel with files in place of devices, in virtual time. */
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type * as BidiInput from "@effect-bidi/core/BidiInput"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import type { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { AudioError } from "../src/AudioError.ts"
import * as AudioIO from "../src/AudioIO.ts"
import type { Options } from "../src/Options.ts"
import { bytesOf, samplesOf } from "../src/internal/signal/samples.ts"
import type { Levels } from "../src/Level.ts"
import * as Wav from "../src/Wav.ts"
import { tone } from "./support/signal.ts"

const folder = mkdtempSync(join(tmpdir(), "audio-"))
let files = 0
const path = () => join(folder, `${files++}.wav`)

const write = (samples: Int16Array, sampleRate: number, channels = 1) => {
  const file = path()
  writeFileSync(file, Wav.encode({ sampleRate, channels, pcm: bytesOf(samples) }))
  return file
}
const read = (file: string) => samplesOf(Result.getOrThrow(Wav.decode(readFileSync(file))).pcm)

const layer = (options: Options) => AudioIO.layer({ backend: "file", ...options })

const fails = (options: Options) => Effect.flip(Effect.scoped(Layer.build(AudioIO.layer(options))))

const silent = (line: BidiTest.Line) => line.accept

/** An agent over a scripted model, and the sound that reached the model. */
const agentOf = Effect.fnUntraced(function* (script: BidiTest.Script) {
  const model = yield* BidiTest.model(script)
  const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
  const heard = () =>
    samplesOf(Buffer.concat(model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio] : []))))
  return { agent, model, heard }
})

/** The model says just these samples, in one piece, and is done. */
const say = (line: BidiTest.Line, responseId: string, samples: Int16Array) =>
  line.emit(
    { _tag: "ResponseStarted", responseId },
    { _tag: "AudioDelta", responseId, itemId: `${responseId}-item`, audio: bytesOf(samples) },
    { _tag: "ResponseDone", responseId, stopReason: "complete" }
  )

describe("a file as the microphone", () => {
  it.effect("is heard bit for bit, at its own pace, and its end is the end of the input", () => {
    const sound = tone(440, 2, 24_000)
    return Effect.gen(function* () {
      const { agent, heard } = yield* agentOf(silent)
      const audio = yield* AudioIO.AudioIO
      const running = yield* Effect.forkChild(agent.run({ inputs: [audio.input] }))
      yield* BidiTest.advance("1 second")
      assert.approximately(heard().length, 24_000, 480)
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(heard().slice(0, sound.length), sound)
      // the conversation lets a turn end with silence
      yield* BidiTest.advance("4 seconds")
      assert.isTrue(
        heard()
          .slice(sound.length)
          .every((sample) => sample === 0)
      )
      assert.strictEqual(yield* Fiber.join(running), "complete")
      assert.strictEqual(audio.counts().dropped, 0)
    }).pipe(Effect.provide(layer({ inputDevice: write(sound, 24_000) })))
  })

  it.effect("of another rate and two channels becomes what the model takes", () => {
    const mono = tone(440, 1, 44_100)
    const stereo = Int16Array.from({ length: mono.length * 2 }, (_, i) => mono[i >> 1]!)
    return Effect.gen(function* () {
      const { agent, heard } = yield* agentOf(silent)
      const audio = yield* AudioIO.AudioIO
      yield* Effect.forkChild(agent.run({ inputs: [audio.input] }))
      yield* BidiTest.advance("1500 millis")
      const loud = heard().filter((sample) => Math.abs(sample) > 500).length
      const expected = tone(440, 1, 24_000).filter((sample) => Math.abs(sample) > 500).length
      assert.approximately(loud / expected, 1, 0.01)
      yield* BidiTest.advance("5 seconds")
    }).pipe(Effect.provide(layer({ inputDevice: write(stereo, 44_100, 2) })))
  })

  it.effect("loses its oldest frames when nobody takes them, and counts them", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentOf(silent)
      const audio = yield* AudioIO.AudioIO
      const slow: BidiInput.BidiInput<AudioError, CurrentConversation> = {
        name: "slow",
        run: (take) => audio.input.run((event) => Effect.andThen(Effect.sleep("1 second"), take(event) ?? Effect.void))
      }
      const call = yield* agent.start({ inputs: [slow] })
      yield* BidiTest.advance("5 seconds")
      const { captured, dropped } = audio.counts()
      assert.approximately(captured, 5 * 24_000, 480)
      // one frame was taken every second, and those of the last 200 ms wait
      assert.approximately(captured - dropped, (5 + 10) * 480, 480)
      yield* call.stop()
    }).pipe(Effect.scoped, Effect.provide(layer({ inputBuffer: "200 millis" })))
  )

  it.effect("has frames of the size that was asked for", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentOf(silent)
      const audio = yield* AudioIO.AudioIO
      const call = yield* agent.start({ inputs: [audio.input] })
      yield* BidiTest.advance("1 second")
      const sizes = new Set(model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio.length / 2] : [])))
      assert.deepStrictEqual([...sizes], [1200])
      yield* call.stop()
    }).pipe(Effect.scoped, Effect.provide(layer({ inputFrame: 1200 })))
  )
})

describe("a file as the speaker", () => {
  it.effect("records what is heard, when it is heard, and nothing of what was cut off", () => {
    const file = path()
    const first = tone(440, 3, 24_000)
    const second = tone(660, 1, 24_000)
    return Effect.gen(function* () {
      const { agent } = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.wait("1 second")
          yield* say(line, "first", first)
          yield* line.expect("Interrupt")
          yield* line.wait("1 second")
          yield* say(line, "second", second)
        })
      )
      const audio = yield* AudioIO.AudioIO
      const heard: Array<number> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const call = yield* agent.start({
            outputs: [audio.output],
            hooks: [
              BidiAgent.on("Interruption", (event) =>
                Effect.sync(() => void heard.push(Duration.toMillis(event.heard)))
              )
            ]
          })
          yield* BidiTest.advance("2 seconds")
          yield* call.interrupt()
          yield* BidiTest.advance("3 seconds")
          yield* call.stop()
          yield* call.await
        })
      )
      assert.deepStrictEqual(heard, [1000])
      const recorded = read(file)
      const at = (seconds: number) => seconds * 24_000
      assert.isTrue(recorded.slice(0, at(1)).every((sample) => sample === 0))
      assert.deepStrictEqual(recorded.slice(at(1), at(2)), first.slice(0, at(1)))
      assert.isTrue(recorded.slice(at(2), at(3)).every((sample) => sample === 0))
      assert.deepStrictEqual(recorded.slice(at(3), at(4)), second)
      assert.isTrue(recorded.slice(at(4)).every((sample) => sample === 0))
    }).pipe(Effect.provide(layer({ outputDevice: file })))
  })

  it.effect("at another rate: resampled, and the count of what was heard comes out whole", () => {
    const file = path()
    return Effect.gen(function* () {
      const { agent } = yield* agentOf((line) => say(line, "r", tone(440, 1, 24_000)))
      const audio = yield* AudioIO.AudioIO
      const call = yield* agent.start({ outputs: [audio.output] })
      yield* BidiTest.advance("1500 millis")
      yield* call.awaitSilence
      yield* call.stop()
    }).pipe(
      Effect.scoped,
      Effect.andThen(
        Effect.sync(() => {
          const wav = Result.getOrThrow(Wav.decode(readFileSync(file)))
          assert.strictEqual(wav.sampleRate, 44_100)
          const loud = samplesOf(wav.pcm).filter((sample) => Math.abs(sample) > 500).length
          assert.approximately(loud / 44_100, 0.96, 0.02)
        })
      ),
      Effect.provide(layer({ outputDevice: file, deviceRate: 44_100 }))
    )
  })

  it.effect("refuses what its buffer cannot hold, and counts it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentOf((line) => Effect.asVoid(line.reply({ text: "Long.", audio: "5 seconds" })))
      const audio = yield* AudioIO.AudioIO
      const call = yield* agent.start({ outputs: [audio.output] })
      yield* BidiTest.advance("100 millis")
      assert.deepStrictEqual(
        [audio.counts().produced / 24_000, audio.counts().refused / 24_000].map(Math.round),
        [2, 3]
      )
      yield* call.stop()
    }).pipe(Effect.scoped, Effect.provide(layer({ outputBuffer: "2 seconds" })))
  )

  it.effect("pauses and goes on to the sample", () => {
    const file = path()
    const sound = tone(440, 2, 24_000)
    return Effect.gen(function* () {
      const { agent } = yield* agentOf((line) => say(line, "r", sound))
      const audio = yield* AudioIO.AudioIO
      let pause = Effect.void
      let resume = Effect.void
      const output = {
        ...audio.output,
        open: Effect.tap(audio.output.open, (sink) =>
          Effect.sync(() => {
            pause = sink.pause!
            resume = sink.resume!
          })
        )
      }
      const call = yield* agent.start({ outputs: [output] })
      yield* BidiTest.advance("500 millis")
      yield* pause
      yield* BidiTest.advance("1 second")
      yield* resume
      yield* BidiTest.advance("2 seconds")
      yield* call.stop()
    }).pipe(
      Effect.scoped,
      Effect.andThen(
        Effect.sync(() => {
          const recorded = read(file)
          assert.deepStrictEqual(recorded.slice(0, 12_000), sound.slice(0, 12_000))
          assert.isTrue(recorded.slice(12_000, 36_000).every((sample) => sample === 0))
          assert.deepStrictEqual(recorded.slice(36_000, 72_000), sound.slice(12_000))
        })
      ),
      Effect.provide(layer({ outputDevice: file }))
    )
  })
})

describe("both", () => {
  it.effect("half duplex: the model hears nothing while the agent is audible", () =>
    Effect.gen(function* () {
      const { agent, heard } = yield* agentOf((line) => Effect.asVoid(line.reply({ text: "One.", audio: "1 second" })))
      const audio = yield* AudioIO.AudioIO
      const call = yield* agent.start({ inputs: [audio.input], outputs: [audio.output] })
      yield* BidiTest.advance("3 seconds")
      const samples = heard()
      const first = samples.findIndex((sample) => sample !== 0)
      assert.approximately(first / 24_000, 1.25, 0.03)
      assert.isTrue(samples.slice(first).every((sample) => sample === 999))
      yield* call.stop()
    }).pipe(
      Effect.scoped,
      Effect.provide(layer({ halfDuplex: true, inputDevice: write(new Int16Array(120_000).fill(999), 24_000) }))
    )
  )

  it.effect("levels and who speaks, ten times a second", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentOf(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.wait("1 second")
          yield* say(line, "r", tone(440, 1, 24_000))
        })
      )
      const audio = yield* AudioIO.AudioIO
      const seen: Array<Levels> = []
      yield* audio.levels.pipe(
        Stream.runForEach((levels) => Effect.sync(() => void seen.push(levels))),
        Effect.forkChild
      )
      const call = yield* agent.start({ inputs: [audio.input], outputs: [audio.output] })
      yield* BidiTest.advance("3 seconds")
      assert.approximately(seen.length, 30, 1)
      const { microphone, speaker } = seen[5]!
      assert.isTrue(microphone.speaking && !speaker.speaking)
      assert.approximately(microphone.peak, 0.4, 0.01)
      assert.strictEqual(speaker.rms, 0)
      assert.isTrue(!seen[15]!.microphone.speaking && seen[15]!.speaker.speaking)
      assert.approximately(seen[15]!.speaker.peak, 0.4, 0.01)
      assert.isTrue(!seen[25]!.microphone.speaking && !seen[25]!.speaker.speaking)
      yield* call.stop()
    }).pipe(Effect.scoped, Effect.provide(layer({ inputDevice: write(tone(440, 1, 24_000), 24_000) })))
  )
})

describe("what is wrong is said at the start", () => {
  it.effect("options", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [Options, string]> = [
        [{ inputBuffer: "0 seconds" }, "inputBuffer"],
        [{ outputBuffer: Duration.infinity }, "outputBuffer"],
        [{ inputFrame: 1.5 }, "inputFrame"],
        [{ outputFrame: 0 }, "outputFrame"],
        [{ deviceRate: 100 }, "deviceRate"],
        [{ inputDevice: 3 }, "inputDevice"]
      ]
      for (const [options, option] of wrong) {
        const { reason } = yield* fails({ backend: "file", ...options })
        assert.isTrue(reason._tag === "InvalidOption" && reason.option === option, reason.message)
      }
    })
  )

  it.effect("files", () =>
    Effect.gen(function* () {
      const missing = yield* fails({ backend: "file", inputDevice: join(folder, "nothing.wav") })
      assert.include(missing.message, "nothing.wav")
      const file = path()
      writeFileSync(file, "hello")
      const wrong = yield* fails({ backend: "file", inputDevice: file })
      assert.include(wrong.message, "it is not a WAV file")
    })
  )

  it.live("a binding of PortAudio that is not there", () =>
    Effect.gen(function* () {
      const { message, reason } = yield* fails({
        backend: "portaudio",
        portaudioModule: "no-such-module",
        inputDevice: 0
      })
      assert.strictEqual(reason._tag, "BackendMissing")
      assert.include(message, "no-such-module is not installed or was not built")
    })
  )
})
