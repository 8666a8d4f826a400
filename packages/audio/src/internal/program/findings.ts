/**
 * Judges a microphone by a second of its audio, and a speaker by a test tone, and says what to do. Pure.
 */
import { bar, decibels, type Level } from "../../Level.ts"

export interface Finding {
  readonly ok: boolean
  readonly text: string
}

const QUIET_DECIBELS = -55
const FAINT_DECIBELS = -42
const CLIPPING_AMPLITUDE = 0.99

/** Formats a level: `-31.4 dB`. */
const loudness = (amplitude: number): string => (amplitude === 0 ? "silence" : `${decibels(amplitude).toFixed(1)} dB`)

/** Judges the level of a recorded second. */
export const microphone = ({ peak, rms }: Level): Finding => {
  const meter = `${bar(rms)} ${loudness(rms)}, peak ${loudness(peak)}`
  if (peak === 0) {
    return {
      ok: false,
      text: `${bar(0)} silence\n  It delivers only zeros. Unmute it in the sound settings or with the switch on the headset, or choose another with --input.\n  On macOS, allow the terminal under Privacy & Security > Microphone.`
    }
  }
  if (peak >= CLIPPING_AMPLITUDE) {
    return { ok: false, text: `${meter}\n  It clips. Turn the microphone down in the sound settings.` }
  }
  const level = decibels(rms)
  if (level < QUIET_DECIBELS) {
    return {
      ok: true,
      text: `${meter}\n  A quiet room. If you were speaking, turn the microphone up or choose another.`
    }
  }
  if (level < FAINT_DECIBELS) {
    return { ok: true, text: `${meter}\n  Faint. If you were speaking, move closer or turn the microphone up.` }
  }
  return { ok: true, text: `${meter}\n  Loud enough for speech.` }
}

/** Judges a test tone of `given` milliseconds, of which `played` were heard within `took`. */
export const speaker = (given: number, played: number, took: number): Finding => {
  const numbers = `played ${Math.round(played)} of ${Math.round(given)} ms in ${Math.round(took)} ms`
  if (played < given) {
    return {
      ok: false,
      text: `${numbers}\n  It does not play. Choose another with --output, or restart the sound server.`
    }
  }
  return {
    ok: true,
    text: `${numbers}\n  You should have heard a tone. If not: turn it up, unmute it, or choose another with --output.`
  }
}
