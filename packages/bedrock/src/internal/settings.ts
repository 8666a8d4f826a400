/**
 * Options, checked and complete.
 */
import * as Audio from "@effect-bidi/core/Audio"
import { checked, type Rule, rules } from "@effect-bidi/core/adapter/BidiAdapter"
import { Options } from "../Options.ts"
import { keyless } from "./errors.ts"

export interface Settings extends Omit<Options, "voice" | "inference" | "endpoint"> {
  readonly model: string
  readonly voice: string
  readonly input: Audio.AudioFormat
  readonly output: Audio.AudioFormat
  readonly inference: { readonly maxTokens: number; readonly topP: number; readonly temperature: number }
  readonly endpoint: URL | undefined
}

const MODEL = "amazon.nova-2-sonic-v1:0"
const VOICE = "matthew"
const INFERENCE = { maxTokens: 1024, topP: 0.9, temperature: 0.7 }
const RATES = [8000, 16_000, 24_000]

/** With defaults. The schema of the options has checked them. */
export const resolve = (options: Options): Settings => {
  const { endpoint, voice = VOICE } = options
  return {
    model: MODEL,
    input: Audio.pcm(16_000),
    output: Audio.pcm(24_000),
    ...options,
    voice: typeof voice === "string" ? voice : voice.id,
    inference: { ...INFERENCE, ...options.inference },
    endpoint: endpoint === undefined ? undefined : new URL(endpoint)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// what the schema does not say
// ---------------------------------------------------------------------------------------------------------------------

const format =
  (option: "input" | "output"): Rule<Options> =>
  (options) => {
    const format = options[option]
    if (format === undefined) return undefined
    if (format.encoding !== "pcm") return [`${option}.encoding`, `Expected pcm, got ${format.encoding}`]
    if (format.channels !== 1) return [`${option}.channels`, "Expected 1 channel"]
    return RATES.includes(format.sampleRate)
      ? undefined
      : [`${option}.sampleRate`, `Expected ${RATES.join(", ")} Hz, got ${format.sampleRate}`]
  }

const demands: ReadonlyArray<Rule<Options>> = [
  format("input"),
  format("output"),
  ({ bearerToken, credentials }) =>
    bearerToken === undefined || credentials === undefined
      ? undefined
      : ["bearerToken", "Expected either bearerToken or credentials, got both"]
]

/** Checks all options of `make`; fails with `InvalidRequest`, which names the one that is wrong. */
export const check = checked(Options.check(rules(demands)), keyless)
