/**
 * Spoken text: its audio and the time of every word.
 *
 * @since 0.1.0
 */
import type { Pcm } from "./Pcm.ts"

/**
 * The sample rate of all speech, in Hz.
 *
 * @since 0.1.0
 */
export const SAMPLE_RATE = 24_000

/**
 * A spoken word. `text` includes the white space around it, so that all words joined are the whole text.
 *
 * @since 0.1.0
 */
export interface Word {
  readonly text: string
  /** Milliseconds from the start of the speech, whole numbers. */
  readonly startMs: number
  readonly endMs: number
}

/**
 * Speech at `SAMPLE_RATE`. It lasts a whole number of milliseconds.
 *
 * @since 0.1.0
 */
export interface Speech {
  readonly pcm: Pcm
  readonly words: ReadonlyArray<Word>
}

/**
 * How a text is spoken.
 *
 * @since 0.1.0
 */
export interface Style {
  /** 1 is the ordinary pace. The providers allow 0.25 to 1.5. */
  readonly speed: number
  /** The provider's name of the voice. Each name has its own pitch. */
  readonly voice: string
}
