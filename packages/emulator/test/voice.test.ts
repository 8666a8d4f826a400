import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type ChildProcess, spawnSync } from "node:child_process"
import { subscribe } from "node:diagnostics_channel"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Recogniser from "@effect-bidi/emulator/Recogniser"
import type * as Speech from "@effect-bidi/emulator/Speech"
import * as Voice from "@effect-bidi/emulator/Voice"
import { story } from "../src/internal/assistant/story.ts"

const plain: Speech.Style = { speed: 1, voice: "" }
const hasEspeak = spawnSync("espeak-ng", ["--version"]).status === 0
const makeVoices: ReadonlyArray<readonly [string, Effect.Effect<Voice.Voice>]> = [
  ["tones", Effect.succeed(Voice.tones)],
  ...(hasEspeak ? [["espeak-ng", Voice.espeak] as const] : [])
]

/** Counts the programs that are started from now on. */
const countStarts = () => {
  const started = new Set<ChildProcess>()
  const note = (message: unknown) => void started.add((message as { process: ChildProcess }).process)
  subscribe("child_process", note)
  return () => started.size
}

const isWellTimed = ({ pcm, words }: Speech.Speech, text: string): void => {
  const ms = Pcm.durationMs(pcm)
  assert.strictEqual(ms, Math.floor(ms))
  assert.strictEqual(words.map((word) => word.text).join(""), text.trim() === "" ? "" : text)
  let last = 0
  for (const { endMs, startMs } of words) {
    assert.isAtLeast(startMs, last)
    assert.isAtLeast(endMs, startMs)
    last = endMs
  }
  assert.isAtMost(last, ms)
}

describe.each(makeVoices)("%s", (_, make) => {
  it.effect("places every word of a text, in order, inside the sound", () =>
    Effect.gen(function* () {
      const voice = yield* make
      for (const text of ["Hello there. My name is 42, and you?", "one", "", " \n ", '-v "quoted" (odd) text; ok']) {
        isWellTimed(yield* voice.speak(text, plain), text)
      }
    })
  )

  it.effect("speaks slower and faster", () =>
    Effect.gen(function* () {
      const voice = yield* make
      const lengthAt = (speed: number) =>
        Effect.map(voice.speak("What time is it, please?", { speed, voice: "cedar" }), ({ pcm }) => Pcm.durationMs(pcm))
      const ordinary = yield* lengthAt(1)
      assert.closeTo((yield* lengthAt(0.5)) / ordinary, 2, 0.2)
      assert.closeTo((yield* lengthAt(1.5)) / ordinary, 1 / 1.5, 0.1)
    })
  )

  it.effect("tells the long story in 60 to 100 seconds", () =>
    Effect.gen(function* () {
      const voice = yield* make
      const speech = yield* voice.speak(story, plain)
      isWellTimed(speech, story)
      assert.isAbove(Pcm.durationMs(speech.pcm), 60_000)
      assert.isBelow(Pcm.durationMs(speech.pcm), 110_000)
    })
  )

  it.effect("tells it from one run of a program at most", () =>
    Effect.gen(function* () {
      const started = countStarts()
      const voice = yield* make
      yield* voice.speak(story, { speed: 1.1, voice: "counted" })
      assert.isAtMost(started(), 1)
      // what was said lately is said again as it was
      yield* voice.speak(story, { speed: 1.1, voice: "counted" })
      assert.isAtMost(started(), 1)
    })
  )

  it.effect("says every clause as it does alone, at any speed, with any signs in it", () =>
    Effect.gen(function* () {
      for (const speed of [0.25, 1, 1.5]) {
        const manner = { speed, voice: "" }
        const clauses = ["One & two <three>,", ' "four" is 4.5;', " ok?", " It's - well - done!"]
        const whole = yield* Effect.flatMap(make, (voice) => voice.speak(clauses.join(""), manner))
        isWellTimed(whole, clauses.join(""))
        let sum = 0
        for (const clause of clauses) {
          const { pcm } = yield* Effect.flatMap(make, (voice) => voice.speak(clause, manner))
          sum += Pcm.durationMs(pcm)
        }
        assert.closeTo(Pcm.durationMs(whole.pcm) / sum, 1, 0.1)
      }
    })
  )

  it.effect("is understood by the recogniser, louder or softer, over the telephone, with quiet around it", () =>
    Effect.gen(function* () {
      const voice = yield* make
      const { recognise } = yield* Recogniser.make({ voices: [voice], phrases: Recogniser.phrases })
      for (const phrase of ["what time is it", "calculate 25 times 48", "stop", "yes", "my name is Ada"]) {
        const { pcm } = yield* voice.speak(phrase, { speed: 1.05, voice: "" })
        const call = Pcm.resample(Pcm.resample(pcm, 8000), 24_000)
        const around = Pcm.silence(330, 24_000)
        for (const gain of [0.2, 1, 1.6]) {
          const sound = Pcm.concat([around, { ...call, samples: call.samples.map((sample) => sample * gain) }, around])
          assert.deepStrictEqual(yield* recognise(sound), Option.some(phrase))
        }
      }
    })
  )

  it.effect("is not understood when it says something else", () =>
    Effect.gen(function* () {
      const voice = yield* make
      const { recognise } = yield* Recogniser.make({ voices: [voice], phrases: Recogniser.phrases })
      for (const phrase of [
        "the quick brown fox jumps over the lazy dog",
        "open the door",
        "I would like to order a pizza"
      ]) {
        const { pcm } = yield* voice.speak(phrase, plain)
        assert.deepStrictEqual(yield* recognise(pcm), Option.none())
      }
    })
  )
})

it.prop("tones are exact for any text", [Schema.String], ([text]) =>
  isWellTimed(Effect.runSync(Voice.tones.speak(text, plain)), text)
)

it.effect("silence and noise are no phrase", () =>
  Effect.gen(function* () {
    const { recognise } = yield* Recogniser.make({ voices: [Voice.tones], phrases: Recogniser.phrases })
    let seed = 1
    const noise = Int16Array.from(
      { length: 24_000 },
      () => ((seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % 8000) - 4000
    )
    assert.deepStrictEqual(yield* recognise(Pcm.silence(1000, 24_000)), Option.none())
    assert.deepStrictEqual(yield* recognise(Pcm.silence(0, 24_000)), Option.none())
    assert.deepStrictEqual(yield* recognise({ samples: noise, sampleRate: 24_000 }), Option.none())
  })
)

it.effect("two voices of the provider sound different", () =>
  Effect.gen(function* () {
    const marin = yield* Voice.tones.speak("hello", { speed: 1, voice: "marin" })
    const cedar = yield* Voice.tones.speak("hello", { speed: 1, voice: "cedar" })
    assert.notDeepEqual(marin.pcm.samples, cedar.pcm.samples)
    assert.strictEqual(marin.pcm.samples.length, cedar.pcm.samples.length)
  })
)
