/**
 * The provider's `error` events: most concern one event of ours, some the reply we asked for, one ends the session.
 */
import { type Fields, optionalText } from "./frame.ts"
import * as Sequencer from "./sequencer.ts"
import { type Outcome, type Sent, type State, takeReply } from "./state.ts"

const BUSY = "conversation_already_has_active_response"
const NOT_ACTIVE = "response_cancel_not_active"

export const onError = (state: State, raw: Fields, out: Outcome): void => {
  const eventId = optionalText(raw, "event_id")
  const sent = eventId === undefined ? undefined : state.sent.get(eventId)
  const code = optionalText(raw, "code")
  if (code === BUSY) {
    state.sequencer = Sequencer.busy(state.sequencer, eventId)
    out.frames.push(...takeReply(state))
    return
  }
  if (code === NOT_ACTIVE) {
    // it ended by itself while the cancellation was on its way
    if (sent?.about !== undefined) state.sequencer = Sequencer.done(state.sequencer, sent.about)
    out.frames.push(...takeReply(state))
    return
  }
  const error = state.errors.api(raw)
  if (error.reason._tag === "SessionExpired") {
    out.fatal = error
    return
  }
  if (eventId !== undefined && sent?.type === "response.create") {
    state.sequencer = Sequencer.refused(state.sequencer, eventId)
    out.events.push({ _tag: "NoResponse", error })
    out.frames.push(...takeReply(state))
  } else {
    out.events.push({ _tag: "Problem", error, details: detailsOf(state, raw, sent) })
  }
  // one wrong event does not explain why a connection is closed
  if (error.reason._tag !== "InvalidRequest") state.lastWords = error
}

const detailsOf = (state: State, raw: Fields, sent: Sent | undefined) => {
  const param = optionalText(raw, "param")
  return {
    ...(param === undefined ? {} : { param: state.errors.redact(param) }),
    ...(sent === undefined ? {} : { event: sent.type, about: sent.about ?? null })
  }
}
