/**
 * Commands as frames. Each command is a batch that stays together on the wire.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import type { Command, HeardItem, ToolOutput, UserPart } from "@effect-bidi/core/BidiModel"
import type { ConversationItem } from "openai/resources/realtime/realtime"
import { fit } from "./ids.ts"
import { update } from "./session.ts"
import { type ClientEvent, control, type State, want } from "./state.ts"

export const encode = (state: State, command: Command): ReadonlyArray<ClientEvent> => {
  switch (command._tag) {
    case "UserMessage":
      return [item(state, userItem(command.parts, fit(command.id))), ...want(state, [])]
    case "ToolOutputs":
      return [...command.outputs.map((output) => item(state, outputItem(output))), ...want(state, [])]
    case "Note":
      return [item(state, systemItem(command.text)), ...(command.respond ? want(state, []) : [])]
    case "Respond":
      return want(state, command.instructions === undefined ? [] : [command.instructions])
    case "Interrupt":
      return interrupt(state, command.responseId, command.items)
    // what the microphone brought before the turn began is no part of it
    case "TurnStart":
    case "TurnClear":
      return [control(state, { type: "input_audio_buffer.clear" })]
    // the reply is asked for when the turn was taken: to speak to nothing is worse than a round trip
    case "TurnCommit": {
      const commit = control(state, { type: "input_audio_buffer.commit" })
      state.commits.add(commit.event_id)
      return [commit]
    }
    case "Update": {
      const change = control(state, { type: "session.update", session: update(command) })
      state.updates.set(change.event_id, command.instructions ?? "")
      return [change]
    }
  }
}

const interrupt = (state: State, responseId: string, heard: ReadonlyArray<HeardItem>): ReadonlyArray<ClientEvent> => {
  const frames: Array<ClientEvent> = []
  const generating = state.responses.has(responseId)
  if (generating) frames.push(control(state, { type: "response.cancel", response_id: responseId }, responseId))
  for (const { heard: millis, itemId } of heard) {
    const audio = state.items.get(itemId)
    if (audio === undefined) continue
    state.items.delete(itemId)
    state.speaking = undefined
    // as the provider counts it: more than was passed on to be heard, if it came after the interruption
    const produced = Math.floor(audio.bytes / state.session.bytesPerMilli)
    // while it still generates, the provider may be ahead of what has arrived
    if (millis >= produced && !generating) continue
    const end = Math.floor(Math.min(millis, produced))
    frames.push(
      end > 0
        ? control(
            state,
            {
              type: "conversation.item.truncate",
              item_id: itemId,
              content_index: audio.contentIndex,
              audio_end_ms: end
            },
            itemId
          )
        : control(state, { type: "conversation.item.delete", item_id: itemId }, itemId)
    )
  }
  return frames
}

export const item = (state: State, item: ConversationItem): ClientEvent =>
  control(state, { type: "conversation.item.create", item }, "id" in item ? item.id : undefined)

export const userItem = (parts: ReadonlyArray<UserPart>, id: string): ConversationItem => ({
  id,
  type: "message",
  role: "user",
  content: parts.map((part) =>
    typeof part === "string"
      ? { type: "input_text", text: part }
      : { type: "input_image", image_url: `data:${part.mimeType};base64,${Base64.encode(part.image)}` }
  )
})

export const systemItem = (text: string, id?: string): ConversationItem => ({
  ...(id === undefined ? {} : { id }),
  type: "message",
  role: "system",
  content: [{ type: "input_text", text }]
})

/** A call of this connection has the id that the provider gave it, whatever it is like. */
export const outputItem = ({ id, isFailure, result }: Omit<ToolOutput, "name">): ConversationItem => ({
  type: "function_call_output",
  call_id: id,
  output: JSON.stringify(isFailure ? { error: typeof result === "string" ? { message: result } : result } : result)
})
