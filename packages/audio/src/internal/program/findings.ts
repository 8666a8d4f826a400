/**
 * What the sound of a second tells about a microphone, in words that say what to do. Pure.
 */
import { bar, decibels, type Level } from "../../Level.ts"

export interface Finding {
  readonly ok: boolean
  readonly text: string
}

const QUIET = -55
const FAINT = -42
const CLIPPING = 0.99

/** `-31.4 dB`; silence is below everything. */
const loud = (amplitude: number): string => (amplitude === 0 ? "silence" : `${decibels(amplitude).toFixed(1)} dB`)

/** Of a recorded second. */
export const microphone = ({ peak, rms }: Level): Finding => {
  const meter = `${bar(rms)} ${loud(rms)}, peak ${loud(peak)}`
  if (peak === 0) {
    return {
      ok: false,
      text: `${meter}\n  Nothing but zeros: it is muted, or this program may not listen. Unmute it in the sound settings of the system\n  (or with the switch on the headset); on macOS allow the terminal under Privacy & Security > Microphone.`
    }
  }
  if (peak >= CLIPPING) {
    return { ok: false, text: `${meter}\n  It clips: turn the microphone down in the sound settings.` }
  }
  const level = decibels(rms)
  if (level < QUIET) {
    return {
      ok: true,
      text: `${meter}\n  A quiet room. If you were speaking, turn the microphone up or choose another.`
    }
  }
  if (level < FAINT) {
    return { ok: true, text: `${meter}\n  Faint. If you were speaking, come nearer or turn the microphone up.` }
  }
  return { ok: true, text: `${meter}\n  Loud enough for speech.` }
}

/** Of a test tone of `given` milliseconds of which `played` came out, in `took`. */
export const speaker = (given: number, played: number, took: number): Finding => {
  const numbers = `${Math.round(played)} of ${Math.round(given)} ms in ${Math.round(took)} ms`
  if (played < given) {
    return {
      ok: false,
      text: `${numbers}\n  The device does not play. Choose another with --output, or restart the sound server.`
    }
  }
  return {
    ok: true,
    text: `${numbers}\n  You should have heard a tone. If not: turn it up, unmute it, or choose another with --output.`
  }
}
