/**
 * The frames of a turn of the assistant: sentences, each a planned text and a block of audio, and tool calls.
 */
import { toBytes } from "../../Pcm.ts"
import type { Call, Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Speech, Word } from "../../Speech.ts"
import { audioFrames } from "../session/chunks.ts"
import { applyFaults, isAudio } from "../session/frames.ts"
import type { AudioFrame, EndFrame } from "../session/frames.ts"

/** A spoken sentence. Words and times are those of the whole turn, in milliseconds of audio. */
export interface Sentence {
  readonly text: string
  readonly words: ReadonlyArray<Word>
  readonly endMs: number
}

export type Frame =
  | { readonly _tag: "Open"; readonly sentence: Sentence }
  | AudioFrame
  | { readonly _tag: "Close"; readonly isLast: boolean }
  | { readonly _tag: "Calls"; readonly calls: ReadonlyArray<Call> }

/** Words up to and with the one that ends a sentence. */
const groupsOf = (words: ReadonlyArray<Word>): ReadonlyArray<ReadonlyArray<Word>> => {
  const groups: Array<Array<Word>> = [[]]
  for (const word of words) {
    groups.at(-1)!.push(word)
    if (/[.!?]["')\]]*\s*$/u.test(word.text)) groups.push([])
  }
  return groups.filter((group) => group.length > 0)
}

const sentenceFrames = (speech: Speech, rate: number, chunkMs: number): ReadonlyArray<Frame> => {
  const { sampleRate, samples } = speech.pcm
  const groups = groupsOf(speech.words)
  return groups.flatMap((words, i): ReadonlyArray<Frame> => {
    const next = groups[i + 1]
    const from = i === 0 ? 0 : words[0]!.startMs
    const to = next === undefined ? (samples.length * 1000) / sampleRate : next[0]!.startMs
    const part = samples.subarray((from * sampleRate) / 1000, (to * sampleRate) / 1000)
    const text = words.map((word) => word.text).join("")
    return [
      { _tag: "Open", sentence: { text: text.trim(), words, endMs: to } },
      ...audioFrames({ pcm: { samples: part, sampleRate }, words: [] }, { rate, chunkMs, encode: toBytes }),
      { _tag: "Close", isLast: false }
    ]
  })
}

/** Keeps the sentences that fit into `maxTokens` of text, but at least one. Calls come after all of them. */
const cutAtTokens = (frames: ReadonlyArray<Frame>, maxTokens: number): ReadonlyArray<Frame> => {
  let spent = 0
  const end = frames.findIndex((frame, i) => {
    if (frame._tag === "Open") spent += Math.ceil(frame.sentence.text.length / 4)
    return frame._tag === "Open" && i > 0 && spent > maxTokens
  })
  return end < 0 ? frames : frames.slice(0, end)
}

/** Closes audio that was opened. The last block of audio says that the turn is over. */
const closed = (frames: ReadonlyArray<Frame>): ReadonlyArray<Frame> => {
  const last = frames.findLastIndex((frame) => frame._tag === "Close" || isAudio(frame))
  if (last < 0 || frames.some(({ _tag }) => _tag === "Calls")) return frames
  return [...frames.slice(0, frames[last]!._tag === "Close" ? last : last + 1), { _tag: "Close", isLast: true }]
}

/** Everything that is sent for a reply, its end included. */
export const framesOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly sampleRate: number
  readonly maxTokens: number
  readonly chunkMs: number
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Frame | EndFrame> => {
  const { chunkMs, faults, maxTokens, reply, sampleRate, speech } = options
  const spoken = speech === undefined ? [] : sentenceFrames(speech, sampleRate, chunkMs)
  const calls: ReadonlyArray<Frame> = reply.calls.length === 0 ? [] : [{ _tag: "Calls", calls: reply.calls }]
  const [kept, fault] = applyFaults(
    cutAtTokens([...spoken, ...calls], maxTokens),
    faults,
    "FailResponse",
    "CutResponse"
  )
  // a sentence without any audio is not announced
  const begun = fault !== undefined && kept.at(-1)?._tag === "Open" ? kept.slice(0, -1) : kept
  return [...(fault?._tag === "FailResponse" ? begun : closed(begun)), { _tag: "End", fault }]
}
