/**
 * Tokens. The provider counts from the beginning of a connection, and says beside it what is new.
 */
import type { Untimed, Usage } from "@effect-bidi/core/BidiEvent"
import { count, type Fields, optionalFields } from "@effect-bidi/core/adapter/Json"

/** What a connection had used at its last report. */
export interface Totals {
  readonly input: number
  readonly output: number
}

export const none: Totals = { input: 0, output: 0 }

/** The new totals, and what was used since the last; nothing when that is nothing. */
export const since = (last: Totals, raw: Fields): readonly [Totals, Untimed<Usage> | undefined] => {
  const totals = {
    input: Math.max(last.input, count(raw, "totalInputTokens")),
    output: Math.max(last.output, count(raw, "totalOutputTokens"))
  }
  // the same totals again are the same report again
  const isRepeated = totals.input + totals.output > 0 && totals.input === last.input && totals.output === last.output
  if (isRepeated) return [totals, undefined]
  const delta = optionalFields(optionalFields(raw, "details"), "delta")
  if (delta === undefined) return [totals, usage(totals.input - last.input, totals.output - last.output, [])]
  const input = optionalFields(delta, "input")
  const output = optionalFields(delta, "output")
  const byModality = [modality("text", input, output), modality("audio", input, output)].filter(
    (used) => used.inputTokens + used.outputTokens > 0
  )
  const sum = (key: "inputTokens" | "outputTokens") => byModality.reduce((sum, used) => sum + used[key], 0)
  return [totals, usage(sum("inputTokens"), sum("outputTokens"), byModality)]
}

const names = { text: "textTokens", audio: "speechTokens" } as const

const modality = (modality: "text" | "audio", input: Fields | undefined, output: Fields | undefined) => ({
  modality,
  inputTokens: count(input, names[modality]),
  outputTokens: count(output, names[modality])
})

const usage = (
  inputTokens: number,
  outputTokens: number,
  byModality: Usage["byModality"]
): Untimed<Usage> | undefined =>
  inputTokens + outputTokens === 0
    ? undefined
    : { _tag: "Usage", inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, byModality }
