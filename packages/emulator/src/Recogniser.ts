/**
 * A recogniser of known phrases, so that speech can drive an emulator.
 *
 * It does not understand speech in general. It compares a turn with renderings of the phrases in every given voice and
 * returns the phrase that sounds most alike, or nothing. Loudness, sample rate and pace may differ. It does not recognise
 * the speech of people: give the emulator your own `transcribe` for that.
 *
 * @example
 * const recogniser = yield* Recogniser.make({ voices: [Voice.tones], phrases: ["what time is it"] })
 * const text = yield* recogniser.recognise(pcm) // Option<string>
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { featuresOf, unlikeness } from "./internal/audio/features.ts"
import type { Pcm } from "./Pcm.ts"
import type { Voice } from "./Voice.ts"

/**
 * Phrases that the scripted assistant understands.
 *
 * @since 0.1.0
 */
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

/**
 * Recognises known phrases.
 *
 * @since 0.1.0
 */
export interface Recogniser {
  /** The phrase that was said, if one is similar enough. */
  readonly recognise: (pcm: Pcm) => Effect.Effect<Option.Option<string>>
}

/**
 * The phrases, and the voices in which they are recognised.
 *
 * @since 0.1.0
 */
export interface Options {
  readonly voices: ReadonlyArray<Voice>
  readonly phrases: ReadonlyArray<string>
}

/** The largest distance to the nearest phrase. Tones are easy to tell apart, so they may be distorted more. */
const MAX_DISTANCE = { tones: 0.55, espeak: 0.25 }

/** How many times as far the second phrase must be, so that the result is not a guess. */
const MIN_DISTANCE_RATIO = 1.04

/**
 * A recogniser of `phrases` in `voices`. The phrases are rendered at the first use and kept.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* ({ phrases, voices }: Options) {
  const templates = yield* Effect.cached(
    Effect.forEach(
      voices.flatMap((voice) => phrases.map((phrase) => [voice, phrase] as const)),
      ([voice, phrase]) =>
        Effect.map(voice.speak(phrase, { speed: 1, voice: "" }), ({ pcm }) => ({
          phrase,
          limit: MAX_DISTANCE[voice.kind],
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
    return second !== undefined && second.apart < first.apart * MIN_DISTANCE_RATIO
      ? Option.none<string>()
      : Option.some(first.phrase)
  })
  const recogniser: Recogniser = { recognise }
  return recogniser
})
