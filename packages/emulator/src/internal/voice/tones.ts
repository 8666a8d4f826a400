/**
 * A voice of tones: each word is a sound of two notes, which depend only on the word.
 *
 * As with a telephone keypad, two notes can be told apart even after a loudspeaker and a microphone.
 */
import type { Style, Speech, Word } from "../../Speech.ts"
import { hashOf, pitchOf, weightOf, wordsOf } from "./words.ts"

const sampleRate = 24_000
const samplesPerMs = sampleRate / 1000
const lowNotes = [350, 400, 460, 530, 610, 700, 800, 920]
const highNotes = [1150, 1310, 1490, 1700, 1930, 2200, 2500, 2850]
const fadeMs = 8

/** Quiet after a word, in milliseconds. */
const gapAfter = (word: string): number =>
  /[.!?]["')\]]*\s*$/u.test(word) ? 180 : /[,;:]["')\]]*\s*$/u.test(word) ? 110 : 40

/** A sine wave by recurrence, without trigonometry for each sample. */
const wave = (hz: number): (() => number) => {
  const turn = (2 * Math.PI * hz) / sampleRate
  const factor = 2 * Math.cos(turn)
  let now = 0
  let before = -Math.sin(turn)
  return () => {
    const value = now
    now = factor * value - before
    before = value
    return value
  }
}

const sound = (samples: Int16Array, from: number, length: number, word: string, pitch: number): void => {
  const hash = hashOf(word)
  const low = wave(lowNotes[hash % 8]! * pitch)
  const high = wave(highNotes[(hash >>> 3) % 8]! * pitch)
  const fade = Math.min(fadeMs * samplesPerMs, length / 2)
  for (let i = 0; i < length; i++) {
    const envelope = Math.min(1, i / fade, (length - i) / fade)
    samples[from + i] = Math.round(9000 * envelope * (0.6 * low() + 0.4 * high()))
  }
}

/** `text` as tones, one for each word, 100 ms and 40 ms for every letter at speed 1. */
export const speakTones = (text: string, { speed, voice }: Style): Speech => {
  const plan: Array<Word> = []
  let at = 0
  for (const word of wordsOf(text)) {
    const lasts = Math.max(20, Math.round((100 + 40 * Math.min(weightOf(word), 14)) / speed))
    plan.push({ text: word, startMs: at, endMs: at + lasts })
    at += lasts + Math.round(gapAfter(word) / speed)
  }
  const samples = new Int16Array(at * samplesPerMs)
  for (const { endMs, startMs, text } of plan) {
    sound(samples, startMs * samplesPerMs, (endMs - startMs) * samplesPerMs, text, pitchOf(voice))
  }
  return { pcm: { samples, sampleRate }, words: plan }
}
