/**
 * Tokens. The provider counts per response and per transcription, never cumulatively; cached input is part of input.
 */
import type { Untimed, Usage } from "@effect-bidi/core/BidiEvent"
import { count, type Fields, isFields } from "@effect-bidi/core/adapter/Json"

const modalities = ["text", "audio", "image"] as const

/** The usage of a response; nothing for one that used nothing. */
export const ofResponse = (responseId: string, raw: unknown): Untimed<Usage> | undefined => {
  if (!isFields(raw)) return undefined
  const inputs = details(raw, "input_token_details")
  const used = usage(raw, inputs, details(raw, "output_token_details"), inputs && count(inputs, "cached_tokens"))
  return used && { ...used, responseId }
}

/** The usage of a transcription, unless it is billed by the second. */
export const ofTranscription = (raw: unknown): Untimed<Usage> | undefined =>
  isFields(raw) && raw.type === "tokens"
    ? // what a transcription gives out is text
      usage(raw, details(raw, "input_token_details"), { text_tokens: raw.output_tokens }, undefined)
    : undefined

const details = (raw: Fields, key: string): Fields | undefined => {
  const value = raw[key]
  return isFields(value) ? value : undefined
}

const usage = (
  raw: Fields,
  inputs: Fields | undefined,
  outputs: Fields | undefined,
  cached: number | undefined
): Untimed<Usage> | undefined => {
  const inputTokens = count(raw, "input_tokens")
  const outputTokens = count(raw, "output_tokens")
  const totalTokens = count(raw, "total_tokens") || inputTokens + outputTokens
  if (totalTokens === 0) return undefined
  const byModality = modalities
    .map((modality) => ({
      modality,
      inputTokens: count(inputs, `${modality}_tokens`),
      outputTokens: count(outputs, `${modality}_tokens`)
    }))
    .filter((used) => used.inputTokens + used.outputTokens > 0)
  return {
    _tag: "Usage",
    inputTokens,
    outputTokens,
    totalTokens,
    byModality,
    ...(cached === undefined ? {} : { cacheReadInputTokens: cached })
  }
}
