/**
 * A reply from its first sign to its end.
 *
 * One reply is what the model says in one turn of its own, up to a call of a tool: the answer to a call is another reply.
 * Models that think while they speak take several turns for one request and say that they are not done
 * (`interactionStatus`); to them belongs one reply, with an item for every turn.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent, ToolCall } from "@effect-bidi/core/BidiModel"
import type { Events, Last, Reply, State } from "./state.ts"
import { nextId } from "./state.ts"
import { deltaOf } from "./transcriptDelta.ts"
import { giveUp, leave, onReply, onTurnEnd, overdue } from "./userTurn.ts"

type Done = Extract<ModelEvent, { readonly _tag: "ResponseDone" }>
type Ending = Pick<Done, "stopReason"> & Partial<Pick<Done, "detail" | "error">>

export const onAudio = (state: State, audio: Uint8Array, out: Events): void => {
  const reply = opened(state, out)
  reply.spoken = true
  reply.sounded = true
  out.push({ _tag: "AudioDelta", responseId: reply.id, itemId: itemOf(state, reply).id, audio })
}

/** What it thinks, or writes: it is to be heard, so all that it writes is meant for itself. */
export const onReasoning = (state: State, delta: string, out: Events): void => {
  if (delta === "") return
  out.push({ _tag: "Reasoning", responseId: opened(state, out).id, delta })
}

export const onReplyWords = (state: State, words: string, out: Events): void => {
  if (words === "") return
  if (state.last !== undefined && isTail(state, state.last)) return onTail(state, state.last, words, out)
  const reply = opened(state, out)
  const item = itemOf(state, reply)
  const delta = deltaOf(item.text, words)
  reply.spoken = true
  if (delta === "") return
  item.text += delta
  out.push({ _tag: "TranscriptDelta", role: "assistant", itemId: item.id, responseId: reply.id, delta })
}

// Transcriptions come in no order relative to the end of the turn: words that nobody asked for, right behind a turn of which
// there was sound, are the last of it. Enough sound of the user since may be something that is being answered.
const isTail = ({ begun, calls, reply, session, since, speaking, ...state }: State, last: Last): boolean =>
  reply === undefined &&
  last.sounded &&
  !begun &&
  !speaking &&
  calls.size === 0 &&
  since < session.second &&
  !isAsked(state)

// No end will follow them, so they have their own. Those of a turn that was cut off were not heard.
const onTail = (state: State, last: Last, words: string, out: Events): void => {
  if (last.cut) return
  const delta = deltaOf(last.text, words)
  last.text += delta
  const text = delta.trimStart()
  if (text === "") return
  const responseId = nextId(state, "replies")
  const itemId = nextId(state, "items")
  out.push(
    { _tag: "ResponseStarted", responseId },
    { _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta: text },
    { _tag: "TranscriptDone", role: "assistant", itemId, responseId, text },
    { _tag: "ResponseDone", responseId, stopReason: "complete" }
  )
}

export const onCalls = (state: State, calls: ReadonlyArray<ToolCall>, out: Events): void => {
  const reply = opened(state, out)
  for (const { id } of calls) state.calls.add(id)
  for (const called of state.called) if (called.reply < 0) called.reply = state.counts.replies
  out.push({ _tag: "ToolCalls", responseId: reply.id, calls })
  finish(state, reply, { stopReason: "tool_use" }, out)
}

/** The provider has cut off what it was saying, or what it had said and is still heard. */
export const onInterrupted = (state: State, out: Events): void => {
  const { last, reply } = state
  const cut = reply ?? (last?.cut === true ? undefined : last)
  if (cut !== undefined) out.push({ _tag: "Interrupted", responseId: cut.id })
  leave(state, out)
  giveUp(state, out)
  if (reply !== undefined) finish(state, reply, { stopReason: "interrupted" }, out)
  if (state.last !== undefined) state.last.cut = true
  // what was owed may have been cut off before it began; its end is no silence
  if (state.owed !== undefined) state.begun = true
}

