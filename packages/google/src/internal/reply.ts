/**
 * A reply from its first sign to its end.
 *
 * One reply is what the model says in one turn of its own, up to a call of a tool: the answer to a call is another reply.
 * Models that think while they speak take several turns for one request and say that they are not done
 * (`interactionStatus`); to them belongs one reply, with an item for every turn.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent, ToolCall } from "@effect-bidi/core/BidiModel"
import type { Events, Reply, State } from "./state.ts"
import { nextId } from "./state.ts"
import { leave, onReply, onTurnEnd } from "./utterance.ts"

type Done = Extract<ModelEvent, { readonly _tag: "ResponseDone" }>
type Ending = Pick<Done, "stopReason"> & Partial<Pick<Done, "detail" | "error">>

export const onAudio = (state: State, audio: Uint8Array, out: Events): void => {
  const reply = opened(state, out)
  out.push({ _tag: "AudioDelta", responseId: reply.id, itemId: itemOf(state, reply).id, audio })
}

export const onReplyWords = (state: State, delta: string, out: Events): void => {
  if (delta === "") return
  const reply = opened(state, out)
  const item = itemOf(state, reply)
  item.text += delta
  out.push({ _tag: "TranscriptDelta", role: "assistant", itemId: item.id, responseId: reply.id, delta })
}

export const onCalls = (state: State, calls: ReadonlyArray<ToolCall>, out: Events): void => {
  const reply = opened(state, out)
  for (const { id } of calls) state.calls.add(id)
  out.push({ _tag: "ToolCalls", responseId: reply.id, calls })
  finish(state, reply, { stopReason: "tool_use" }, out)
}

/** The provider has cut off what it was saying, or what it had said and is still heard. */
export const onInterrupted = (state: State, out: Events): void => {
  const { last, reply } = state
  const cut = reply ?? (last?.cut === true ? undefined : last)
  if (cut !== undefined) out.push({ _tag: "Interrupted", responseId: cut.id })
  leave(state, out)
  if (reply !== undefined) finish(state, reply, { stopReason: "interrupted" }, out)
  if (state.last !== undefined) state.last.cut = true
  // what was owed may have been cut off before it began; its end is no silence
  if (state.owed !== undefined) state.begun = true
}

/** The model's turn is over. `reason` is empty, or what was wrong with it; `busy`: it is not done, it thinks or waits. */
export const onTurnComplete = (state: State, reason: string, busy: boolean, out: Events): void => {
  const { begun, calls, reply } = state
  const silent = reply === undefined && !begun && !busy
  const ending = endingOf(state, reason)
  // silence is an answer as well
  if (silent && state.owed === "speech") onReply(state, out)
  onTurnEnd(state, silent, out)
  if (reply !== undefined) {
    // while it waits for answers it has said what it had to say
    reply.held = busy && calls.size === 0 && ending.error === undefined
    if (reply.held) finishItem(reply, out)
    else finish(state, reply, ending, out)
  } else if (silent) {
    nothingSaid(state, reason, ending.error, out)
  }
  state.begun = false
}

const nothingSaid = (state: State, reason: string, error: BidiError | undefined, out: Events): void => {
  const { owed } = state
  state.owed = undefined
  if (owed === "command" && error !== undefined) out.push({ _tag: "NoResponse", error })
  // it chose to say nothing; that is what it was asked for
  else if (owed !== undefined) out.push(...silence(state))
  else if (error !== undefined && reason !== SILENT) out.push({ _tag: "Problem", error })
}

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const opened = (state: State, out: Events): Reply => {
  if (state.reply !== undefined) {
    if (!state.reply.held || !isAsked(state)) return goesOn(state.reply)
    // what it says now answers something else
    finish(state, state.reply, { stopReason: "complete" }, out)
  }
  onReply(state, out)
  const reply: Reply = { id: nextId(state, "replies"), item: undefined, held: false }
  state.reply = reply
  state.owed = undefined
  state.begun = true
  out.push({ _tag: "ResponseStarted", responseId: reply.id })
  return reply
}

const isAsked = ({ owed, utterance }: State): boolean =>
  owed !== undefined || (utterance !== undefined && !utterance.answered)

const goesOn = (reply: Reply): Reply => {
  reply.held = false
  return reply
}

const itemOf = (state: State, reply: Reply) => (reply.item ??= { id: nextId(state, "items"), text: "" })

const finishItem = (reply: Reply, out: Events): void => {
  const { id: responseId, item } = reply
  reply.item = undefined
  if (item === undefined || item.text === "") return
  out.push({ _tag: "TranscriptDone", role: "assistant", itemId: item.id, responseId, text: item.text })
}

const finish = (state: State, reply: Reply, ending: Ending, out: Events): void => {
  finishItem(reply, out)
  out.push({ _tag: "ResponseDone", responseId: reply.id, ...ending })
  state.reply = undefined
  state.last = { id: reply.id, cut: false }
}

// A reply without anything in it: whoever waits for one need not wait any longer.
const silence = (state: State): Events => {
  const responseId = nextId(state, "replies")
  return [
    { _tag: "ResponseStarted", responseId },
    { _tag: "ResponseDone", responseId, stopReason: "complete" }
  ]
}

/** What a model that may stay silent says of its silence. */
const SILENT = "RESPONSE_REJECTED"

const fine = new Set(["", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT"])
const failures = new Set(["MALFORMED_FUNCTION_CALL", "MAX_REGENERATION_REACHED", SILENT])

// Every other reason is a name for what may not be said or shown.
const endingOf = (state: State, reason: string): Ending => {
  if (fine.has(reason)) return { stopReason: "complete" }
  const error: BidiError = state.errors.refusedToAnswer(reason)
  return failures.has(reason)
    ? { stopReason: "error", error }
    : { stopReason: "error", detail: "content_filter", error }
}
