/**
 * The messages of the server.
 */
import * as Base64 from "../audio/base64.ts"
import type { WireEvent } from "../session/machine.ts"
import { SAMPLE_RATE } from "../../Speech.ts"
import type { Family } from "./family.ts"

const part = (bytes: Uint8Array): WireEvent => ({
  inlineData: { mimeType: `audio/pcm;rate=${SAMPLE_RATE}`, data: Base64.encode(bytes) }
})

/** Audio of the model. Some families split it into several parts. */
export const soundOf = (bytes: Uint8Array, family: Family): WireEvent => {
  const middle = Math.floor(bytes.length / 4) * 2
  const parts =
    family.isTerse && middle > 0 ? [part(bytes.subarray(0, middle)), part(bytes.subarray(middle))] : [part(bytes)]
  return { modelTurn: { role: "model", parts } }
}

/** A thought of the model. */
export const thoughtOf = (text: string): WireEvent => ({
  modelTurn: { role: "model", parts: [{ text, thought: true }] }
})

/** A `serverContent` message of these fields. */
export const content = (...parts: ReadonlyArray<WireEvent>): WireEvent => ({
  serverContent: Object.assign({}, ...parts)
})

/** Written text of the model. */
export const writtenOf = (text: string): WireEvent => ({ modelTurn: { role: "model", parts: [{ text }] } })

/** Calls as parts of the model's content. */
export const callPartsOf = (functionCalls: ReadonlyArray<WireEvent>): WireEvent => ({
  modelTurn: { role: "model", parts: functionCalls.map((functionCall) => ({ functionCall })) }
})

/** Sentences without the spaces between them, each twice. */
export const burstsOf = (text: string): ReadonlyArray<string> =>
  text.split(/(?<=[.!?])\s+/).flatMap((sentence) => [sentence, sentence])

/** A transcript of the user or of the model. */
export const transcriptionOf = (text: string): WireEvent => ({ text })

/** A duration in the JSON of protocol buffers. */
export const secondsOf = (ms: number): string => `${Number((ms / 1000).toFixed(3))}s`

/** The end of a turn. Newer models report whether results are still missing. */
export const endOf = (family: Family, isBusy: boolean, reason: string | undefined): WireEvent => ({
  turnComplete: true,
  ...(reason === undefined ? {} : { turnCompleteReason: reason }),
  ...(family.tellsStatus ? { interactionStatus: isBusy ? "IN_PROGRESS" : "IDLE" } : {})
})

/** Reports the end of background work: with an end of a turn, or alone, inside `serverContent` or at the top level. */
export const doneOf = (family: Family, at: "turn" | "inside" | "top"): WireEvent => {
  if (at === "turn") return content(endOf(family, false, undefined))
  const status = { interactionStatus: "IDLE" }
  return at === "inside" ? content(status) : status
}