/** The model's turn is over. `reason` is empty, or what was wrong with it; `busy`: it is not done, it thinks or waits. */
export const onTurnComplete = (state: State, reason: string, busy: boolean, out: Events): void => {
  const { begun, calls, reply } = state
  const silent = reply === undefined && !begun && !busy
  const error = fine.has(reason) ? undefined : state.errors.refusedToAnswer(reason)
  state.begun = false
  if (silent && error === undefined && state.resuming) return letItCome(state)
  const unanswered = silent && (state.owed !== undefined || isAsked(state))
  // silence is an answer as well
  if (silent && state.owed === "speech") onReply(state, out)
  onTurnEnd(state, silent, out)
  if (reply !== undefined) {
    // while it waits for answers it has said what it had to say
    reply.held = busy && calls.size === 0 && error === undefined
    if (reply.held) finishItem(reply, out)
    else finish(state, reply, endingOf(reason, error ?? unspoken(state, reply)), out)
  } else if (error !== undefined ? silent : unanswered) {
    nothingSaid(state, error ?? state.errors.unspoken(false), out)
  }
}

/** The model has done: what it said of itself that it goes on with, it does not. */
export const onIdle = (state: State, out: Events): void => {
  const { reply } = state
  if (reply?.held === true) finish(state, reply, endingOf("", unspoken(state, reply)), out)
}

/** Nothing came for too long. `millis` is how long; `asking`: it will be asked once more. */
export const onOverdue = (state: State, millis: number, asking: boolean, out: Events): void => {
  if (!isOverdue(state)) return
  const error = state.errors.unanswered(millis)
  state.awaited = false
  overdue(state, out)
  if (asking) out.push({ _tag: "Problem", error })
  else nothingSaid(state, error, out)
}

/** Whether something was asked, and neither an answer came nor the news that there is none. */
export const isOverdue = ({ awaited, reply, speaking, utterance }: State): boolean =>
  reply === undefined &&
  !speaking &&
  (awaited || (utterance !== undefined && !utterance.answered && !utterance.overdue && utterance.text !== ""))

// The first empty turn behind an answer: what is said to it comes a little later.
const letItCome = (state: State): void => {
  state.resuming = false
  state.awaited = true
  state.signs++
}

// A command is told that it will not be answered. Speech was answered, with nothing: it is not to be heard again.
const nothingSaid = (state: State, error: BidiError, out: Events): void => {
  const { owed } = state
  state.owed = undefined
  state.awaited = false
  if (owed === undefined) out.push({ _tag: "Problem", error })
  else if (owed === "command") out.push({ _tag: "NoResponse", error })
  else {
    const responseId = nextId(state, "replies")
    out.push({ _tag: "ResponseStarted", responseId }, { _tag: "ResponseDone", responseId, ...endingOf("", error) })
  }
}

const unspoken = ({ errors }: State, { spoken }: Reply): BidiError | undefined =>
  spoken ? undefined : errors.unspoken(true)

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const opened = (state: State, out: Events): Reply => {
  if (state.reply !== undefined) {
    if (!state.reply.held || !isAsked(state)) return goesOn(state.reply)
    // what it says now answers something else
    onIdle(state, out)
  }
  onReply(state, out)
  const reply: Reply = { id: nextId(state, "replies"), item: undefined, held: false, spoken: false, sounded: false }
  state.reply = reply
  state.owed = undefined
  state.resuming = false
  state.awaited = false
  state.begun = true
  out.push({ _tag: "ResponseStarted", responseId: reply.id })
  return reply
}

const isAsked = ({ owed, utterance }: Pick<State, "owed" | "utterance">): boolean =>
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
  const text = reply.item?.text ?? ""
  finishItem(reply, out)
  out.push({ _tag: "ResponseDone", responseId: reply.id, ...ending })
  state.reply = undefined
  state.last = { id: reply.id, cut: false, sounded: reply.sounded, text }
}

const fine = new Set(["", "TURN_COMPLETE_REASON_UNSPECIFIED"])
const failures = new Set([
  "MALFORMED_FUNCTION_CALL",
  "MAX_REGENERATION_REACHED",
  "NEED_MORE_INPUT",
  "RESPONSE_REJECTED"
])

// Every other reason is a name for what may not be said or shown.
const endingOf = (reason: string, error: BidiError | undefined): Ending => {
  if (error === undefined) return { stopReason: "complete" }
  return fine.has(reason) || failures.has(reason)
    ? { stopReason: "error", error }
    : { stopReason: "error", detail: "content_filter", error }
}
