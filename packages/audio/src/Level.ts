/**
 * How loud sound is, in numbers and as a meter for a terminal.
 *
 * @since 0.1.0
 */
import { samplesOf } from "./internal/samples.ts"

/**
 * Loudness of a piece of sound: root mean square and highest peak, from 0 (silence) to 1 (full scale).
 *
 * @category models
 */
export interface Level {
  readonly rms: number
  readonly peak: number
}

/**
 * @category models
 */
export const silence: Level = { rms: 0, peak: 0 }

/**
 * Both sides of a conversation at one moment. `speaking`: the agent is audible, or the microphone hears more than the
 * noise of a room.
 *
 * @category models
 */
export interface Levels {
  readonly microphone: Level & { readonly speaking: boolean }
  readonly speaker: Level & { readonly speaking: boolean }
}

/**
 * Measures signed 16-bit little-endian PCM of any number of channels.
 *
 * @category measuring
 */
export const measure = (pcm: Uint8Array): Level => {
  const samples = samplesOf(pcm)
  if (samples.length === 0) return silence
  let squares = 0
  let peak = 0
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!
    squares += sample * sample
    if (sample > peak) peak = sample
    else if (-sample > peak) peak = -sample
  }
  return { rms: Math.sqrt(squares / samples.length) / 32_768, peak: peak / 32_768 }
}

/**
 * In decibels below full scale: 0 is as loud as it gets, silence is `-Infinity`.
 *
 * @category measuring
 */
export const decibels = (amplitude: number): number => 20 * Math.log10(amplitude)

// Below it, a meter shows nothing: the noise of a quiet room.
const FLOOR = -60

const steps = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/**
 * One character as high as the sound is loud, from -60 dB up.
 *
 * @category formatting
 */
export const glyph = (amplitude: number): string => {
  const share = 1 - decibels(amplitude) / FLOOR
  return steps[Math.max(0, Math.min(steps.length - 1, Math.floor(share * steps.length)))]!
}

/**
 * A horizontal meter of `width` characters, from -60 dB to full scale.
 *
 * @category formatting
 */
export const bar = (amplitude: number, width: number = 30): string => {
  const share = Math.max(0, Math.min(1, 1 - decibels(amplitude) / FLOOR))
  const full = Math.round(share * width)
  return "█".repeat(full) + "░".repeat(width - full)
}

/**
 * Both sides for the line one types in: `mic ●▅ agent ○▁ `, with `●` where somebody speaks.
 *
 * @category formatting
 */
export const indicator = ({ microphone, speaker }: Levels): string => {
  const side = (name: string, { rms, speaking }: Levels["microphone"]) => `${name}${speaking ? "●" : "○"}${glyph(rms)}`
  return `${side("mic ", microphone)} ${side("agent ", speaker)} `
}
