/**
 * A reply of the scripted model, as the events of a response.
 */
import * as Duration from "effect/Duration"
import * as Audio from "../../Audio.ts"
import type { ModelEvent } from "../../BidiModel.ts"
import type { Reply } from "../../TestModel.ts"
import { wordsOf } from "../history/spoken.ts"

const FRAME = "100 millis"

interface Production {
  readonly start: ModelEvent
  /** What is produced at once, text before audio. */
  readonly steps: ReadonlyArray<ReadonlyArray<ModelEvent>>
  /** How long each step takes. */
  readonly pause: Duration.Duration | undefined
  readonly end: ReadonlyArray<ModelEvent>
}

export const produce = (
  format: Audio.AudioFormat,
  { audio, over, text, unfinished = false }: Reply,
  { itemId, responseId }: { readonly responseId: string; readonly itemId: string }
): Production => {
  const frames = audio === undefined ? [] : framesOf(format, audio)
  const words = wordsOf(text ?? "")
  const count = Math.max(frames.length, words.length, 1)
  const ids = { responseId, itemId }
  const steps = Array.from({ length: count }, (_, step): ReadonlyArray<ModelEvent> => {
    const [from, to] = [step, step + 1].map((n) => Math.floor((n * words.length) / count))
    const delta = words.slice(from, to).join("")
    const audio = frames[step]
    return [
      ...(delta === "" ? [] : [{ _tag: "TranscriptDelta", role: "assistant", ...ids, delta } as const]),
      ...(audio === undefined ? [] : [{ _tag: "AudioDelta", ...ids, audio } as const])
    ]
  })
  return {
    start: { _tag: "ResponseStarted", responseId },
    steps,
    pause: over === undefined ? undefined : Duration.times(Duration.fromInputUnsafe(over), 1 / count),
    end: unfinished
      ? []
      : [
          ...(text === undefined ? [] : [{ _tag: "TranscriptDone", role: "assistant", ...ids, text } as const]),
          { _tag: "ResponseDone", responseId, stopReason: "complete" }
        ]
  }
}

const framesOf = (format: Audio.AudioFormat, length: Duration.Input): ReadonlyArray<Uint8Array> => {
  const audio = new Uint8Array(Audio.bytes(format, length)).fill(1)
  const size = Audio.bytes(format, FRAME)
  return Array.from({ length: Math.ceil(audio.length / size) }, (_, i) => audio.slice(i * size, (i + 1) * size))
}
