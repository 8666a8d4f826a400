/**
 * The transcript of what the model says, where a fault changes how it is sent.
 */
import { isAudio } from "../session/frames.ts"
import { faultOf } from "../session/frames.ts"
import { burstsOf } from "./messages.ts"
import type { ModelTurn } from "./state.ts"

const textOf = (words: ReadonlyArray<{ readonly text: string }>): string => words.map(({ text }) => text).join("")

/** The sentences that end in the chunk of audio that was sent last, as bursts. */
export const burstsIn = ({ frames, next, words }: ModelTurn): ReadonlyArray<string> => {
  const said = textOf(words)
  const latest = frames[next - 1]
  const before = latest !== undefined && isAudio(latest) ? latest.words.length : 0
  const known = textOf(words.slice(0, words.length - before))
  const isLast = !frames.slice(next).some(isAudio)
  const whole = (text: string): string =>
    isLast && text === said ? text : (/^[\s\S]*[.!?](?=\s|$)/.exec(text)?.[0] ?? "")
  const fresh = whole(said).slice(whole(known).length).trim()
  return fresh === "" ? [] : burstsOf(fresh)
}

/** The words of the last chunk of audio with words, when it was sent and they are to come late. */
export const lateWordsOf = (turn: ModelTurn): string => {
  const { frames, next } = turn
  const last = frames.findLastIndex((frame) => isAudio(frame) && frame.words.length > 0)
  const frame = frames[last]
  if (faultOf(turn.faults, "LateTranscript") === undefined || frame === undefined || last >= next) return ""
  return isAudio(frame) ? textOf(frame.words) : ""
}
