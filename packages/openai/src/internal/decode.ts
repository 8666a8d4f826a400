/**
 * The provider's frames as events of the contract. A fold: the same frames over the same state give the same events.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { onError } from "./apiError.ts"
import { fields, isFields, Malformed, optionalText, text } from "@effect-bidi/core/adapter/Json"
import { type Frame, type Inbound, OVERDUE } from "./frame.ts"
import { begun, finishItem, holdCall, onDone } from "./response.ts"
import * as Sequencer from "./sequencer.ts"
import { type AudioItem, audioItem, type Outcome, outcome, proceed, see, settle, type State, want } from "./state.ts"
import { onUnknown } from "./unknown.ts"
import { ofTranscription } from "./usage.ts"

/** Takes frames in the order of the wire. Never throws: a frame that cannot be read is a `Problem`. */
export const receive = (state: State, frames: ReadonlyArray<Inbound>): Outcome => {
  const out = outcome()
  for (const frame of frames) {
    if (out.fatal !== undefined) break
    if (frame === undefined) {
      problem(state, out, "a frame of the provider is not a JSON object with a type")
      continue
    }
    if (isRepeated(state, frame)) continue
    try {
      decode(state, frame, out)
    } catch (error) {
      const why = error instanceof Malformed ? error.message : "it is unlike anything known"
      problem(state, out, `a frame of the provider cannot be read: ${frame.type}: ${why}`)
    }
  }
  return out
}

/**
 * Why the connection ended: what the provider said a moment (`since`, in milliseconds) before knows better than the close
 * that followed it.
 */
export const endOf = (state: State, error: BidiError, since = 0): BidiError => {
  const vague = error.reason._tag === "ConnectionLost" || error.reason._tag === "ServerFault"
  return vague && state.closeExplanation !== undefined && since <= CLOSE_EXPLANATION_MILLIS
    ? state.closeExplanation
    : error
}

/** How long what the provider said explains the close that follows, in milliseconds. */
export const CLOSE_EXPLANATION_MILLIS = 5000

/**
 * Whether an event came before: one with the same id and the same content, soon. Of audio only the last is known: there
 * are fifty a second. A provider that gives different events one id repeats nothing that could be told by it.
 */
const isRepeated = (state: State, frame: Frame): boolean => {
  const { event_id, type } = frame
  if (typeof event_id !== "string" || state.idsRepeat) return false
  if (type === "response.output_audio.delta") {
    const isNew = event_id !== state.audioId
    const isSame = !isNew && frame.delta === state.audio
    state.audioId = event_id
    state.audio = frame.delta
    if (isNew || isSame) return isSame
  } else {
    const before = see(state, event_id, frame)
    if (before === undefined) return false
    if (before === frame || JSON.stringify(before) === JSON.stringify(frame)) return true
  }
  state.idsRepeat = true
  return false
}

const problem = (state: State, out: Outcome, message: string) => {
  out.events.push({ _tag: "Problem", error: state.errors.malformed(message) })
}

// what may come between an error and the close that it explains
const silent = new Set(["error", "rate_limits.updated", OVERDUE])

