/**
 * The provider's side of one OpenAI Realtime session, as a pure state machine.
 *
 * @example
 * const machine = Session.make({ model: "gpt-realtime-2.1", seed: 1, speed: Infinity, ... })
 * const [ready, greeting] = machine.start(0)
 * const [next, commands] = machine.step(ready, { _tag: "Text", text: '{"type":"response.create"}' }, 0)
 */
import { isQuirk } from "../../Fault.ts"
import type { Machine } from "../session/machine.ts"
import { makeMachine } from "../session/session.ts"
import { isRecord, Refused } from "./check.ts"
import * as Audio from "./input.ts"
import * as Items from "./items.ts"
import { failsToHear, isLost } from "./quirks.ts"
import { clientEvent } from "./protocol.ts"
import type { ClientEvent } from "./protocol.ts"
import * as Responses from "./responses.ts"
import { update } from "./settings.ts"
import { initial, sessionEvent } from "./state.ts"
import type { Session } from "./state.ts"
import { Step } from "./step.ts"
import type { Setup } from "./step.ts"
import * as Transcription from "./transcription.ts"

const onUpdate = (step: Step, { session }: Extract<ClientEvent, { type: "session.update" }>): void => {
  const before = step.state.settings
  const settings = update(before, session, {
    hasSpoken: step.state.hasSpoken,
    isResponding: step.speaking !== undefined
  })
  if (settings instanceof Refused) return step.refuseFor(settings.problem)
  step.set({ settings })
  Audio.onSettings(step, before)
  step.send(sessionEvent("session.updated", step.state))
}

const onClientEvent = (step: Step, event: ClientEvent): void => {
  switch (event.type) {
    case "session.update":
      return onUpdate(step, event)
    case "input_audio_buffer.append":
      return Audio.append(step, event)
    case "input_audio_buffer.commit":
      return Audio.commit(step)
    case "input_audio_buffer.clear":
      return Audio.clear(step)
    case "conversation.item.create":
      return Items.create(step, event)
    case "conversation.item.truncate":
      return Items.truncate(step, event)
    case "conversation.item.delete":
      return Items.remove(step, event)
    case "conversation.item.retrieve":
      return Items.retrieve(step, event)
    case "response.create":
      return Responses.createResponse(step, event.response ?? {})
    case "response.cancel":
      return Responses.onCancel(step, event)
  }
}

const onJson = (step: Step, json: unknown): void => {
  // an error names the client's event even when the rest of it is wrong
  const given = isRecord(json) ? json : {}
  step.eventId = typeof given.event_id === "string" ? given.event_id : null
  if (isLost(step, given.type)) return
  const event = clientEvent(json, "")
  if (event instanceof Refused) return step.refuseFor(event.problem)
  onClientEvent(step, event)
}

const lengthOf = (ms: number): string =>
  ms >= 60_000 && ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${ms / 1000} seconds`

/** The session has reached its time limit. */
const onExpiry = (step: Step): void => {
  const lasted = lengthOf(step.setup.sessionMs)
  step.refuse("session_expired", `Your session hit the maximum duration of ${lasted}.`)
  step.set({ ended: true })
  step.do({ _tag: "Close", code: 1001, reason: `Your session hit the maximum duration of ${lasted}.` })
}

/** The machine of one connection. */
export const make = (setup: Setup): Machine<Session> =>
  makeMachine({
    initial: (now) => initial({ model: setup.model, now, sessionMs: setup.sessionMs }),
    step: (state, now) => new Step(setup, state, now),
    handlers: {
      onStart: (step) => {
        const id = step.id("sess")
        step.set({ id, conversationId: step.id("conv") })
        step.wake("expiry", step.now + setup.sessionMs)
        step.send(sessionEvent("session.created", step.state))
      },
      onJson,
      onUnreadable: (step, reason) =>
        "json" in reason
          ? step.refuse("invalid_json", `Invalid event: failed to parse JSON value. ${reason.json}`)
          : step.refuse("invalid_event", reason.frame),
      onWoken: (step, key) => {
        if (key === "expiry") return onExpiry(step)
        return key === "idle" ? Audio.onIdle(step) : Responses.advance(step, key)
      },
      onSpoken: Responses.onSpoken,
      onTranscript: (step, itemId, transcript) => {
        if (typeof transcript === "string") Transcription.onHeard(step, itemId, transcript, failsToHear(step))
        else Transcription.onNotHeard(step, itemId, transcript.failure)
        Responses.onTranscribed(step)
      },
      onFault: (step, fault) => (isQuirk(fault) ? step.set({ quirks: [...step.state.quirks, fault] }) : undefined),
      onRelease: Responses.release,
      onExpiry
    }
  })
