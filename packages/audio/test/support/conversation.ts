/**
 * As much of a conversation as a device asks for: the formats of the model, and frames of its speech.
 */
import { pcm } from "@effect-bidi/core/Audio"
import type { AudioStream } from "@effect-bidi/core/BidiEvent"
import type { Conversation } from "@effect-bidi/core/CurrentConversation"

export const conversation = { model: { input: pcm(24_000), output: pcm(24_000) } } as Conversation

/** A frame of speech of one item. */
export const speech = (audio: Uint8Array, itemId = "i"): AudioStream => ({
  _tag: "AudioStream",
  at: 0,
  audio,
  ...pcm(24_000),
  responseId: "r",
  itemId
})
