/**
 * Options, checked and complete.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Audio from "@effect-bidi/core/Audio"
import { optionsOf, wrong, type WrongOption } from "@effect-bidi/core/adapter/BidiAdapter"
import { Options } from "../Options.ts"

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

const check = optionsOf(Options)

export const resolve = (options: unknown): Result.Result<Settings, WrongOption> => {
  const checked = check(options)
  if (Result.isFailure(checked)) return Result.fail(checked.failure)
  const given = checked.success
  for (const rule of rules) {
    const problem = rule(given)
    if (problem !== undefined) return Result.fail(wrong(...problem))
  }
  const { endpoint, voice = VOICE } = given
  return Result.succeed({
    model: MODEL,
    input: Audio.pcm(16_000),
    output: Audio.pcm(24_000),
    ...given,
    voice: typeof voice === "string" ? voice : voice.id,
    inference: { ...INFERENCE, ...given.inference },
    endpoint: endpoint === undefined ? undefined : new URL(endpoint)
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// what the schema does not say
// ---------------------------------------------------------------------------------------------------------------------

type Rule = (options: Options) => readonly [option: string, message: string] | undefined

const format =
  (option: "input" | "output"): Rule =>
  (options) => {
    const format = options[option]
    if (format === undefined) return undefined
    if (format.encoding !== "pcm") return [`${option}.encoding`, `Expected pcm, got ${format.encoding}`]
    if (format.channels !== 1) return [`${option}.channels`, "Expected 1 channel"]
    return RATES.includes(format.sampleRate)
      ? undefined
      : [`${option}.sampleRate`, `Expected ${RATES.join(", ")} Hz, got ${format.sampleRate}`]
  }

// what a header may hold; a value with anything else would be quoted in the complaint about it
const isHeader = (value: string) => /^[\x21-\x7e]+$/.test(value)

const rules: ReadonlyArray<Rule> = [
  format("input"),
  format("output"),
  ({ region }) =>
    region === undefined || /^[a-z0-9]+(-[a-z0-9]+)+$/.test(region)
      ? undefined
      : ["region", "Expected a region of AWS, e.g. us-east-1"],
  ({ endpoint }) => {
    if (endpoint === undefined) return undefined
    const url = URL.parse(endpoint)
    if (url === null) return ["endpoint", "Expected a URL"]
    return url.protocol === "http:" || url.protocol === "https:"
      ? undefined
      : ["endpoint", `Expected http or https, not ${url.protocol.slice(0, -1)}`]
  },
  ({ bearerToken }) =>
    bearerToken === undefined || isHeader(Redacted.value(bearerToken))
      ? undefined
      : ["bearerToken", "The key has characters that no key has"],
  ({ bearerToken, credentials }) =>
    bearerToken === undefined || credentials === undefined
      ? undefined
      : ["bearerToken", "Expected either bearerToken or credentials, got both"]
]
