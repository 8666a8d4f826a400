/**
 * The provider's side of one OpenAI Realtime session, as a pure state machine.
 *
 * @example
 * const machine = Session.make({ model: "gpt-realtime-2.1", seed: 1, speed: Infinity, ... })
 * const [ready, greeting] = machine.start(0)
 * const [next, commands] = machine.step(ready, { _tag: "Text", text: '{"type":"response.create"}' }, 0)
 */
import { isQuirk, isResponseFault } from "../../Fault.ts"
import type { Input, Machine } from "../emulator/machine.ts"
import { Refused } from "./check.ts"
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

const onText = (step: Step, text: string): void => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return step.refuse("invalid_json", `Invalid event: failed to parse JSON value. ${String(error)}`)
  }
  // an error names the client's event even when all the rest of it is wrong
  const given = typeof json === "object" && json !== null && "event_id" in json ? json.event_id : undefined
  step.eventId = typeof given === "string" ? given : null
  if (isLost(step, (json as { readonly type?: unknown } | null)?.type)) return
  const event = clientEvent(json, "")
  if (event instanceof Refused) return step.refuseFor(event.problem)
  onClientEvent(step, event)
}

const lengthOf = (ms: number): string =>
  ms >= 60_000 && ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${ms / 1000} seconds`

/** The session has lasted as long as it may. */
const onExpiry = (step: Step): void => {
  const lasted = lengthOf(step.setup.sessionMs)
  step.refuse("session_expired", `Your session hit the maximum duration of ${lasted}.`)
  step.set({ ended: true })
  step.do({ _tag: "Close", code: 1001, reason: `Your session hit the maximum duration of ${lasted}.` })
}

const onInput = (step: Step, input: Input): void => {
  switch (input._tag) {
    case "Text":
      return onText(step, input.text)
    case "Unreadable":
      return step.refuse("invalid_event", input.reason)
    // a WebSocket ends as a whole
    case "Ended":
      return
    case "Woken": {
      if (input.key === "expiry") return onExpiry(step)
      if (input.key === "idle") return Audio.onIdle(step)
      const id = Responses.responseOf(input.key)
      return id === undefined ? undefined : Responses.advance(step, id)
    }
    case "Spoken":
      return Responses.onSpoken(step, input)
    case "Heard":
      Transcription.onHeard(step, input.key, input.text, failsToHear(step))
      return Responses.thinkAgain(step)
    case "NotHeard":
      Transcription.onNotHeard(step, input.key, input.message)
      return Responses.thinkAgain(step)
    case "Arm":
      if (isResponseFault(input.fault)) return step.set({ armed: [...step.state.armed, input.fault] })
      return isQuirk(input.fault) ? step.set({ quirks: [...step.state.quirks, input.fault] }) : undefined
    case "Hold":
      return step.set({ isHeld: true })
    case "Release":
      return Responses.release(step)
    case "Expire":
      return onExpiry(step)
  }
}

/** The machine of one connection. */
export const make = (setup: Setup): Machine<Session> => ({
  start: (now) => {
    const state = initial({ seed: setup.seed, model: setup.model, now, sessionMs: setup.sessionMs })
    const step = new Step(setup, state, now)
    const id = step.id("sess")
    step.set({ id, conversationId: step.id("conv") })
    step.do({ _tag: "Wake", key: "expiry", afterMs: setup.sessionMs })
    step.send(sessionEvent("session.created", step.state))
    return [step.state, step.commands]
  },
  step: (state, input, now) => {
    if (state.ended) return [state, []]
    const step = new Step(setup, state, now)
    onInput(step, input)
    return [step.state, step.commands]
  }
})
