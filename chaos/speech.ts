/**
 * Spoken phrases that say by their pitch which one they are, so that what was heard of them can be told from the sound.
 */
import { Audio, type BidiEvent } from "@effect-bidi/core"
import type { Pcm } from "@effect-bidi/emulator"
import * as Stream from "effect/Stream"
import * as Effect from "effect/Effect"

const FRAME = 20 // milliseconds
const LOWEST = 300 // Hz
const STEP = 150 // Hz
const LOUD = 9000

/** The n-th phrase, `loud` milliseconds of it and then `quiet` of nothing, in real time. */
export const phrase = (
  format: Audio.AudioFormat,
  n: number,
  loud: number,
  quiet: number
): Stream.Stream<BidiEvent.AudioInput> =>
  Stream.range(0, (loud + quiet) / FRAME - 1).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((index) =>
      Effect.as(Effect.sleep(FRAME), {
        _tag: "AudioInput",
        audio: index * FRAME < loud ? tone(format, n, index) : Audio.silence(format, FRAME),
        ...format
      } as const)
    )
  )

const tone = (format: Audio.AudioFormat, n: number, index: number): Uint8Array => {
  const samples = (format.sampleRate * FRAME) / 1000
  const view = new DataView(new ArrayBuffer(samples * 2))
  const turn = (2 * Math.PI * (LOWEST + STEP * n)) / format.sampleRate
  for (let i = 0; i < samples; i++) view.setInt16(i * 2, LOUD * Math.sin(turn * (index * samples + i)), true)
  return new Uint8Array(view.buffer)
}

/** Which phrase this is: by the pitch of most of what is loud, whatever pauses there are in it. */
export const understand = ({ sampleRate, samples }: Pcm.Pcm): string => {
  const size = sampleRate / (1000 / FRAME)
  const heard: Array<number> = []
  for (let from = 0; from + size <= samples.length; from += size) {
    const frame = samples.subarray(from, from + size)
    const halves = [frame.subarray(0, size / 2), frame.subarray(size / 2)]
    if (!halves.every((half) => half.some((sample) => sample > LOUD / 2))) continue
    heard.push(Math.round((pitchOf(frame, sampleRate) - LOWEST) / STEP))
  }
  const counts = Map.groupBy(heard, (n) => n)
  const [most] = [...counts].toSorted(([, a], [, b]) => b.length - a.length)
  return most === undefined ? "" : `s${most[0]}`
}

/** From the first to the last time that it crosses the middle. */
const pitchOf = (samples: Int16Array, sampleRate: number): number => {
  const crossings: Array<number> = []
  for (let i = 1; i < samples.length; i++) if (samples[i]! >= 0 !== samples[i - 1]! >= 0) crossings.push(i)
  const span = (crossings.at(-1) ?? 0) - (crossings[0] ?? 0)
  return span === 0 ? 0 : ((crossings.length - 1) * sampleRate) / (2 * span)
}
