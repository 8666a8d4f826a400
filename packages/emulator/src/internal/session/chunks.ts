/**
 * Speech in the chunks in which it is sent.
 */
import { resample } from "../../Pcm.ts"
import type { Speech } from "../../Speech.ts"
import type { AudioFrame } from "./frames.ts"

/** Chunks of `chunkMs` at `rate` samples a second, in the encoding of the wire. The last one may be shorter. */
export const audioFrames = (
  { pcm, words }: Speech,
  {
    chunkMs,
    encode,
    rate
  }: {
    readonly rate: number
    readonly chunkMs: number
    readonly encode: (samples: Int16Array) => Uint8Array
  }
): ReadonlyArray<AudioFrame> => {
  const { samples } = resample(pcm, rate)
  const size = (chunkMs * rate) / 1000
  const frames: Array<AudioFrame> = []
  let next = 0
  for (let from = 0; from < samples.length; from += size) {
    const chunk = samples.subarray(from, from + size)
    const endMs = ((from + chunk.length) * 1000) / rate
    const isLast = from + size >= samples.length
    const first = next
    while (next < words.length && (isLast || words[next]!.startMs < endMs)) next++
    frames.push({
      _tag: "Audio",
      bytes: encode(chunk),
      ms: (chunk.length * 1000) / rate,
      words: words.slice(first, next)
    })
  }
  return frames
}
