/**
 * A response from its first sign to its end.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent, ToolCall } from "@effect-bidi/core/BidiModel"
import { count, type Fields, isFields, Malformed, optionalText, text } from "@effect-bidi/core/adapter/Json"
import type { Frame } from "./frame.ts"
import * as Sequencer from "./sequencer.ts"
import { type Outcome, proceed, type Response, type State } from "./state.ts"
import { ofResponse } from "./usage.ts"

/** Opens a response where it is not open yet. `false`: it is over, what still comes of it is late. */
export const begun = (state: State, responseId: string, out: Outcome): boolean => {
  if (state.responses.has(responseId)) return true
  if (state.finished.has(responseId)) return false
  state.sequencer = Sequencer.created(state.sequencer, responseId)
  state.responses.set(responseId, { id: responseId, calls: [], words: new Map() })
  // a request that came while another was on its way, or the provider answered a turn by itself, has a reply of its own
  const { pending, request } = state.sequencer
  const more = pending === undefined && request === undefined ? {} : { more: true }
  out.events.push({ _tag: "ResponseStarted", responseId, ...more })
  return true
}

/** Keeps a call until the fate of its response is known: cancelled responses finish their calls too. */
export const holdCall = (state: State, frame: Frame, out: Outcome): void => {
  const responseId = text(frame, "response_id")
  const call = callOf(frame)
  if (call === undefined) throw new Malformed("a call needs an id and a name")
  if (!begun(state, responseId, out)) return
  const { calls } = state.responses.get(responseId)!
  if (!calls.some((one) => isSame(one.call, call))) calls.push({ index: count(frame, "output_index"), call })
}

/** The words of an item are complete. */
export const finishItem = (state: State, responseId: string, itemId: string, out: Outcome): void => {
  const words = state.responses.get(responseId)?.words
  const parts = words?.get(itemId)
  if (words === undefined || parts === undefined) return
  words.delete(itemId)
  out.events.push({ _tag: "TranscriptDone", role: "assistant", itemId, responseId, text: parts.join("") })
}

/** The end of a response: calls and usage, then `ResponseDone`, then the reply that waited for it. */
export const onDone = (state: State, raw: Fields, out: Outcome): void => {
  const responseId = text(raw, "id")
  if (!begun(state, responseId, out)) return
  const response = state.responses.get(responseId)!
  for (const itemId of response.words.keys()) finishItem(state, responseId, itemId, out)
  const calls = raw.status === "completed" ? callsOf(state, response, raw.output, out) : []
  if (calls.length > 0) out.events.push({ _tag: "ToolCalls", responseId, calls })
  const usage = ofResponse(responseId, raw.usage)
  if (usage !== undefined) out.events.push(usage)
  const done = ending(state, responseId, raw, calls.length > 0)
  if (done.error !== undefined) explain(state, done.error)
  out.events.push(done)
  state.responses.delete(responseId)
  state.speaking = undefined
  state.finished.add(responseId)
  state.sequencer = Sequencer.done(state.sequencer, responseId, isCancelled(raw))
  proceed(state, out)
}

/** What may explain a close that follows. That one thing we asked for was wrong explains none. */
export const explain = (state: State, error: BidiError): void => {
  if (error.reason._tag !== "InvalidRequest") state.closeExplanation = error
}

const isCancelled = ({ status, status_details: details }: Fields): boolean =>
  status === "cancelled" && !(isFields(details) && details.reason === "turn_detected")

type Done = Extract<ModelEvent, { readonly _tag: "ResponseDone" }>

const ending = (state: State, responseId: string, raw: Fields, calls: boolean): Done => {
  const details = isFields(raw.status_details) ? raw.status_details : {}
  switch (raw.status) {
    case "completed":
      return { _tag: "ResponseDone", responseId, stopReason: calls ? "tool_use" : "complete" }
    case "cancelled":
      return { _tag: "ResponseDone", responseId, stopReason: "interrupted" }
    case "incomplete": {
      const detail = details.reason === "content_filter" ? "content_filter" : "max_tokens"
      return { _tag: "ResponseDone", responseId, stopReason: "complete", detail }
    }
    case "failed":
      return { _tag: "ResponseDone", responseId, stopReason: "error", error: state.errors.api(details.error) }
    default: {
      const error = state.errors.malformed(`a response ended with the status ${JSON.stringify(raw.status)}`)
      return { _tag: "ResponseDone", responseId, stopReason: "error", error }
    }
  }
}

// The end of a response lists its whole output; calls that were only streamed count too.
const callsOf = (state: State, response: Response, output: unknown, out: Outcome): ReadonlyArray<ToolCall> => {
  const calls = [...response.calls]
  const items: ReadonlyArray<unknown> = Array.isArray(output) ? output : []
  for (const [index, item] of items.entries()) {
    if (!isFields(item) || item.type !== "function_call") continue
    const call = callOf(item)
    if (call !== undefined) {
      // a call that was streamed, as it is in the end
      const place = calls.findIndex((one) => isSame(one.call, call) || (one.call.id === call.id && one.index === index))
      if (place === -1) calls.push({ index, call })
      else calls[place] = { index, call }
    } else {
      const error = state.errors.malformed("a call of the model has no id or no name and cannot be answered")
      out.events.push({ _tag: "Problem", error })
    }
  }
  return calls.toSorted((one, other) => one.index - other.index).map(({ call }) => call)
}

// Several calls of a response may have one id.
const isSame = (one: ToolCall, other: ToolCall): boolean =>
  one.id === other.id && one.name === other.name && one.arguments === other.arguments

const callOf = (from: Fields): ToolCall | undefined => {
  const id = optionalText(from, "call_id")
  const name = optionalText(from, "name")
  return id && name ? { id, name, arguments: optionalText(from, "arguments") ?? "" } : undefined
}
