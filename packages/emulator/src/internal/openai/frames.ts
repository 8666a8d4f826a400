/**
 * The frames of a response: items, and what is written into them.
 */
import type { Call, Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Speech } from "../../Speech.ts"
import { audioFrames } from "../session/chunks.ts"
import { applyFaults } from "../session/frames.ts"
import type { AudioFrame, EndFrame } from "../session/frames.ts"
import { wordsOf } from "../voice/words.ts"
import type { AudioFormat } from "./protocol.ts"
import { rateOf } from "./settings.ts"
import { bytesOf } from "./wireAudio.ts"

export type Frame =
  | { readonly _tag: "OpenMessage"; readonly kind: "audio" | "text" }
  | AudioFrame
  | { readonly _tag: "Text"; readonly text: string; readonly ms: number }
  | { readonly _tag: "OpenCall"; readonly name: string }
  | { readonly _tag: "Arguments"; readonly text: string; readonly ms: number }
  | { readonly _tag: "CloseItem" }

/** How long a word of text and a piece of JSON take at speed 1, and how long such a piece is. */
const TEXT_MS = 160
const JSON_MS = 80
const JSON_CHARACTERS = 12

const messageFrames = (kind: "audio" | "text", content: ReadonlyArray<Frame>): ReadonlyArray<Frame> => [
  { _tag: "OpenMessage", kind },
  ...content,
  { _tag: "CloseItem" }
]

const callFrames = ({ arguments: args, name }: Call): ReadonlyArray<Frame> => {
  const pieces = JSON.stringify(args).match(new RegExp(`[\\s\\S]{1,${JSON_CHARACTERS}}`, "gu")) ?? []
  return [
    { _tag: "OpenCall", name },
    ...pieces.map((text): Frame => ({ _tag: "Arguments", text, ms: JSON_MS })),
    { _tag: "CloseItem" }
  ]
}

/** Everything that is sent for a reply, its end included. Without `speech` the message is text, one word in each frame. */
export const framesOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly format: AudioFormat
  readonly chunkMs: number
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Frame | EndFrame> => {
  const { chunkMs, faults, format, reply, speech } = options
  const encode = (samples: Int16Array): Uint8Array => bytesOf(samples, format)
  const message =
    speech !== undefined
      ? messageFrames("audio", audioFrames(speech, { rate: rateOf(format), chunkMs, encode }))
      : reply.text === undefined
        ? []
        : messageFrames(
            "text",
            wordsOf(reply.text).map((text) => ({ _tag: "Text", text, ms: TEXT_MS }))
          )
  const all = [...message, ...reply.calls.flatMap(callFrames)]
  const [frames, fault] = applyFaults(all, faults, "FailResponse", "CutResponse", "CancelCalls")
  return [...frames, { _tag: "End", fault }]
}
