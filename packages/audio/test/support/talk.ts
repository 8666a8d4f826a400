/**
 * A conversation with the emulator over real sockets, and the audio that passed between them.
 */
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import * as BidiTools from "@effect-bidi/core/BidiTools"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import * as OpenAiRealtime from "@effect-bidi/openai/OpenAiRealtime"
import type { Message } from "@effect-bidi/emulator/Emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Resampler from "../../src/internal/signal/resampler.ts"
import { samplesOf } from "../../src/internal/signal/samples.ts"
import * as Wav from "../../src/Wav.ts"
import * as Result from "effect/Result"

export const RATE = 24_000

/** An emulator, and an agent that talks to it. */
export const make = Effect.fnUntraced(function* (options: OpenAiEmulator.Options = {}) {
  const emulator = yield* OpenAiEmulator.make({ log: { audio: true, entries: 100_000 }, ...options })
  const model = OpenAiRealtime.layer({ apiKey: Redacted.make("none"), baseUrl: emulator.url })
  const agent = yield* BidiAgent.make({ toolkit: BidiTools.toolkit }).pipe(
    Effect.provide(Layer.mergeAll(model, BidiTools.layer))
  )
  return { emulator, agent }
})

const sound = (messages: ReadonlyArray<Message>, type: string, field: string): Int16Array =>
  samplesOf(
    Buffer.concat(
      messages
        .filter((message) => message.type === type)
        .map(({ event }) => Buffer.from(String(event[field]), "base64"))
    )
  )

/** What the model heard so far. */
export const heard = (emulator: OpenAiEmulator.OpenAiEmulator["Service"]) =>
  Effect.map(emulator.received(), (messages) => sound(messages, "input_audio_buffer.append", "audio"))

/** What the model said so far. */
export const said = (emulator: OpenAiEmulator.OpenAiEmulator["Service"]) =>
  Effect.map(emulator.sent(), (messages) => sound(messages, "response.output_audio.delta", "delta"))

const folder = mkdtempSync(join(tmpdir(), "speech-"))

/** A text spoken by `espeak-ng`, at {@link RATE}. */
export const speech = Effect.fnUntraced(function* (text: string) {
  const file = join(folder, "speech.wav")
  execFileSync("espeak-ng", ["-w", file, text])
  const { pcm, sampleRate } = Result.getOrThrow(Wav.decode(readFileSync(file)))
  const resampler = yield* (yield* Resampler.load)(sampleRate, RATE)
  return samplesOf(resampler.push(pcm))
})

/** A WAV file of samples. */
export const wavFile = (name: string, samples: Int16Array, sampleRate: number): string => {
  const file = join(folder, `${name}.wav`)
  writeFileSync(file, Wav.encode({ sampleRate, channels: 1, pcm: new Uint8Array(samples.buffer) }))
  return file
}
