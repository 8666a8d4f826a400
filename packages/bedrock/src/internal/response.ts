/**
 * A reply from its first sign to its end.
 */
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import { join, normal } from "./plannedSpeech.ts"
import { type Events, newResponse, type Response, type State } from "./state.ts"
import { answer, overdue } from "./userTurn.ts"

type StopReason = Extract<ModelEvent, { readonly _tag: "ResponseDone" }>["stopReason"]

/** The reply that something announced or called belongs to: the one that goes on, or a new one. */
export const begin = (state: State, out: Events): Response => {
  const { response } = state
  if (response !== undefined && (response.ending !== undefined || state.asked)) {
    close(state, response, response.ending ?? "complete", out)
  }
  return current(state, out)
}

/** The reply that goes on, or a new one. */
export const current = (state: State, out: Events): Response => {
  answer(state, out)
  state.asked = false
  if (state.response !== undefined) return state.response
  state.response = newResponse(state)
  out.push({ _tag: "ResponseStarted", responseId: state.response.id })
  return state.response
}

/** Words that the agent means to say. */
export const announce = (response: Response, text: string, isMore: boolean, out: Events): void => {
  if (isMore) response.plan.extend(text)
  else response.plan.add(text)
  const delta = isMore ? text : join(response.announced, text)
  response.announced += delta
  if (delta !== "") out.push({ ...words(response, delta), preview: true })
}

/** A block of sound of what was announced last. */
export const openSound = (state: State, contentId: string, out: Events): Response => {
  // a sentence that waits for its sound has begun its reply already
  const response = state.response?.plan.waits === true ? state.response : begin(state, out)
  response.sounding.add(contentId)
  return response
}

/** Sound, and with it the words that it is the sound of. */
export const sound = (response: Response, audio: Uint8Array, out: Events): void => {
  say(response, response.plan.begin(), false, out)
  out.push({ _tag: "AudioDelta", responseId: response.id, itemId: response.itemId, audio })
}

/** Words that the agent is thought to have said. Returns the reply they belong to, unless that is over. */
export const confirm = (
  state: State,
  text: string,
  isMore: boolean,
  stage: string | undefined,
  out: Events
): Response | undefined => {
  const { last, late, response } = state
  if (response?.plan.expects(text) !== true) {
    const known = late.indexOf(normal(text))
    if (known !== -1) {
      late.splice(known, 1)
      return undefined
    }
    // what was heard of a reply that was cut off is known better where it is played
    if (response === undefined && stage === "FINAL" && last?.interrupted === true) return undefined
  }
  const spoken = response ?? current(state, out)
  say(spoken, spoken.plan.confirm(text, isMore), isMore, out)
  return spoken
}

/** The connection is gone in the middle of a sentence: it was not said, so that it will be said again, whole. */
export const abandon = ({ id: responseId, itemId, plan, sounding }: Response, out: Events): void => {
  if (sounding.size === 0) return
  sounding.clear()
  out.push({ _tag: "TranscriptDone", role: "assistant", itemId, responseId, text: plan.ended })
}

/** Somebody else's turn: a reply in which nothing more is begun is over, whatever is missing of it. */
export const conclude = (state: State, out: Events): void => {
  const { response } = state
  if (response?.ending !== undefined) close(state, response, response.ending, out)
}

/** Ends the reply, if it may end: its sound has come, and the confirmation of its words. */
export const settle = (state: State, response: Response, out: Events): void => {
  if (response.ending === undefined || response.sounding.size > 0) return
  if (response.confirmed || response.plan.covered) close(state, response, response.ending, out)
}

/** The user cut the agent off. The provider says it more than once. */
export const interrupt = (state: State, about: Response | undefined, out: Events): void => {
  const target = about ?? state.response ?? state.last
  if (target === undefined || target.interrupted) return
  if (target.done && state.response !== undefined) return
  target.interrupted = true
  out.push({ _tag: "Interrupted", responseId: target.id })
  if (!target.done) close(state, target, "interrupted", out)
}

export const close = (state: State, response: Response, stopReason: StopReason, out: Events): void => {
  const { confirmed, id: responseId, itemId, plan } = response
  overdue(state, out)
  const text = plan.text(confirmed)
  if (text !== "") out.push({ _tag: "TranscriptDone", role: "assistant", itemId, responseId, text })
  out.push({ _tag: "ResponseDone", responseId, stopReason })
  if (!confirmed) remember(state.late, plan.unconfirmed)
  response.done = true
  state.response = undefined
  state.last = response
}

const say = (response: Response, texts: ReadonlyArray<string>, isMore: boolean, out: Events): void => {
  for (const text of texts) {
    const delta = isMore ? text : join(response.spoken, text)
    response.spoken += delta
    if (delta !== "") out.push(words(response, delta))
  }
}

const words = ({ id: responseId, itemId }: Response, delta: string) =>
  ({ _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta }) as const

// A confirmation comes within the time it takes to speak; more than these sentences back, none does.
const MAX_LATE_SENTENCES = 16

const remember = (late: Array<string>, sentences: ReadonlyArray<string>): void => {
  late.push(...sentences)
  if (late.length > MAX_LATE_SENTENCES) late.splice(0, late.length - MAX_LATE_SENTENCES)
}
