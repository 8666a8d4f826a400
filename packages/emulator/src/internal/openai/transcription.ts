/**
 * Speech of the user that was understood, or not: told to the client when the session asks for it.
 */
import { wordsOf } from "../voice/words.ts"
import type { Item } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

const seconds = (item: Item): number => item.soundMs / 1000

/** What stands for speech that could not be made out. */
const unheard = (item: Item): string => `(speech, ${seconds(item).toFixed(1)} s)`

const usageOf = (model: string | undefined, item: Item, text: string) => {
  if (model === "whisper-1") return { type: "duration", seconds: seconds(item) }
  const output = Usage.sum(Usage.ofText(text))
  const audio = item.tokens.audio
  return {
    type: "tokens",
    total_tokens: audio + output,
    input_tokens: audio,
    input_token_details: { text_tokens: 0, audio_tokens: audio },
    output_tokens: output
  }
}

const audioIndex = (item: Item): number => {
  const content = item.wire.content as ReadonlyArray<{ readonly type: string }>
  return Math.max(
    0,
    content.findIndex(({ type }) => type === "input_audio")
  )
}

const remember = (item: Item, text: string, transcript: string | null): Item => ({
  ...item,
  isPending: false,
  turn:
    item.turn.role === "user" ? { ...item.turn, text: [item.turn.text, text].filter(Boolean).join(" ") } : item.turn,
  wire: {
    ...item.wire,
    content: (item.wire.content as ReadonlyArray<Readonly<Record<string, unknown>>>).map((part) =>
      part.type === "input_audio" ? { ...part, transcript: part.transcript ?? transcript } : part
    )
  }
})

/** `failure`: the model has understood it, but it is not put into words for the client. */
export const onHeard = (step: Step, itemId: string, heard: string, failure?: string): void => {
  const item = step.item(itemId)
  if (item === undefined) return
  const text = heard === "" ? unheard(item) : heard
  const { include, audio } = step.state.settings
  const { transcription } = audio.input
  step.change(itemId, () => remember(item, text, transcription === null || failure !== undefined ? null : text))
  if (transcription === null) return
  if (failure !== undefined) return tellFailure(step, item, failure)
  const at = { item_id: itemId, content_index: audioIndex(item) }
  const withOdds = include?.includes("item.input_audio_transcription.logprobs") === true
  const odds = (token: string) => ({ token, logprob: 0, bytes: [...Buffer.from(token)] })
  for (const delta of wordsOf(text)) {
    step.send({
      type: "conversation.item.input_audio_transcription.delta",
      ...at,
      delta,
      ...(withOdds ? { logprobs: [odds(delta)] } : {})
    })
  }
  step.send({
    type: "conversation.item.input_audio_transcription.completed",
    ...at,
    transcript: text,
    usage: usageOf(transcription.model, item, text),
    ...(withOdds ? { logprobs: wordsOf(text).map(odds) } : {})
  })
}

export const onNotHeard = (step: Step, itemId: string, message: string): void => {
  const item = step.item(itemId)
  if (item === undefined) return
  step.change(itemId, () => remember(item, unheard(item), null))
  if (step.state.settings.audio.input.transcription !== null) tellFailure(step, item, message)
}

const tellFailure = (step: Step, item: Item, message: string): void =>
  step.send({
    type: "conversation.item.input_audio_transcription.failed",
    item_id: item.id,
    content_index: audioIndex(item),
    error: { type: "transcription_error", code: "audio_unintelligible", message, param: null }
  })
