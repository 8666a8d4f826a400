/**
 * The talk so far as items of a new session. They cause no reply.
 */
import type { Entry } from "@effect-bidi/core/Transcript"
import type { ConversationItem } from "openai/resources/realtime/realtime"
import { item, outputItem, systemItem, userItem } from "./encode.ts"
import { fit } from "./ids.ts"
import type { ClientEvent, State } from "./state.ts"

export const replay = (state: State, history: ReadonlyArray<Entry>): ReadonlyArray<ClientEvent> =>
  history.flatMap(items).map((one) => item(state, one))

const items = (entry: Entry): ReadonlyArray<ConversationItem> => {
  switch (entry._tag) {
    case "User":
      return entry.parts.length === 0 ? [] : [userItem(entry.parts, fit(entry.id))]
    case "Assistant":
      return entry.text === ""
        ? []
        : [
            {
              id: fit(entry.id),
              type: "message",
              role: "assistant",
              content: [{ type: "output_text", text: entry.text }]
            }
          ]
    case "Note":
      return [systemItem(entry.text, fit(entry.id))]
    // a call without its output would be waited for, an output without its call refused
    case "ToolCall":
      return entry.output === undefined
        ? []
        : [
            {
              type: "function_call",
              call_id: fit(entry.id),
              name: entry.name,
              arguments: JSON.stringify(entry.input)
            },
            outputItem({ ...entry.output, id: fit(entry.id) })
          ]
  }
}
