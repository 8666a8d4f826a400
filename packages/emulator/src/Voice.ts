/**
 * The voice of the emulators: text to sound, with the time of every word.
 *
 * `tones` needs nothing and is exact: one two-note sound for each word. `espeak` speaks through the program `espeak-ng`.
 * `auto` takes `espeak-ng` when it is on the PATH, else the tones.
 *
 * @example
 * const voice = yield* Voice.auto
 * const { pcm, words } = yield* voice.speak("Hello there.", { speed: 1, name: "marin" })
 */
import * as Effect from "effect/Effect"
import { canSpeak, speakClause, speakClauses } from "./internal/voice/espeak.ts"
import { speakTones } from "./internal/voice/tones.ts"
import { join } from "./internal/voice/join.ts"
import { clausesOf } from "./internal/voice/words.ts"
import type { Pcm } from "./Pcm.ts"

/** Samples a second of everything a voice says. */
export const sampleRate = 24_000

/** A word as it was spoken. `text` holds the white space around it too: all words in a row are the whole text. */
export interface Word {
  readonly text: string
  /** Milliseconds from the start of the speech, whole numbers. */
  readonly startMs: number
  readonly endMs: number
}

/** Speech at `sampleRate`; it lasts a whole number of milliseconds. */
export interface Speech {
  readonly pcm: Pcm
  readonly words: ReadonlyArray<Word>
}

/** How something is said. */
export interface Manner {
  /** 1 is the ordinary pace, 0.25 to 1.5 on the wires. */
  readonly speed: number
  /** Name of the provider's voice; each name has its own pitch. */
  readonly name: string
}

/** Text to sound. Bring your own to hear something else. */
export interface Voice {
  readonly kind: "tones" | "espeak"
  /** Cannot fail: what `espeak-ng` refuses is said in tones. */
  readonly speak: (text: string, manner: Manner) => Effect.Effect<Speech>
}

/** One sound of two notes for each word; timing exact to the millisecond. No program and no waiting involved. */
export const tones: Voice = {
  kind: "tones",
  speak: (text, manner) => Effect.sync(() => join(clausesOf(text).map((clause) => speakTones(clause, manner))))
}

/** Renderings of single clauses that are kept; a long story has 60. */
const clausesKept = 256

/**
 * `espeak-ng`, one run for all clauses that were not said lately. The length of the sound and the start of every clause are
 * exact; words inside a clause are placed by their length.
 */
export const makeEspeak: Effect.Effect<Voice> = Effect.sync(() => {
  const cache = new Map<string, Speech>()
  const keep = (key: string, speech: Speech) => {
    if (cache.size >= clausesKept) cache.delete(cache.keys().next().value!)
    cache.set(key, speech)
  }
  const alone = (clause: string, manner: Manner) =>
    Effect.catch(speakClause(clause, manner), () => Effect.sync(() => speakTones(clause, manner)))
  const render = (clauses: ReadonlyArray<string>, manner: Manner) =>
    clauses.length <= 1
      ? Effect.forEach(clauses, (clause) => alone(clause, manner))
      : Effect.catch(speakClauses(clauses, manner), () =>
          Effect.forEach(clauses, (clause) => alone(clause, manner), { concurrency: 2 })
        )
  const speak = Effect.fnUntraced(function* (text: string, manner: Manner) {
    const clauses = clausesOf(text)
    const keyOf = (clause: string) => JSON.stringify([clause, manner.speed, manner.name])
    const said = new Map<string, Speech>()
    for (const clause of clauses) {
      const known = cache.get(keyOf(clause))
      if (known !== undefined) said.set(clause, known)
    }
    const fresh = Array.from(new Set(clauses.filter((clause) => !said.has(clause))))
    for (const [i, speech] of (yield* render(fresh, manner)).entries()) {
      said.set(fresh[i]!, speech)
      keep(keyOf(fresh[i]!), speech)
    }
    return join(clauses.map((clause) => said.get(clause)!))
  })
  return { kind: "espeak", speak }
})

/** `espeak-ng` when that program runs, else the tones. */
export const auto: Effect.Effect<Voice> = Effect.flatMap(canSpeak, (can) => (can ? makeEspeak : Effect.succeed(tones)))
