/**
 * The voice and the speech recognition of an emulator, made when they are first needed.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Options } from "../../Emulator.ts"
import type { Pcm } from "../../Pcm.ts"
import * as Recogniser from "../../Recogniser.ts"
import * as Voice from "../../Voice.ts"

/** The requested voice. `espeak-ng` is looked for when something is spoken. */
export const makeVoice = (wanted: NonNullable<Options["voice"]>): Effect.Effect<Effect.Effect<Voice.Voice>> => {
  if (typeof wanted === "object") return Effect.succeed(Effect.succeed(wanted))
  switch (wanted) {
    case "tones":
      return Effect.succeed(Effect.succeed(Voice.tones))
    case "espeak":
      return Effect.cached(Voice.espeak)
    case "auto":
      return Effect.cached(Voice.auto)
  }
}

/** The given transcription, or one that recognises phrases in the emulator's own voice and in tones. */
export const makeTranscriber = Effect.fnUntraced(function* (
  voice: Effect.Effect<Voice.Voice>,
  { phrases, transcribe }: Pick<Options, "phrases" | "transcribe">
) {
  if (transcribe !== undefined) {
    return (pcm: Pcm): Effect.Effect<string> => {
      const text = transcribe(pcm)
      return typeof text === "string" ? Effect.succeed(text) : text
    }
  }
  const recogniser = yield* Effect.cached(
    Effect.flatMap(voice, (own) =>
      Recogniser.make({
        voices: own === Voice.tones ? [own] : [Voice.tones, own],
        phrases: [...new Set([...Recogniser.phrases, ...(phrases ?? [])])]
      })
    )
  )
  return (pcm: Pcm): Effect.Effect<string> =>
    Effect.flatMap(recogniser, ({ recognise }) => recognise(pcm)).pipe(Effect.map(Option.getOrElse(() => "")))
})
