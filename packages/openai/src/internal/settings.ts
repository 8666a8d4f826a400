/**
 * Options, checked and complete.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Audio from "@effect-bidi/core/Audio"
import { optionsOf, wrong, type WrongOption } from "@effect-bidi/core/adapter/BidiAdapter"
import { Options } from "../Options.ts"

export interface Settings extends Options {
  readonly model: string
  readonly voice: NonNullable<Options["voice"]>
  readonly modality: "audio" | "text"
  readonly input: Audio.AudioFormat
  readonly output: Audio.AudioFormat
  readonly turnDetection: NonNullable<Options["turnDetection"]>
  readonly transcription: NonNullable<Options["transcription"]>
}

export const TRANSCRIPTION_MODEL = "gpt-transcribe"

const defaults = {
  model: "gpt-realtime-2.1",
  voice: "marin",
  modality: "audio",
  input: Audio.pcm(24_000),
  output: Audio.pcm(24_000),
  turnDetection: { type: "server_vad" },
  transcription: { model: TRANSCRIPTION_MODEL }
} satisfies Settings

const check = optionsOf(Options)

export const resolve = (options: unknown): Result.Result<Settings, WrongOption> => {
  const checked = check(options)
  if (Result.isFailure(checked)) return Result.fail(checked.failure)
  const settings: Settings = { ...defaults, ...checked.success }
  for (const rule of rules) {
    const problem = rule(settings)
    if (problem !== undefined) return Result.fail(wrong(...problem))
  }
  return Result.succeed(settings)
}

// ---------------------------------------------------------------------------------------------------------------------
// what one option demands of another
// ---------------------------------------------------------------------------------------------------------------------

type Rule = (settings: Settings) => readonly [option: string, message: string] | undefined

const WHISPER = "gpt-realtime-whisper"

// `gpt-realtime-2025-08-28` is a snapshot of the first model, not a version 2
const isReasoning = (model: string) => /^gpt-realtime-2(\.\d+)?($|-)/.test(model)
const isPrompted = (model: string) => /^gpt-(live-)?transcribe($|-)/.test(model)

const format = (option: "input" | "output") => (settings: Settings) => {
  const { channels, encoding: format, sampleRate } = settings[option]
  const rate = format === "pcm" ? 24_000 : 8000
  if (channels !== 1) return [`${option}.channels`, "Expected 1 channel"] as const
  return sampleRate === rate ? undefined : ([`${option}.sampleRate`, `Expected ${rate} Hz for ${format}`] as const)
}

const reasoning = (option: "reasoningEffort" | "parallelToolCalls") => (settings: Settings) =>
  settings[option] === undefined || isReasoning(settings.model)
    ? undefined
    : ([option, `The model ${settings.model} does not support this; gpt-realtime-2 and its successors do`] as const)

const transcription =
  (field: "languages" | "keywords" | "prompt" | "delay", supports: (model: string) => boolean): Rule =>
  ({ transcription }) => {
    if (transcription === false || transcription[field] === undefined) return undefined
    const model = transcription.model ?? TRANSCRIPTION_MODEL
    return supports(model) ? undefined : [`transcription.${field}`, `The model ${model} does not support this`]
  }

const rules: ReadonlyArray<Rule> = [
  format("input"),
  format("output"),
  reasoning("reasoningEffort"),
  reasoning("parallelToolCalls"),
  transcription("languages", isPrompted),
  transcription("keywords", isPrompted),
  transcription("prompt", (model) => model !== WHISPER),
  transcription("delay", (model) => model === WHISPER),
  ({ transcription, turnDetection }) =>
    transcription !== false && transcription.model === WHISPER && turnDetection !== "manual"
      ? ["transcription.model", `${WHISPER} needs turnDetection "manual"`]
      : undefined,
  ({ turnDetection }) => {
    if (turnDetection === "manual" || turnDetection.type !== "server_vad") return undefined
    const { idleTimeout } = turnDetection
    if (idleTimeout === undefined) return undefined
    const millis = Duration.toMillis(Duration.fromInputUnsafe(idleTimeout))
    return millis >= 5000 && millis <= 30_000
      ? undefined
      : ["turnDetection.idleTimeout", "Expected a duration between 5 and 30 seconds"]
  }
]
