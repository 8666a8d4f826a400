/**
 * The protocol without a socket: a state, and messages folded over it.
 */
import type { Command } from "@effect-bidi/core/BidiModel"
import { receive } from "../../src/internal/decode.ts"
import { encode } from "../../src/internal/encode.ts"
import * as Errors from "../../src/internal/errors.ts"
import type { Inbound } from "../../src/internal/frame.ts"
import { initial, type Session, type State } from "../../src/internal/state.ts"

export const KEY = "AIzaSy-secret_0123456789"

export const errors = Errors.make(KEY)

/** The default model, and ids that can be told. */
export const start = (session: Partial<Session> = {}): State =>
  initial(errors, {
    prefix: "c",
    model: "gemini-3.8-live",
    second: 32_000,
    manual: false,
    interrupts: true,
    responds: false,
    transcribes: false,
    blocking: false,
    rejectsAudioWhileBlocked: false,
    scheduling: "when_idle",
    seed: "history",
    context: true,
    resumed: false,
    ...session
  })

/** A model of before: no choice of function calls, no content while it talks, an answer to all that it hears. */
export const older: Partial<Session> = {
  model: "gemini-3.1-flash-live-preview",
  responds: true,
  blocking: true,
  rejectsAudioWhileBlocked: true,
  scheduling: undefined,
  context: false
}

/** The user's sound has been sent: so many seconds of it. */
export const hear = (state: State, seconds: number): void => {
  state.heard = true
  state.since += seconds * state.session.second
}

/** The events that messages lead to. */
export const events = (state: State, ...messages: ReadonlyArray<Inbound>) => receive(state, messages)

/** Without the error objects: their reason and code instead. */
export const summary = (state: State, ...messages: ReadonlyArray<Inbound>): ReadonlyArray<unknown> =>
  events(state, ...messages).map((event) =>
    "error" in event && event.error !== undefined
      ? { ...event, error: [event.error.reason._tag, event.error.reason.code] }
      : event
  )

/** Events in one word each, and the words of transcripts. */
export const brief = (state: State, ...messages: ReadonlyArray<Inbound>): ReadonlyArray<string> =>
  events(state, ...messages).map((event) => {
    switch (event._tag) {
      case "TranscriptDelta":
        return `${event.itemId} +${event.delta}`
      case "TranscriptDone":
        return `${event.itemId} =${event.text}`
      case "UserTurn":
        return `${event.itemId} turn`
      case "AudioDelta":
        return `${event.itemId} sound`
      case "ResponseStarted":
        return `${event.responseId} started`
      case "ResponseDone":
        return `${event.responseId} ${event.stopReason}`
      case "Interrupted":
        return `${event.responseId} cut`
      default:
        return event._tag
    }
  })

/** The messages that a command leads to. */
export const send = (state: State, command: Command): ReadonlyArray<any> => encode(state, command)
