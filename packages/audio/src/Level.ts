/**
 * The level of audio, as numbers and as a meter for a terminal.
 *
 * @since 0.1.0
 */
import { samplesOf } from "./internal/signal/samples.ts"

/**
 * The root mean square and the highest peak of a piece of audio, from 0 (silence) to 1 (full scale).
 *
 * @category models
 * @since 0.1.0
 */
export interface Level {
  readonly rms: number
  readonly peak: number
}

/**
 * Both sides of a conversation at one sample. `speaking`: the agent is audible, or the microphone hears more than the
 * noise of a room.
 *
 * @category models
 * @since 0.1.0
 */
export interface Levels {
  readonly microphone: Level & { readonly speaking: boolean }
  readonly speaker: Level & { readonly speaking: boolean }
}

/**
 * Measures signed 16-bit little-endian PCM of any number of channels.
 *
 * @category measuring
 * @since 0.1.0
 */
export const measure = (pcm: Uint8Array): Level => {
  const samples = samplesOf(pcm)
  if (samples.length === 0) return { rms: 0, peak: 0 }
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
 * Converts an amplitude to decibels relative to full scale: 0 is the maximum, silence is `-Infinity`.
 *
 * @category measuring
 * @since 0.1.0
 */
export const decibels = (amplitude: number): number => 20 * Math.log10(amplitude)

// In decibels: the noise of a quiet room. A meter shows nothing below it.
const FLOOR = -60

const steps = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/** A bar of one character whose height shows the level, from -60 dB up. */
const glyph = (amplitude: number): string => {
  const share = 1 - decibels(amplitude) / FLOOR
  return steps[Math.max(0, Math.min(steps.length - 1, Math.floor(share * steps.length)))]!
}

/**
 * A horizontal meter of `width` characters, from -60 dB to full scale.
 *
 * @category formatting
 * @since 0.1.0
 */
export const bar = (amplitude: number, width: number = 30): string => {
  const share = Math.max(0, Math.min(1, 1 - decibels(amplitude) / FLOOR))
  const full = Math.round(share * width)
  return "█".repeat(full) + "░".repeat(width - full)
}

/**
 * Formats both sides for a prompt: `mic ●▅ agent ○▁ `, with `●` for the side that speaks.
 *
 * @category formatting
 * @since 0.1.0
 */
export const indicator = ({ microphone, speaker }: Levels): string => {
  const side = (name: string, { rms, speaking }: Levels["microphone"]) => `${name}${speaking ? "●" : "○"}${glyph(rms)}`
  return `${side("mic ", microphone)} ${side("agent ", speaker)} `
}
