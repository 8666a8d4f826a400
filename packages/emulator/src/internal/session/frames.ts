/**
 * A reply as the sequence of frames in which it is sent. Providers add frames of their own.
 */
import type { ResponseFault } from "../../Fault.ts"
import type { Word } from "../../Speech.ts"

/** Something that takes `ms` to send at speed 1. Faults count such frames as chunks. */
export interface TimedFrame {
  readonly ms: number
}

/** A chunk of speech, with the words that begin in it. */
export interface AudioFrame extends TimedFrame {
  readonly _tag: "Audio"
  readonly bytes: Uint8Array
  readonly words: ReadonlyArray<Word>
}

/** A fault that ends a reply. */
export type EndingFault = Extract<ResponseFault, { readonly _tag: "FailResponse" | "CutResponse" | "CancelCalls" }>

/** The end of the reply, and the fault that caused it, if one did. */
export interface EndFrame {
  readonly _tag: "End"
  readonly fault: EndingFault | undefined
}

export const isTimed = <F extends object>(frame: F): frame is Extract<F, TimedFrame> => "ms" in frame

export const isAudio = <F extends { readonly _tag: string }>(frame: F): frame is Extract<F, AudioFrame> =>
  frame._tag === "Audio"

/** Keeps the first `chunks` timed frames and what comes before the next one. Tool calls in one frame are cut as well. */
const cutAfter = <F extends { readonly _tag: string }>(frames: ReadonlyArray<F>, chunks: number): ReadonlyArray<F> => {
  if (chunks === 0) return []
  let left = chunks
  const end = frames.findIndex((frame) => frame._tag === "Calls" || (isTimed(frame) && left-- <= 0))
  return end < 0 ? frames : frames.slice(0, end)
}

/** The frames that the first fault with one of the tags leaves over, and that fault. */
export const applyFaults = <F extends { readonly _tag: string }, Tag extends EndingFault["_tag"]>(
  frames: ReadonlyArray<F>,
  faults: ReadonlyArray<ResponseFault>,
  ...tags: ReadonlyArray<Tag>
): readonly [ReadonlyArray<F>, Extract<EndingFault, { readonly _tag: Tag }> | undefined] => {
  const fault = faults.find((one): one is Extract<EndingFault, { readonly _tag: Tag }> =>
    (tags as ReadonlyArray<string>).includes(one._tag)
  )
  if (fault === undefined || fault._tag === "CancelCalls") return [frames, fault]
  const { _tag, afterChunks } = fault as Exclude<EndingFault, { readonly _tag: "CancelCalls" }>
  return [cutAfter(frames, afterChunks ?? (_tag === "FailResponse" ? 0 : 1)), fault]
}

/** The fault with that tag, if there is one. */
export const faultOf = <Tag extends ResponseFault["_tag"]>(
  faults: ReadonlyArray<ResponseFault>,
  tag: Tag
): Extract<ResponseFault, { readonly _tag: Tag }> | undefined =>
  faults.find((fault): fault is Extract<ResponseFault, { readonly _tag: Tag }> => fault._tag === tag)
