/**
 * A recogniser of known phrases, so that speech can drive an emulator.
 *
 * It cannot understand speech in general: it compares a turn with renderings of a list of phrases, in every voice it is
 * given, and answers with the phrase that sounds most alike, or with nothing. Loudness, sample rate and pace may differ
 * from the rendering. Speech of a person is not recognised; give the emulator a `transcribe` of your own for that.
 *
 * @example
 * const recogniser = yield* Recogniser.make({ voices: [Voice.tones], phrases: ["what time is it"] })
 * const text = yield* recogniser.recognise(pcm) // Option<string>
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { featuresOf, unlikeness } from "./internal/audio/features.ts"
import type { Pcm } from "./Pcm.ts"
import type { Voice } from "./Voice.ts"

/** What the scripted assistant can be asked, in the words of its documentation. */
export const phrases: ReadonlyArray<string> = [
  "hello",
  "good morning",
  "what time is it",
  "what is the time",
  "what day is it",
  "calculate 25 times 48",
  "calculate 2 plus 2",
  "what is 2 times 3",
  "what time is it and calculate 2 times 3",
  "what's the weather in San Francisco",
  "what's the weather in London",
  "what's the weather",
  "tell me a long story",
  "tell me a story",
  "continue",
  "go on",
  "please continue",
  "stop",
  "stop conversation",
  "stop the conversation",
  "goodbye",
  "thank you",
  "yes",
  "no",
  "my name is Ada",
  "what is my name",
  "what did you just say",
  "what did I just say",
  "who are you",
  "are you an AI",
  "what can you do",
  "call every tool"
]

/** Ears for known phrases. */
export interface Recogniser {
  /** The phrase that was said, when one is near enough. */
  readonly recognise: (pcm: Pcm) => Effect.Effect<Option.Option<string>>
}

/** Every phrase is known in every voice. */
export interface Options {
  readonly voices: ReadonlyArray<Voice>
  readonly phrases: ReadonlyArray<string>
}

/** Above this the nearest phrase is not the one that was said. Tones lie far apart, so they may suffer more on the way. */
const farthest = { tones: 0.55, espeak: 0.25 }

/** The next phrase has to be at least this many times as far, or the answer would be a guess. */
const margin = 1.04

/** A recogniser of `phrases` spoken by `voices`; the renderings are made at the first use and kept. */
export const make = Effect.fnUntraced(function* ({ phrases, voices }: Options) {
  const templates = yield* Effect.cached(
    Effect.forEach(
      voices.flatMap((voice) => phrases.map((phrase) => [voice, phrase] as const)),
      ([voice, phrase]) =>
        Effect.map(voice.speak(phrase, { speed: 1, voice: "" }), ({ pcm }) => ({
          phrase,
          limit: farthest[voice.kind],
          features: featuresOf(pcm)
        })),
      { concurrency: 2 }
    )
  )
  const recognise = Effect.fnUntraced(function* (pcm: Pcm) {
    const heard = featuresOf(pcm)
    const known = yield* templates
    const [first, ...others] = known
      .map(({ features, limit, phrase }) => ({ phrase, limit, apart: unlikeness(heard, features) }))
      .sort((a, b) => a.apart - b.apart)
    if (first === undefined || first.apart > first.limit) return Option.none<string>()
    const second = others.find(({ phrase }) => phrase !== first.phrase)
    return second !== undefined && second.apart < first.apart * margin
      ? Option.none<string>()
      : Option.some(first.phrase)
  })
  const recogniser: Recogniser = { recognise }
  return recogniser
})
