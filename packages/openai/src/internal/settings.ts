/**
 * Options, checked and complete.
 */
import * as Duration from "effect/Duration"
import * as Audio from "@effect-bidi/core/Audio"
import { checked, type Rule, rules } from "@effect-bidi/core/adapter/BidiAdapter"
import { agentFor } from "@effect-bidi/core/adapter/BidiProxy"
import { MakeOptions, type Options } from "../Options.ts"
import { addressOf } from "./dial.ts"
import { keyless } from "./errors.ts"

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

/** With defaults. The schema of the options has checked them. */
export const resolve = (options: Options): Settings => ({ ...defaults, ...options })

// ---------------------------------------------------------------------------------------------------------------------
// what one option demands of another
// ---------------------------------------------------------------------------------------------------------------------

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
  (field: "languages" | "keywords" | "prompt" | "delay", supports: (model: string) => boolean): Rule<Settings> =>
  ({ transcription }) => {
    if (transcription === false || transcription[field] === undefined) return undefined
    const model = transcription.model ?? TRANSCRIPTION_MODEL
    return supports(model) ? undefined : [`transcription.${field}`, `The model ${model} does not support this`]
  }

const demands: ReadonlyArray<Rule<Settings>> = [
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

/** Checks all options of `make`; fails with `InvalidRequest`, which names the one that is wrong. */
export const check = checked(
  MakeOptions.check(
    rules<MakeOptions>([
      ...demands.map((rule) => (options: MakeOptions) => rule(resolve(options))),
      ({ agent, baseUrl }) => {
        const { isPlain, url } = addressOf(baseUrl)
        // the SDK insists on TLS, and an agent makes the connection that it insists on
        return isPlain && agentFor(agent, url) !== undefined
          ? ["agent", "Expected a baseUrl with TLS (https): a plain connection takes no agent"]
          : undefined
      }
    ])
  ),
  keyless
)
