/**
 * A reply as the sequence of small things that are sent for it.
 */
import type { Call, Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import { toBytes } from "../../Pcm.ts"
import type { Speech, Word } from "../../Speech.ts"
import { piecesOf } from "../voice/pieces.ts"

/** Samples a second of everything that the model says. */
export const outputRate = 24_000

export type Beat =
  | { readonly _tag: "Thought"; readonly text: string }
  /** Text that nobody hears. */
  | { readonly _tag: "Written"; readonly text: string }
  /** A piece of speech: `ms` of sound, and the words that begin in it. */
  | { readonly _tag: "Sound"; readonly bytes: Uint8Array; readonly ms: number; readonly words: ReadonlyArray<Word> }
  | { readonly _tag: "Calls"; readonly calls: ReadonlyArray<Call>; readonly takeBack: boolean }
  /** All was generated, or all that there is going to be. `reason` is why, when it is not as it should be. */
  | { readonly _tag: "Finish"; readonly reason: string | undefined }

export const isSound = (beat: Beat): beat is Extract<Beat, { readonly _tag: "Sound" }> => beat._tag === "Sound"

/** Keeps what comes before the piece after the first `pieces`, and no calls. */
const cutAfter = (beats: ReadonlyArray<Beat>, pieces: number): ReadonlyArray<Beat> => {
  let left = pieces
  const end = beats.findIndex((beat) => beat._tag === "Calls" || (isSound(beat) && left-- <= 0))
  return pieces === 0 ? [] : end < 0 ? beats : beats.slice(0, end)
}

/** How the faults that wait for this turn bend it. */
const bend = (beats: ReadonlyArray<Beat>, faults: ReadonlyArray<ResponseFault>): ReadonlyArray<Beat> => {
  for (const fault of faults) {
    if (fault._tag === "FailResponse") {
      const reason = fault.code ?? "RESPONSE_REJECTED"
      return [...cutAfter(beats, fault.afterChunks ?? 0), { _tag: "Finish", reason }]
    }
    if (fault._tag === "CutResponse") {
      const reason = fault.reason === "content_filter" ? "GENERATED_AUDIO_SAFETY" : undefined
      return [...cutAfter(beats, fault.afterChunks ?? 1), { _tag: "Finish", reason }]
    }
  }
  return [...beats, { _tag: "Finish", reason: undefined }]
}

/** Everything that is sent for a reply, its end included. */
export const beatsOf = (options: {
  readonly reply: Reply
  readonly speech: Speech | undefined
  readonly deltaMs: number
  readonly hasThoughts: boolean
  readonly faults: ReadonlyArray<ResponseFault>
}): ReadonlyArray<Beat> => {
  const { deltaMs, faults, hasThoughts, reply, speech } = options
  const thought = `**Answering**\n\nThe script has ${reply.text === undefined ? "nothing to say" : "a line"} and ${reply.calls.length} calls.\n`
  const sound = speech === undefined ? [] : piecesOf(speech, outputRate, deltaMs)
  const write = faults.find((fault) => fault._tag === "WrittenText")
  const heard = write?.instead === true ? [] : sound
  const takeBack = faults.some(({ _tag }) => _tag === "CancelCalls")
  return bend(
    [
      ...(hasThoughts ? [{ _tag: "Thought", text: thought } as const] : []),
      ...(write === undefined || reply.text === undefined ? [] : [{ _tag: "Written", text: reply.text } as const]),
      ...heard.map(({ ms, samples, words }): Beat => ({ _tag: "Sound", bytes: toBytes(samples), ms, words })),
      ...(reply.calls.length === 0 ? [] : [{ _tag: "Calls", calls: reply.calls, takeBack } as const])
    ],
    faults
  )
}
