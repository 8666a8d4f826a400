/**
 * A reply as the sequence of small things that are sent for it.
 */
import type { Call, Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Speech, Word } from "../../Speech.ts"
import { piecesOf } from "../voice/pieces.ts"
import { wordsOf } from "../voice/words.ts"
import type { AudioFormat } from "./protocol.ts"
import { rateOf } from "./settings.ts"
import { bytesOf } from "./wireAudio.ts"

export type Beat =
  | { readonly _tag: "OpenMessage"; readonly kind: "audio" | "text" }
  /** A piece of speech: `ms` of sound, and the words that begin in it. */
  | { readonly _tag: "Sound"; readonly bytes: Uint8Array; readonly ms: number; readonly words: ReadonlyArray<Word> }
  | { readonly _tag: "Text"; readonly text: string; readonly ms: number }
  | { readonly _tag: "OpenCall"; readonly name: string }
  | { readonly _tag: "Json"; readonly text: string; readonly ms: number }
  | { readonly _tag: "Close" }
  | { readonly _tag: "Finish"; readonly end: End }

/** How a response ends. */
export type End =
  | { readonly status: "completed" }
  | { readonly status: "cancelled"; readonly reason: "turn_detected" | "client_cancelled" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" }
  | {
      readonly status: "failed"
      readonly error: { readonly type: string; readonly code: string; readonly message: string }
    }

/** A word of text, and a piece of JSON, take this long at speed 1. */
const textMs = 160
const jsonMs = 80
const jsonLength = 12

export const isPiece = (beat: Beat): beat is Extract<Beat, { readonly ms: number }> => "ms" in beat

/** Text in deltas, one word each. */
const textBeats = (text: string): ReadonlyArray<Beat> => [
  { _tag: "OpenMessage", kind: "text" },
  ...wordsOf(text).map((word): Beat => ({ _tag: "Text", text: word, ms: textMs })),
  { _tag: "Close" }
]

/** Speech in deltas of `deltaMs`, with each word in the delta in which it begins. */
const soundBeats = (speech: Speech, format: AudioFormat, deltaMs: number): ReadonlyArray<Beat> => [
  { _tag: "OpenMessage", kind: "audio" },
  ...piecesOf(speech, rateOf(format), deltaMs).map(({ ms, samples, words }): Beat => ({
    _tag: "Sound",
    bytes: bytesOf(samples, format),
    ms,
    words
  })),
  { _tag: "Close" }
]

const callBeats = ({ arguments: args, name }: Call): ReadonlyArray<Beat> => {
  const json = JSON.stringify(args)
  const pieces = json.match(new RegExp(`[\\s\\S]{1,${jsonLength}}`, "gu")) ?? []
  return [
    { _tag: "OpenCall", name },
    ...pieces.map((text): Beat => ({ _tag: "Json", text, ms: jsonMs })),
    { _tag: "Close" }
  ]
}

/** Keeps the first `pieces` deltas; the item they belong to stays open, so that it is closed as incomplete. */
const cutAfter = (beats: ReadonlyArray<Beat>, pieces: number): ReadonlyArray<Beat> => {
  let left = pieces
  const end = beats.findIndex((beat) => isPiece(beat) && left-- <= 0)
  const kept = end < 0 ? beats : beats.slice(0, end)
  return pieces === 0 ? [] : kept
}

/** How the faults that wait for this response bend it. */
const bend = (beats: ReadonlyArray<Beat>, faults: ReadonlyArray<ResponseFault>): ReadonlyArray<Beat> => {
  for (const fault of faults) {
    if (fault._tag === "FailResponse") {
      const {
        code = "server_error",
        message = "The server had an error while processing your request. Sorry about that!",
        type = "server_error"
      } = fault
      const end: End = { status: "failed", error: { type, code, message } }
      return [...cutAfter(beats, fault.afterChunks ?? 0), { _tag: "Finish", end }]
    }
    if (fault._tag === "CutResponse") {
      const end: End = { status: "incomplete", reason: fault.reason }
      return [...cutAfter(beats, fault.afterChunks ?? 1), { _tag: "Finish", end }]
    }
    if (fault._tag === "CancelCalls") {
      return [...beats, { _tag: "Finish", end: { status: "cancelled", reason: fault.reason } }]
    }
  }
  return [...beats, { _tag: "Finish", end: { status: "completed" } }]
}

/** Everything that is sent for a reply, its end included. Without `speech` the message is text. */
export const beatsOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly format: AudioFormat
  readonly deltaMs: number
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Beat> => {
  const { deltaMs, faults, format, reply, speech } = options
  const message =
    speech !== undefined ? soundBeats(speech, format, deltaMs) : reply.text === undefined ? [] : textBeats(reply.text)
  return bend([...message, ...reply.calls.flatMap(callBeats)], faults)
}
