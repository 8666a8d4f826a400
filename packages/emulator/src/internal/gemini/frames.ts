/**
 * The frames of a turn of the model.
 */
import type { ResponseFault } from "../../Fault.ts"
import { toBytes } from "../../Pcm.ts"
import type { Call, Reply } from "../../Prompt.ts"
import { SAMPLE_RATE } from "../../Speech.ts"
import type { Speech } from "../../Speech.ts"
import { audioFrames } from "../session/chunks.ts"
import { applyFaults, faultOf } from "../session/frames.ts"
import type { AudioFrame, EndFrame } from "../session/frames.ts"

export type Frame =
  | { readonly _tag: "Thought"; readonly text: string }
  /** Text that is not spoken. */
  | { readonly _tag: "Written"; readonly text: string }
  | AudioFrame
  /** Calls, which may be cancelled right after they were made. */
  | { readonly _tag: "Calls"; readonly calls: ReadonlyArray<Call>; readonly isCancelled: boolean }

/** Everything that is sent for a reply, its end included. */
export const framesOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly chunkMs: number
  readonly hasThoughts: boolean
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Frame | EndFrame> => {
  const { chunkMs, faults, hasThoughts, reply, speech } = options
  const thought = `**Answering**\n\nThe script has ${reply.text === undefined ? "nothing to say" : "a line"} and ${reply.calls.length} calls.\n`
  const written = faultOf(faults, "WrittenText")
  const isSpoken = speech !== undefined && written?.instead !== true
  const isCancelled = faultOf(faults, "CancelCalls") !== undefined
  const all: ReadonlyArray<Frame> = [
    ...(hasThoughts ? [{ _tag: "Thought", text: thought } as const] : []),
    ...(written === undefined || reply.text === undefined ? [] : [{ _tag: "Written", text: reply.text } as const]),
    ...(isSpoken ? audioFrames(speech, { rate: SAMPLE_RATE, chunkMs, encode: toBytes }) : []),
    ...(reply.calls.length === 0 ? [] : [{ _tag: "Calls", calls: reply.calls, isCancelled } as const])
  ]
  const [frames, fault] = applyFaults(all, faults, "FailResponse", "CutResponse")
  return [...frames, { _tag: "End", fault }]
}
