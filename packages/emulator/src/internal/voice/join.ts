/**
 * Speech after speech.
 */
import { concat } from "../../Pcm.ts"
import type { Speech } from "../../Speech.ts"

/** Joins speeches and shifts the times of their words. */
export const join = (parts: ReadonlyArray<Speech>): Speech => {
  let offset = 0
  const words = parts.flatMap(({ pcm, words }) => {
    const from = offset
    offset += (pcm.samples.length * 1000) / pcm.sampleRate
    return words.map(({ endMs, startMs, text }) => ({ text, startMs: startMs + from, endMs: endMs + from }))
  })
  return { pcm: concat(parts.map(({ pcm }) => pcm)), words }
}
