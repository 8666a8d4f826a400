/**
 * Speech through the program `espeak-ng`.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fromBytes, resample } from "../../Pcm.ts"
import type { Pcm } from "../../Pcm.ts"
import type { Style, Speech, Word } from "../../Speech.ts"
import { pitchOf, weightOf, wordsOf } from "./words.ts"

const sampleRate = 24_000
const samplesPerMs = sampleRate / 1000
const wordsPerMinute = 175

class EspeakFailed {
  readonly _tag = "EspeakFailed"
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

const run = (args: ReadonlyArray<string>, input: string): Effect.Effect<Uint8Array, EspeakFailed> =>
  Effect.callback<Uint8Array, EspeakFailed>((resume) => {
    const child = spawn("espeak-ng", args, { stdio: ["pipe", "pipe", "ignore"] })
    const chunks: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stdin.on("error", () => {})
    child.on("error", (error) => resume(Effect.fail(new EspeakFailed(error.message))))
    child.on("close", (code) =>
      resume(code === 0 ? Effect.succeed(Buffer.concat(chunks)) : Effect.fail(new EspeakFailed(`exit code ${code}`)))
    )
    child.stdin.end(input)
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Whether the program is there and runs. */
export const canSpeak: Effect.Effect<boolean> = run(["--version"], "").pipe(
  Effect.as(true),
  Effect.catch(() => Effect.succeed(false))
)

/** The samples of a WAV that was written to a pipe, so that its header has no length. */
const parseWav = (bytes: Uint8Array): Pcm | undefined => {
  if (bytes.length < 44) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return fromBytes(bytes.subarray(44), view.getUint32(24, true))
}

/** Removes the silence at both ends, which varies. */
const trim = ({ sampleRate, samples }: Pcm): Pcm => {
  const isSound = (sample: number) => Math.abs(sample) > 96
  const from = samples.findIndex(isSound)
  return {
    samples: from < 0 ? samples.slice(0, 0) : samples.slice(from, samples.findLastIndex(isSound) + 1),
    sampleRate
  }
}

const pauseAfter = (clause: string): number => (/[.!?]["')\]]*\s*$/u.test(clause) ? 220 : 120)

/** The times of the words, estimated from their letters. */
const place = (clause: string, soundMs: number): ReadonlyArray<Word> => {
  const words = wordsOf(clause)
  const total = words.reduce((sum, word) => sum + weightOf(word) + 1, 0)
  let before = 0
  return words.map((text) => {
    const startMs = Math.round((before / total) * soundMs)
    before += weightOf(text) + 1
    return { text, startMs, endMs: Math.round((before / total) * soundMs) }
  })
}

const argumentsOf = ({ speed, voice }: Style): ReadonlyArray<string> => {
  const rate = Math.max(80, Math.min(450, Math.round(wordsPerMinute * speed)))
  const pitch = Math.round(50 * pitchOf(voice))
  return ["-v", "en", "-s", `${rate}`, "-p", `${pitch}`, "--stdin", "--stdout"]
}

const speak = (args: ReadonlyArray<string>, text: string): Effect.Effect<Pcm, EspeakFailed> =>
  Effect.flatMap(run(args, text), (bytes) => {
    const wav = parseWav(bytes)
    return wav === undefined ? Effect.fail(new EspeakFailed("no sound")) : Effect.succeed(wav)
  })

/** A clause and its sound, followed by the pause its punctuation asks for. */
const speechOf = (clause: string, sound: Pcm, speed: number): Speech => {
  const spoken = resample(trim(sound), sampleRate).samples
  const soundMs = Math.ceil(spoken.length / samplesPerMs)
  const samples = new Int16Array((soundMs + Math.round(pauseAfter(clause) / speed)) * samplesPerMs)
  samples.set(spoken)
  return { pcm: { samples, sampleRate }, words: place(clause, soundMs) }
}

/** One clause, spoken in one go. */
export const speakClause = (clause: string, style: Style): Effect.Effect<Speech, EspeakFailed> =>
  Effect.map(speak(argumentsOf(style), clause), (sound) => speechOf(clause, sound, style.speed))

// The pause between two clauses in one run, and the silence that is looked for: no clause is silent for so long.
const breakMs = 2000
const quietMs = 1200

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/** Splits the audio at long silences. */
const apart = ({ sampleRate, samples }: Pcm): ReadonlyArray<Pcm> => {
  const stretches: Array<Pcm> = []
  let from: number | undefined
  let last = 0
  const end = () => {
    if (from !== undefined) stretches.push({ samples: samples.slice(from, last + 1), sampleRate })
    from = undefined
  }
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]!) <= 96) continue
    if (i - last > (quietMs * sampleRate) / 1000) end()
    from ??= i
    last = i
  }
  end()
  return stretches
}

/**
 * Several clauses in one run of the program, each as if it were spoken alone. Fails when the audio cannot be split into
 * the clauses.
 */
export const speakClauses = (
  clauses: ReadonlyArray<string>,
  style: Style
): Effect.Effect<ReadonlyArray<Speech>, EspeakFailed> => {
  const marked = clauses.map((clause) => escape(clause.trim())).join(`<break time="${breakMs}ms"/>`)
  return Effect.flatMap(speak([...argumentsOf(style), "-m"], `<speak>${marked}</speak>`), (sound) => {
    const sounds = apart(sound)
    return sounds.length === clauses.length
      ? Effect.succeed(clauses.map((clause, i) => speechOf(clause, sounds[i]!, style.speed)))
      : Effect.fail(new EspeakFailed(`${sounds.length} sounds for ${clauses.length} clauses`))
  })
}
