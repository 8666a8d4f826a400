/**
 * Speech through the program `espeak-ng`.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fromBytes, resample } from "../../Pcm.ts"
import type { Pcm } from "../../Pcm.ts"
import type { Manner, Speech, Word } from "../../Voice.ts"
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

/** The samples of a WAV whose header does not know its length yet (it was written to a pipe). */
const parseWav = (bytes: Uint8Array): Pcm | undefined => {
  if (bytes.length < 44) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return fromBytes(bytes.subarray(44), view.getUint32(24, true))
}

/** Without the quiet at both ends, which differs from clause to clause. */
const trim = ({ sampleRate, samples }: Pcm): Pcm => {
  const isSound = (sample: number) => Math.abs(sample) > 96
  const from = samples.findIndex(isSound)
  return {
    samples: from < 0 ? samples.slice(0, 0) : samples.slice(from, samples.findLastIndex(isSound) + 1),
    sampleRate
  }
}

const pauseAfter = (clause: string): number => (/[.!?]["')\]]*\s*$/u.test(clause) ? 220 : 120)

/** Words along the sound, each as long as its letters ask for. */
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

/** One clause, spoken in one go, followed by the pause its punctuation asks for. */
export const speakClause = Effect.fnUntraced(function* (clause: string, { name, speed }: Manner) {
  const rate = Math.max(80, Math.min(450, Math.round(wordsPerMinute * speed)))
  const pitch = Math.round(50 * pitchOf(name))
  const bytes = yield* run(["-v", "en", "-s", `${rate}`, "-p", `${pitch}`, "--stdin", "--stdout"], clause)
  const wav = parseWav(bytes)
  if (wav === undefined) return yield* Effect.fail(new EspeakFailed("no sound"))
  const spoken = resample(trim(wav), sampleRate).samples
  const soundMs = Math.ceil(spoken.length / samplesPerMs)
  const samples = new Int16Array((soundMs + Math.round(pauseAfter(clause) / speed)) * samplesPerMs)
  samples.set(spoken)
  const speech: Speech = { pcm: { samples, sampleRate }, words: place(clause, soundMs) }
  return speech
})
