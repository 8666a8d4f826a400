/**
 * Voice activity detection by energy: a pure fold over frames of 20 ms.
 *
 * Positions are milliseconds of audio since the first sample, not wall clock time, so that the result does not depend
 * on how the stream was cut into messages.
 */
import { concatSamples } from "../../Pcm.ts"

/** Length of the frame that is judged loud or quiet, in milliseconds. */
export const frameMs = 20

/** How many loud frames in a row start a turn. Shorter sounds are clicks. */
const framesToStart = 3

export interface Config {
  /** 0 hears almost everything (-55 dBFS), 1 only loud sounds (-25 dBFS). */
  readonly threshold: number
  /** Audio before the first loud frame that belongs to the speech, in milliseconds. */
  readonly prefixPaddingMs: number
  /** Quiet that ends the speech, in milliseconds. */
  readonly silenceMs: number
}

export interface State {
  readonly rest: Int16Array
  readonly positionMs: number
  readonly loud: number
  readonly quiet: number
  readonly speaking: boolean
  /** No start is reported before this position: it belongs to the turn before. */
  readonly floorMs: number
}

export type Event =
  | { readonly _tag: "Started"; readonly atMs: number }
  | { readonly _tag: "Stopped"; readonly atMs: number }

/** Silence so far; `positionMs` continues a stream that was already running. */
export const initial = (positionMs = 0): State => ({
  rest: new Int16Array(0),
  positionMs,
  loud: 0,
  quiet: 0,
  speaking: false,
  floorMs: positionMs
})

const isLoud = (frame: Int16Array, threshold: number): boolean => {
  const limit = 32_768 * 10 ** ((-55 + 30 * threshold) / 20)
  let sum = 0
  for (const sample of frame) sum += sample * sample
  return Math.sqrt(sum / frame.length) >= limit
}

/** Processes the next samples. Returns the starts and stops of speech in them, in order. */
export const step = (
  config: Config,
  state: State,
  samples: Int16Array,
  sampleRate: number
): readonly [State, ReadonlyArray<Event>] => {
  const size = (sampleRate * frameMs) / 1000
  const all = state.rest.length === 0 ? samples : concatSamples([state.rest, samples])
  const events: Array<Event> = []
  let { floorMs, loud, positionMs, quiet, speaking } = state
  let offset = 0
  for (; offset + size <= all.length; offset += size) {
    const heard = isLoud(all.subarray(offset, offset + size), config.threshold)
    loud = heard ? loud + 1 : 0
    quiet = heard ? 0 : quiet + 1
    positionMs += frameMs
    if (!speaking && loud >= framesToStart) {
      speaking = true
      events.push({
        _tag: "Started",
        atMs: Math.max(floorMs, positionMs - loud * frameMs - config.prefixPaddingMs)
      })
    } else if (speaking && quiet * frameMs >= config.silenceMs) {
      speaking = false
      floorMs = positionMs
      events.push({ _tag: "Stopped", atMs: positionMs })
    }
  }
  return [{ rest: all.slice(offset), positionMs, loud, quiet, speaking, floorMs }, events]
}
