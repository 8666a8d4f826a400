/**
 * As much of a conversation as a channel asks for when it is opened: the formats of its model.
 */
import { type AudioFormat, pcm } from "@effect-bidi/core/Audio"
import type { Conversation } from "@effect-bidi/core/CurrentConversation"

export const conversationOf = (input: AudioFormat, output: AudioFormat): Conversation =>
  ({ model: { input, output } }) as Conversation

export const conversation = conversationOf(pcm(24_000), pcm(24_000))