const decode = (state: State, frame: Frame, out: Outcome): void => {
  const { type } = frame
  // the session went on after the error
  if (state.closeExplanation !== undefined && !silent.has(type)) state.closeExplanation = undefined
  switch (type) {
    case "response.output_audio.delta":
      return onAudio(state, frame, out)
    case "response.output_audio_transcript.delta":
    case "response.output_text.delta": {
      const responseId = text(frame, "response_id")
      const itemId = text(frame, "item_id")
      const delta = text(frame, "delta")
      if (!begun(state, responseId, out) || delta === "") return
      out.events.push({ _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta })
      return
    }
    case "response.output_audio_transcript.done":
      return onWords(state, frame, text(frame, "transcript"), out)
    case "response.output_text.done":
      return onWords(state, frame, text(frame, "text"), out)
    case "response.function_call_arguments.done":
      return holdCall(state, frame, out)
    case "response.output_item.done":
      return finishItem(state, text(frame, "response_id"), text(fields(frame, "item"), "id"), out)
    case "response.created":
      begun(state, text(fields(frame, "response"), "id"), out)
      return
    case "response.done":
      return onDone(state, fields(frame, "response"), out)
    case "input_audio_buffer.speech_started":
      state.sequencer = Sequencer.speech(state.sequencer)
      out.events.push({ _tag: "SpeechStarted", interrupts: state.session.interrupts })
      return
    case "input_audio_buffer.speech_stopped":
      out.events.push({ _tag: "SpeechStopped" })
      return
    case "input_audio_buffer.committed":
      return onTurn(state, text(frame, "item_id"), out)
    case "session.updated":
      return onUpdated(state, frame, out)
    case "conversation.item.input_audio_transcription.delta": {
      const delta = optionalText(frame, "delta")
      const itemId = text(frame, "item_id")
      if (delta) out.events.push({ _tag: "TranscriptDelta", role: "user", itemId, delta })
      return
    }
    case "conversation.item.input_audio_transcription.completed": {
      const itemId = text(frame, "item_id")
      out.events.push({ _tag: "TranscriptDone", role: "user", itemId, text: text(frame, "transcript") })
      const usage = ofTranscription(frame.usage)
      if (usage !== undefined) out.events.push(usage)
      return
    }
    case "conversation.item.input_audio_transcription.failed": {
      const itemId = text(frame, "item_id")
      out.events.push({ _tag: "TranscriptFailed", itemId, error: state.errors.api(frame.error) })
      return
    }
    case "error":
      return onError(state, fields(frame, "error"), out)
    case OVERDUE:
      state.sequencer = Sequencer.overdue(state.sequencer, text(frame, "request"))
      return proceed(state, out)
    default:
      return onUnknown(state, frame, out)
  }
}

// The provider took a turn: by itself, or because the application closed it. Then the request for the reply follows here.
const onTurn = (state: State, itemId: string, out: Outcome): void => {
  const { responds } = state.session
  out.events.push({ _tag: "UserTurn", itemId, respond: responds })
  const [commit] = state.commits
  if (commit !== undefined) {
    state.commits.delete(commit)
    settle(out, { eventId: commit })
    out.frames.push(...want(state, []))
  } else if (responds) {
    state.sequencer = Sequencer.turn(state.sequencer)
  }
}

// A change holds from here on, not from where it was asked for.
const onUpdated = (state: State, frame: Frame, out: Outcome): void => {
  const [update] = state.updates
  if (update === undefined) return
  const [eventId, asked] = update
  state.updates.delete(eventId)
  const confirmed = isFields(frame.session) ? optionalText(frame.session, "instructions") : undefined
  state.session = { ...state.session, instructions: confirmed ?? asked }
  settle(out, { eventId })
}

const onAudio = (state: State, frame: Frame, out: Outcome): void => {
  const { delta } = frame // read by name: fifty times a second
  if (typeof delta !== "string") throw new Malformed(`"delta" is not a string`)
  const item = speaking(state, frame, out)
  if (item === undefined || delta === "") return
  const audio = Base64.decode(delta)
  item.bytes += audio.length
  out.events.push({ _tag: "AudioDelta", responseId: item.responseId, itemId: item.itemId, audio })
}

// The item that a frame of audio belongs to: nearly always that of the frame before. `undefined`: it is late.
const speaking = (state: State, frame: Frame, out: Outcome): AudioItem | undefined => {
  const last = state.speaking
  if (last !== undefined && frame.response_id === last.responseId && frame.item_id === last.itemId) return last
  const responseId = text(frame, "response_id")
  const itemId = text(frame, "item_id")
  if (!begun(state, responseId, out)) return undefined
  // the id as it was told before: whoever compares it further on compares the same string
  state.speaking = audioItem(state, state.responses.get(responseId)!.id, itemId, partOf(frame))
  return state.speaking
}

// An item may have several parts; its words are final when the item is done.
const onWords = (state: State, frame: Frame, words: string, out: Outcome): void => {
  const responseId = text(frame, "response_id")
  const itemId = text(frame, "item_id")
  if (!begun(state, responseId, out)) return
  const open = state.responses.get(responseId)!.words
  const parts = open.get(itemId) ?? []
  parts[partOf(frame)] = words
  open.set(itemId, parts)
}

const MAX_PARTS = 64

const partOf = (frame: Frame): number => {
  const index = frame.content_index
  return typeof index === "number" && Number.isInteger(index) && index >= 0 && index < MAX_PARTS ? index : 0
}
