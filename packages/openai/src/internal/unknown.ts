/**
 * Events that mean nothing to a conversation, and those that nobody here has heard of.
 */
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import type * as Schema from "effect/Schema"
import type { Frame } from "./frame.ts"
import type { Outcome, State } from "./state.ts"

// all that the SDK has a type for, and that is bookkeeping here (openai 7.57, `RealtimeServerEvent`)
const bookkeeping = new Set([
  "conversation.created",
  "conversation.item.added",
  "conversation.item.created",
  "conversation.item.deleted",
  "conversation.item.done",
  "conversation.item.input_audio_transcription.segment",
  "conversation.item.retrieved",
  "conversation.item.truncated",
  "input_audio_buffer.cleared",
  "input_audio_buffer.dtmf_event_received",
  "input_audio_buffer.timeout_triggered",
  "mcp_list_tools.completed",
  "mcp_list_tools.failed",
  "mcp_list_tools.in_progress",
  "output_audio_buffer.cleared",
  "output_audio_buffer.started",
  "output_audio_buffer.stopped",
  "rate_limits.updated",
  "response.content_part.added",
  "response.content_part.done",
  "response.function_call_arguments.delta",
  "response.mcp_call.completed",
  "response.mcp_call.failed",
  "response.mcp_call.in_progress",
  "response.mcp_call_arguments.delta",
  "response.mcp_call_arguments.done",
  "response.output_audio.done",
  "response.output_item.added",
  "session.created"
])

// what replies were called in the beta
const beta = /^response\.(audio|audio_transcript|text)\.(delta|done)$/

export const onUnknown = (state: State, frame: Frame, out: Outcome): void => {
  const { type } = frame
  if (bookkeeping.has(type)) return
  if (!state.outdated && beta.test(type)) {
    state.outdated = true
    out.events.push({ _tag: "Problem", error: state.errors.outdated(type) })
  }
  out.events.push(new Unknown(state, frame))
}

/** Its contents are made when somebody asks for them: there may be fifty a second. */
class Unknown implements Extract<ModelEvent, { readonly _tag: "Unknown" }> {
  readonly _tag = "Unknown"
  readonly type: string
  readonly #state: State
  readonly #frame: Frame

  constructor(state: State, frame: Frame) {
    this.type = state.errors.redact(frame.type)
    this.#state = state
    this.#frame = frame
  }

  get raw(): Schema.Json {
    return JSON.parse(this.#state.errors.redact(JSON.stringify(this.#frame)))
  }
}
