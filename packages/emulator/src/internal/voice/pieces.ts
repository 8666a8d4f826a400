/**
 * Speech in the pieces it is sent in.
 */
import { resample } from "../../Pcm.ts"
import type { Speech, Word } from "../../Speech.ts"

export interface Piece {
  readonly samples: Int16Array
  /** How long it sounds, in milliseconds. */
  readonly ms: number
  /** The words that begin in it. */
  readonly words: ReadonlyArray<Word>
}

/** Pieces of `pieceMs` at `rate` samples a second; the last one may be shorter. */
export const piecesOf = ({ pcm, words }: Speech, rate: number, pieceMs: number): ReadonlyArray<Piece> => {
  const { samples } = resample(pcm, rate)
  const size = (pieceMs * rate) / 1000
  const pieces: Array<Piece> = []
  let next = 0
  for (let from = 0; from < samples.length; from += size) {
    const part = samples.subarray(from, from + size)
    const endMs = ((from + part.length) * 1000) / rate
    const isLast = from + size >= samples.length
    const first = next
    while (next < words.length && (isLast || words[next]!.startMs < endMs)) next++
    pieces.push({ samples: part, ms: (part.length * 1000) / rate, words: words.slice(first, next) })
  }
  return pieces
}
