/**
 * A reply as the sequence of small things that are sent for it.
 */
import type { Call, Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import { toBytes } from "../../Pcm.ts"
import type { Speech, Word } from "../../Speech.ts"
import { piecesOf } from "../voice/pieces.ts"

/** A sentence as it is spoken; words and times are those of the whole turn, in milliseconds of sound. */
export interface Sentence {
  readonly text: string
  readonly words: ReadonlyArray<Word>
  readonly endMs: number
}

export type Beat =
  | { readonly _tag: "Open"; readonly sentence: Sentence }
  | { readonly _tag: "Sound"; readonly bytes: Uint8Array; readonly ms: number }
  | { readonly _tag: "Close"; readonly isLast: boolean }
  | { readonly _tag: "Calls"; readonly calls: ReadonlyArray<Call> }
  /** All was made, or all that there is going to be: then there is something to say about it. */
  | { readonly _tag: "Finish"; readonly failure: { readonly type: string; readonly message: string } | undefined }

export const isSound = (beat: Beat): beat is Extract<Beat, { readonly _tag: "Sound" }> => beat._tag === "Sound"

/** Words up to and with the one that ends a sentence. */
const groupsOf = (words: ReadonlyArray<Word>): ReadonlyArray<ReadonlyArray<Word>> => {
  const groups: Array<Array<Word>> = [[]]
  for (const word of words) {
    groups.at(-1)!.push(word)
    if (/[.!?]["')\]]*\s*$/u.test(word.text)) groups.push([])
  }
  return groups.filter((group) => group.length > 0)
}

const sentenceBeats = (speech: Speech, rate: number, deltaMs: number): ReadonlyArray<Beat> => {
  const { sampleRate, samples } = speech.pcm
  const groups = groupsOf(speech.words)
  return groups.flatMap((words, i) => {
    const next = groups[i + 1]
    const from = i === 0 ? 0 : words[0]!.startMs
    const to = next === undefined ? (samples.length * 1000) / sampleRate : next[0]!.startMs
    const part = samples.subarray((from * sampleRate) / 1000, (to * sampleRate) / 1000)
    const pieces = piecesOf({ pcm: { samples: part, sampleRate }, words: [] }, rate, deltaMs)
    const text = words.map((word) => word.text).join("")
    return [
      { _tag: "Open", sentence: { text: text.trim(), words, endMs: to } },
      ...pieces.map(({ ms, samples }): Beat => ({ _tag: "Sound", bytes: toBytes(samples), ms })),
      { _tag: "Close", isLast: false }
    ] satisfies ReadonlyArray<Beat>
  })
}

/** Keeps the first `pieces` of sound, and no calls. */
const cutAfter = (beats: ReadonlyArray<Beat>, pieces: number): ReadonlyArray<Beat> => {
  let left = pieces
  const end = beats.findIndex((beat) => beat._tag === "Calls" || (isSound(beat) && left-- <= 0))
  const kept = end < 0 ? beats : beats.slice(0, end)
  return kept.at(-1)?._tag === "Open" ? kept.slice(0, -1) : kept
}

/** Keeps the sentences that `maxTokens` of text are enough for, but at least one; calls come after all of them. */
const cutAtTokens = (beats: ReadonlyArray<Beat>, maxTokens: number): ReadonlyArray<Beat> => {
  let spent = 0
  const end = beats.findIndex((beat, i) => {
    if (beat._tag === "Open") spent += Math.ceil(beat.sentence.text.length / 4)
    return beat._tag === "Open" && i > 0 && spent > maxTokens
  })
  return end < 0 ? beats : beats.slice(0, end)
}

/** Sound that was begun is closed, and the last of it says that the turn is over. */
const closed = (beats: ReadonlyArray<Beat>): ReadonlyArray<Beat> => {
  const last = beats.findLastIndex(({ _tag }) => _tag === "Close" || _tag === "Sound")
  if (last < 0 || beats.some(({ _tag }) => _tag === "Calls")) return beats
  const close: Beat = { _tag: "Close", isLast: true }
  return [...beats.slice(0, beats[last]!._tag === "Close" ? last : last + 1), close]
}

const failureOf = (fault: Extract<ResponseFault, { readonly _tag: "FailResponse" }>) => ({
  type: fault.code ?? "modelStreamErrorException",
  message: fault.message ?? "The system encountered an unexpected error during processing. Try your request again."
})

/** How the faults that wait for this turn bend it. */
const bend = (beats: ReadonlyArray<Beat>, faults: ReadonlyArray<ResponseFault>): ReadonlyArray<Beat> => {
  for (const fault of faults) {
    if (fault._tag === "FailResponse") {
      return [...cutAfter(beats, fault.afterChunks ?? 0), { _tag: "Finish", failure: failureOf(fault) }]
    }
    if (fault._tag === "CutResponse") {
      return [...closed(cutAfter(beats, fault.afterChunks ?? 1)), { _tag: "Finish", failure: undefined }]
    }
  }
  return [...closed(beats), { _tag: "Finish", failure: undefined }]
}

/** Everything that is sent for a reply, its end included. */
export const beatsOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly sampleRate: number
  readonly maxTokens: number
  readonly deltaMs: number
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Beat> => {
  const { deltaMs, faults, maxTokens, reply, sampleRate, speech } = options
  const said = speech === undefined ? [] : sentenceBeats(speech, sampleRate, deltaMs)
  const calls: ReadonlyArray<Beat> = reply.calls.length === 0 ? [] : [{ _tag: "Calls", calls: reply.calls }]
  return bend(cutAtTokens([...said, ...calls], maxTokens), faults)
}
