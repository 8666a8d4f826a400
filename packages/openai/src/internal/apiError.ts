/**
 * The provider's `error` events: most concern one event of ours, some the reply we asked for, one ends the session.
 */
import { type Fields, optionalText } from "@effect-bidi/core/adapter/Json"
import { explain } from "./response.ts"
import * as Sequencer from "./sequencer.ts"
import { type Outcome, proceed, type Sent, settle, type State } from "./state.ts"

const BUSY = "conversation_already_has_active_response"
const NOT_ACTIVE = "response_cancel_not_active"
const NOTHING_SAID = "input_audio_buffer_commit_empty"

export const onError = (state: State, raw: Fields, out: Outcome): void => {
  const eventId = optionalText(raw, "event_id")
  const sent = eventId === undefined ? undefined : state.sent.get(eventId)
  const code = optionalText(raw, "code")
  if (code === BUSY) {
    state.sequencer = Sequencer.busy(state.sequencer, eventId)
    proceed(state, out)
    return
  }
  if (code === NOT_ACTIVE) {
    // it ended by itself while the cancellation was on its way
    state.sequencer =
      sent?.about === undefined
        ? Sequencer.notActive(state.sequencer, eventId)
        : Sequencer.done(state.sequencer, sent.about)
    proceed(state, out)
    return
  }
  const error = state.errors.api(raw)
  if (error.reason._tag === "SessionExpired") {
    out.fatal = error
    return
  }
  const refused = awaited(state, sent === undefined ? undefined : eventId, raw)
  if (refused !== undefined) {
    state.updates.delete(refused)
    state.commits.delete(refused)
    settle(out, { eventId: refused, error: state.errors.refusal(raw) })
    return
  }
  if (eventId !== undefined && sent?.type === "response.create") {
    state.sequencer = Sequencer.refused(state.sequencer, eventId)
    out.events.push({ _tag: "NoResponse", error })
    proceed(state, out)
  } else {
    const told = { error, details: detailsOf(state, raw, sent) }
    // an item that is not wanted will not be wanted on the next connection
    const item =
      sent?.type === "conversation.item.create" && error.reason._tag === "InvalidRequest" ? sent.about : undefined
    out.events.push(item === undefined ? { _tag: "Problem", ...told } : { _tag: "Refused", id: item, ...told })
  }
  explain(state, error)
}

/**
 * The event of ours that somebody waits for and that was refused, if one was. An error that names no event is that of the
 * one thing that is waited for, unless it may as well be that of a reply.
 */
const awaited = ({ commits, sequencer, updates }: State, eventId: string | undefined, raw: Fields) => {
  if (eventId !== undefined) return updates.has(eventId) || commits.has(eventId) ? eventId : undefined
  const [update] = updates.keys()
  const [commit] = commits
  if (optionalText(raw, "code") === NOTHING_SAID) return commit
  if (update !== undefined && optionalText(raw, "param")?.startsWith("session") === true) return update
  return sequencer.request === undefined ? (update ?? commit) : undefined
}

const detailsOf = (state: State, raw: Fields, sent: Sent | undefined) => {
  const param = optionalText(raw, "param")
  return {
    ...(param === undefined ? {} : { param: state.errors.redact(param) }),
    ...(sent === undefined ? {} : { event: sent.type, about: sent.about ?? null })
  }
}
