/**
 * Tokens. Every report stands for itself and is added to those before it; cached input is part of the prompt.
 */
import type { Untimed, Usage } from "@effect-bidi/core/BidiEvent"
import { count, type Fields, isFields } from "@effect-bidi/core/adapter/Json"
import { list } from "./frame.ts"

type Modality = Usage["byModality"][number]["modality"]

const modalities = ["text", "audio", "image"] as const satisfies ReadonlyArray<Modality>

// what has no modality is text
const modalityOf = (name: unknown): Modality => {
  switch (name) {
    case "AUDIO":
      return "audio"
    case "IMAGE":
    case "VIDEO":
      return "image"
    default:
      return "text"
  }
}

/** Nothing for a report of nothing. */
export const usageOf = (raw: Fields): Untimed<Usage> | undefined => {
  const prompt = count(raw, "promptTokenCount")
  const toolUse = count(raw, "toolUsePromptTokenCount")
  // on Vertex' wire these have the names of other requests
  const response = count(raw, "responseTokenCount") || count(raw, "candidatesTokenCount")
  const thoughts = count(raw, "thoughtsTokenCount")
  const inputTokens = prompt + toolUse
  const outputTokens = response + thoughts
  const totalTokens = count(raw, "totalTokenCount") || inputTokens + outputTokens
  if (totalTokens === 0) return undefined
  const inputs = sums()
  add(inputs, raw, "promptTokensDetails")
  // the results of tools and thoughts are text, also where nobody says so
  if (!add(inputs, raw, "toolUsePromptTokensDetails")) inputs.text += toolUse
  const outputs = sums()
  if (!add(outputs, raw, "responseTokensDetails")) add(outputs, raw, "candidatesTokensDetails")
  outputs.text += thoughts
  const cached = count(raw, "cachedContentTokenCount")
  return {
    _tag: "Usage",
    inputTokens,
    outputTokens,
    totalTokens,
    byModality: modalities
      .map((modality) => ({ modality, inputTokens: inputs[modality], outputTokens: outputs[modality] }))
      .filter((used) => used.inputTokens + used.outputTokens > 0),
    ...(cached === 0 ? {} : { cacheReadInputTokens: cached })
  }
}

const sums = (): Record<Modality, number> => ({ text: 0, audio: 0, image: 0 })

const add = (sums: Record<Modality, number>, raw: Fields, key: string): boolean => {
  const details = list(raw, key).filter(isFields)
  for (const detail of details) sums[modalityOf(detail.modality)] += count(detail, "tokenCount")
  return details.length > 0
}
