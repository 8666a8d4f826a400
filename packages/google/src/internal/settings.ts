/**
 * Options, checked and complete.
 */
import * as Duration from "effect/Duration"
import * as Audio from "@effect-bidi/core/Audio"
import { checked, type Rule, rules } from "@effect-bidi/core/adapter/BidiAdapter"
import { MakeOptions, type Options } from "../Options.ts"
import { keyless } from "./errors.ts"
import { type ModelFeatures, featuresOf } from "./modelFeatures.ts"

export interface Settings extends Omit<Options, "transcription" | "functions" | "unanswered"> {
  readonly model: string
  readonly features: ModelFeatures
  readonly input: Audio.AudioFormat
  readonly turnDetection: NonNullable<Options["turnDetection"]>
  /** `undefined`: the words are not known. */
  readonly inputTranscription: Transcription | undefined
  readonly outputTranscription: boolean
  readonly compression: NonNullable<Options["compression"]>
  readonly behavior: "blocking" | "non_blocking" | undefined
  readonly scheduling: "when_idle" | "interrupt"
  readonly unanswered: { readonly after: Duration.Duration; readonly nudge: boolean }
}

type Transcription = Exclude<Exclude<NonNullable<Options["transcription"]>, false>["input"], boolean | undefined>

/** What the agent's audio always is. */
export const OUTPUT = Audio.pcm(24_000)

const MODEL = "gemini-3.8-live"

/** With defaults. The schema of the options has checked them. */
export const resolve = (options: Options): Settings => {
  const { model = MODEL } = options
  const features = featuresOf(model)
  const { functions = {}, transcription = {}, unanswered = {}, ...rest } = options
  const words = transcription === false ? { input: false, output: false } : transcription
  return {
    input: Audio.pcm(16_000),
    turnDetection: {},
    compression: {},
    ...rest,
    model,
    features,
    inputTranscription:
      words.input === false ? undefined : words.input === undefined || words.input === true ? {} : words.input,
    outputTranscription: words.output !== false,
    behavior: functions.behavior ?? features.behavior,
    scheduling: functions.scheduling ?? "when_idle",
    unanswered: { after: Duration.fromInputUnsafe(unanswered.after ?? "10 seconds"), nudge: unanswered.nudge === true }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// what a model, and one option, demand of another
// ---------------------------------------------------------------------------------------------------------------------

type ModelRule = (options: Options, features: ModelFeatures, model: string) => ReturnType<Rule<Options>>

const oneOf = (values: ReadonlyArray<string>) => `Expected ${values.map((value) => `"${value}"`).join(" | ")}`

const input: ModelRule = ({ input }) => {
  if (input === undefined) return undefined
  const { channels, encoding: format, sampleRate } = input
  if (format !== "pcm") return ["input.encoding", oneOf(["pcm"])]
  if (channels !== 1) return ["input.channels", "Expected 1 channel"]
  return sampleRate <= 48_000 ? undefined : ["input.sampleRate", "Expected 8000 to 48000 Hz"]
}

const LEVELS = '{ level: "minimal" | "low" | "medium" | "high" }'

const thinking: ModelRule = ({ thinking }, features, model) => {
  if (thinking === undefined) return undefined
  const { budget, level, thoughts } = thinking
  if (budget !== undefined && level !== undefined) return ["thinking", "Expected either level or budget"]
  if (budget === undefined && level === undefined && thoughts === undefined) {
    return ["thinking", "Expected either level or budget"]
  }
  if (features.thinking === "none") {
    return ["thinking", `The model ${model} decides by itself; gemini-3.8-live-extended-thinking takes ${LEVELS}`]
  }
  if (features.thinking === "level" && budget !== undefined) {
    return ["thinking.budget", `The model ${model} takes ${LEVELS} instead`]
  }
  return features.thinking === "budget" && level !== undefined
    ? ["thinking.level", `The model ${model} takes { budget } instead: a number of tokens, 0 for none, -1 for any`]
    : undefined
}

const only25 = "models of generation 2.5 do"

const proactivity: ModelRule = ({ proactivity }, features, model) => {
  if (proactivity === undefined) return undefined
  if (features.proactivity === "always") return ["proactivity", `The model ${model} is always proactive; leave it out`]
  if (features.proactivity === "never") return ["proactivity", `The model ${model} does not support this; ${only25}`]
  return proactivity.video === true && !proactivity.audio
    ? ["proactivity.audio", "Expected true where proactivity.video is"]
    : undefined
}

const transcription: ModelRule = ({ transcription }, features, model) => {
  if (transcription === undefined || transcription === false || features.hints) return undefined
  if (transcription.input === undefined || typeof transcription.input === "boolean") return undefined
  const hint = Object.keys(transcription.input)[0]
  return hint === undefined
    ? undefined
    : [`transcription.input.${hint}`, `The model ${model} does not support this; gemini-3.8-live does`]
}

const functions: ModelRule = ({ functions }, { behavior: byDefault, behaviors }, model) => {
  if (functions === undefined) return undefined
  const { behavior = byDefault, scheduling } = functions
  if (behavior !== undefined && !behaviors.includes(behavior)) {
    return ["functions.behavior", `${oneOf(behaviors)} for the model ${model}`]
  }
  return scheduling !== undefined && behavior !== "non_blocking"
    ? ["functions.scheduling", 'This needs functions.behavior "non_blocking"']
    : undefined
}

const compression: ModelRule = ({ compression }) => {
  if (compression === undefined || compression === false) return undefined
  const { targetTokens, triggerTokens } = compression
  return targetTokens !== undefined && triggerTokens !== undefined && targetTokens >= triggerTokens
    ? ["compression.targetTokens", `Expected less than compression.triggerTokens (${triggerTokens})`]
    : undefined
}

const demands: ReadonlyArray<ModelRule> = [
  input,
  thinking,
  proactivity,
  transcription,
  functions,
  compression,
  ({ affectiveDialog }, features, model) =>
    affectiveDialog === undefined || features.affectiveDialog
      ? undefined
      : ["affectiveDialog", `The model ${model} does not support this; ${only25}`],
  ({ language }, features, model) =>
    language === undefined || features.language
      ? undefined
      : ["language", `The model ${model} chooses the language by itself; say it in the system prompt`],
  ({ turnCoverage }, { coverages }, model) =>
    turnCoverage === undefined || coverages.includes(turnCoverage)
      ? undefined
      : ["turnCoverage", `${oneOf(coverages)} for the model ${model}`],
  // the SDK refuses such names without saying which
  ({ model = MODEL }) =>
    /\.\.|[?&\s]/.test(model) ? ["model", "Expected a name without .. ? & and spaces"] : undefined
]

/** Checks all options of `make`; fails with `InvalidRequest`, which names the one that is wrong. */
export const check = checked(
  MakeOptions.check(
    rules<MakeOptions>(
      demands.map((rule) => (options) => rule(options, featuresOf(options.model ?? MODEL), options.model ?? MODEL))
    )
  ),
  keyless
)
