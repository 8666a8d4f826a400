/**
 * Token counts, after the provider's published rules of thumb.
 */

import { none, sum } from "../session/tokens.ts"
import type { Tokens } from "../session/tokens.ts"

export { none, ofText, plus, sum } from "../session/tokens.ts"
export type { Tokens } from "../session/tokens.ts"

/** One token for each 100 ms that is heard. */
export const ofHeard = (ms: number): Tokens => ({ ...none, audio: Math.ceil(ms / 100) })

/** One token for each 50 ms that is said. */
export const ofSaid = (ms: number): Tokens => ({ ...none, audio: Math.ceil(ms / 50) })

export const ofImage = (detail: "auto" | "low" | "high"): Tokens => ({ ...none, image: detail === "low" ? 85 : 765 })

/** Tokens are cached in blocks of this many. */
const block = 64

/** The `usage` of a response: cached tokens are a part of the input, text first. */
export const usageOf = (input: Tokens, output: Tokens, before: number): Readonly<Record<string, unknown>> => {
  const cached = Math.floor(Math.min(before, sum(input)) / block) * block
  const cachedText = Math.min(cached, input.text)
  const cachedAudio = Math.min(cached - cachedText, input.audio)
  return {
    total_tokens: sum(input) + sum(output),
    input_tokens: sum(input),
    output_tokens: sum(output),
    input_token_details: {
      text_tokens: input.text,
      audio_tokens: input.audio,
      image_tokens: input.image,
      cached_tokens: cached,
      cached_tokens_details: {
        text_tokens: cachedText,
        audio_tokens: cachedAudio,
        image_tokens: cached - cachedText - cachedAudio
      }
    },
    output_token_details: { text_tokens: output.text, audio_tokens: output.audio }
  }
}
