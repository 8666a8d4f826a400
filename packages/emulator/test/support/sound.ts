/**
 * Sound to speak into an emulator with.
 */
import * as Effect from "effect/Effect"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"

const rate = 24_000

/** A steady tone: loud enough for any detector. */
export const tone = (ms: number, level = 8000, sampleRate = rate): Pcm.Pcm => ({
  samples: Int16Array.from(
    { length: (ms * sampleRate) / 1000 },
    (_, i) => level * Math.sin((2 * Math.PI * 440 * i) / sampleRate)
  ),
  sampleRate
})

export const quiet = (ms: number, sampleRate = rate): Pcm.Pcm => Pcm.silence(ms, sampleRate)

/** The phrase in the emulator's own tones. */
export const phrase = (text: string): Pcm.Pcm => Effect.runSync(Voice.tones.speak(text, { speed: 1, voice: "" })).pcm

/** `input_audio_buffer.append` events of at most `ms` each. */
export const appends = (pcm: Pcm.Pcm, ms = 100): ReadonlyArray<{ readonly type: string; readonly audio: string }> => {
  const size = (ms * pcm.sampleRate) / 1000
  const events = []
  for (let from = 0; from < pcm.samples.length; from += size) {
    const bytes = Pcm.toBytes(pcm.samples.subarray(from, from + size))
    events.push({ type: "input_audio_buffer.append", audio: Buffer.from(bytes).toString("base64") })
  }
  return events
}
