/**
 * Audio of the user that belongs to no turn yet. Positions are milliseconds of audio since the session began.
 */
import { concatSamples } from "../../Pcm.ts"
import * as Vad from "./vad.ts"

export interface InputBuffer {
  readonly chunks: ReadonlyArray<Int16Array>
  /** Milliseconds of audio in the buffer, and the position where it begins. */
  readonly ms: number
  readonly startMs: number
  readonly vad: Vad.State
}

/** Quiet audio that is kept beyond the prefix of a turn. */
const SLACK_MS = 1000

export const empty = (startMs: number): InputBuffer => ({ chunks: [], ms: 0, startMs, vad: Vad.initial(startMs) })

/** The position where the buffer ends. */
export const endOf = ({ ms, startMs }: InputBuffer): number => startMs + ms

export const append = <B extends InputBuffer>(buffer: B, samples: Int16Array, rate: number): B => ({
  ...buffer,
  chunks: [...buffer.chunks, samples],
  ms: buffer.ms + (samples.length * 1000) / rate
})

/** Drops everything but the last `keepMs`. */
export const keepLast = <B extends InputBuffer>(buffer: B, keepMs: number, rate: number): B => {
  const all = concatSamples(buffer.chunks)
  const samples = all.slice(Math.max(0, all.length - Math.round((keepMs * rate) / 1000)))
  const ms = (samples.length * 1000) / rate
  return { ...buffer, chunks: [samples], ms, startMs: endOf(buffer) - ms }
}

/** Drops quiet audio that no turn can need. Not too often, because it copies. */
export const trim = <B extends InputBuffer>(buffer: B, prefixMs: number, rate: number): B => {
  const keepMs = prefixMs + SLACK_MS
  return !buffer.vad.speaking && buffer.ms > 2 * keepMs ? keepLast(buffer, keepMs, rate) : buffer
}

/** The audio up to `endMs`, and the buffer that is left. */
export const splitAt = <B extends InputBuffer>(
  buffer: B,
  endMs: number,
  rate: number
): readonly [samples: Int16Array, rest: B] => {
  const all = concatSamples(buffer.chunks)
  const cut = Math.min(all.length, Math.max(0, Math.round(((endMs - buffer.startMs) * rate) / 1000)))
  const rest = all.slice(cut)
  return [all.slice(0, cut), { ...buffer, chunks: [rest], ms: (rest.length * 1000) / rate, startMs: endMs }]
}
