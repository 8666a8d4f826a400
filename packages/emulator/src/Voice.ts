/**
 * The voices of the emulators: text to speech with the time of every word.
 *
 * `tones` needs nothing and is exact: one two-note sound for each word. `espeak` runs the program `espeak-ng`. `auto`
 * takes `espeak-ng` when it is on the PATH, and `tones` otherwise.
 *
 * @example
 * const voice = yield* Voice.auto
 * const { pcm, words } = yield* voice.speak("Hello there.", { speed: 1, voice: "marin" })
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { canSpeak, speakClause, speakClauses } from "./internal/voice/espeak.ts"
import { join } from "./internal/voice/join.ts"
import { speakTones } from "./internal/voice/tones.ts"
import { clausesOf } from "./internal/voice/words.ts"
import type { Speech, Style } from "./Speech.ts"

/**
 * Text to speech. Bring your own to hear something else.
 *
 * @since 0.1.0
 */
export interface Voice {
  readonly kind: "tones" | "espeak"
  /** Cannot fail: clauses that `espeak-ng` refuses are spoken in tones. */
  readonly speak: (text: string, style: Style) => Effect.Effect<Speech>
}

/**
 * One sound of two notes for each word, exact to the millisecond. It runs no program and waits for nothing.
 *
 * @since 0.1.0
 */
export const tones: Voice = {
  kind: "tones",
  speak: (text, style) => Effect.sync(() => join(clausesOf(text).map((clause) => speakTones(clause, style))))
}

/** How many spoken clauses a voice caches; the long story has 60. */
const CACHED_CLAUSES = 256

/**
 * The voice of `espeak-ng`, which runs once for all clauses that are not in its cache. The duration of the speech and the
 * start of every clause are exact; the times of words within a clause are estimated from their length.
 *
 * @since 0.1.0
 */
export const espeak: Effect.Effect<Voice> = Effect.sync(() => {
  const cache = new Map<string, Speech>()
  const keep = (key: string, speech: Speech) => {
    if (cache.size >= CACHED_CLAUSES) cache.delete(cache.keys().next().value!)
    cache.set(key, speech)
  }
  const alone = (clause: string, style: Style) =>
    Effect.catch(speakClause(clause, style), () => Effect.sync(() => speakTones(clause, style)))
  const render = (clauses: ReadonlyArray<string>, style: Style) => {
    const oneByOne = Effect.forEach(clauses, (clause) => alone(clause, style), { concurrency: 2 })
    return clauses.length <= 1 ? oneByOne : Effect.catch(speakClauses(clauses, style), () => oneByOne)
  }
  const speak = Effect.fnUntraced(function* (text: string, style: Style) {
    const clauses = clausesOf(text)
    const keyOf = (clause: string) => JSON.stringify([clause, style.speed, style.voice])
    const spoken = new Map<string, Speech>()
    for (const clause of clauses) {
      const cached = cache.get(keyOf(clause))
      if (cached !== undefined) spoken.set(clause, cached)
    }
    const missing = Array.from(new Set(clauses.filter((clause) => !spoken.has(clause))))
    for (const [i, speech] of (yield* render(missing, style)).entries()) {
      spoken.set(missing[i]!, speech)
      keep(keyOf(missing[i]!), speech)
    }
    return join(clauses.map((clause) => spoken.get(clause)!))
  })
  return { kind: "espeak", speak }
})

/**
 * `espeak-ng` when that program runs, otherwise tones.
 *
 * @since 0.1.0
 */
export const auto: Effect.Effect<Voice> = Effect.flatMap(canSpeak, (can) => (can ? espeak : Effect.succeed(tones)))
