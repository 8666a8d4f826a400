/**
 * The provider's side of one Gemini Live connection, as a pure state machine.
 *
 * @example
 * const machine = Session.make({ seed: 1, speed: Infinity, ... })
 * const [waiting] = machine.start(0)
 * const [next, commands] = machine.step(waiting, { _tag: "Text", text: '{"setup":{"model":"models/gemini-3.8-live"}}' }, 0)
 */
import type { ConnectionFault } from "../../Fault.ts"
import type { Machine } from "../session/machine.ts"
import { makeMachine } from "../session/session.ts"
import { isBlocked, takeAnswers } from "./calls.ts"
import { Refused } from "./check.ts"
import { onClientContent, onContextUpdate } from "./content.ts"
import { onHeard, onRealtimeInput } from "./input.ts"
import { clientMessage } from "./protocol.ts"
import type { ClientMessage, Setup as SetupMessage, ToolResponse } from "./protocol.ts"
import { restore, updateResumption } from "./resumption.ts"
import { secondsOf } from "./messages.ts"
import { modelOf, settingsOf } from "./settings.ts"
import { initial } from "./state.ts"
import type { Session } from "./state.ts"
import { Step } from "./step.ts"
import type { Setup } from "./step.ts"
import { advance, interrupt, onSpoken, release, request, resume } from "./turn.ts"

const onSetup = (step: Step, setup: SetupMessage): void => {
  const { hasModel, isKeyGood, uncompressedMs } = step.setup
  if (!isKeyGood) return step.close(1008, "API key not valid. Please pass a valid API key.")
  const model = modelOf(setup.model)
  if (!hasModel(model)) {
    return step.close(
      1008,
      `models/${model} is not found for API version v1beta, or is not supported for bidiGenerateContent.`
    )
  }
  const settings = settingsOf(setup)
  if (settings instanceof Refused) return step.refuse(settings)
  const restored = settings.handle === undefined ? undefined : restore(step, settings.handle, model)
  if (restored !== undefined && "code" in restored) return step.close(restored.code, restored.reason)
  const conversation = restored ?? { ...step.state.conversation, id: step.id(), model }
  step.set({ settings, conversation, isSeeding: settings.expectsHistory, kept: undefined })
  const lastsUntil = conversation.bornAt + uncompressedMs
  if (!settings.compresses && lastsUntil < step.state.endsAt) setEnd(step, lastsUntil)
  step.send({ setupComplete: { sessionId: conversation.id } })
}

/** Schedules the end of the connection, and `goAway` before it. */
const setEnd = (step: Step, endsAt: number, leftMs = step.setup.goAwayMs): void => {
  step.set({ endsAt })
  step.wake("end", endsAt)
  step.wake("goAway", endsAt - leftMs)
}

const goAway = (step: Step): void => step.send({ goAway: { timeLeft: secondsOf(step.state.endsAt - step.now) } })

const onEnd = (step: Step): void => step.close(step.setup.endCode, "Deadline expired before operation could complete.")

const onToolResponse = (step: Step, message: ToolResponse): void => {
  const consequence = takeAnswers(step, message)
  if (consequence === undefined || consequence === "nothing") return
  const isWaiting = step.state.turn?.stage === "blocked"
  if (isWaiting && !isBlocked(step)) return resume(step)
  if (consequence === "interrupt") interrupt(step)
  // a turn that still waits uses this result together with the missing ones
  if (consequence === "interrupt" || (consequence === "reply" && !isWaiting)) request(step)
}

const onMessage = (step: Step, message: ClientMessage): void => {
  const { clientContent, contextUpdate, realtimeInput, setup, toolResponse } = message
  const isFirst = step.state.settings === undefined
  if ((setup !== undefined) !== isFirst) return step.refuse("setup must be the first message and only the first")
  if (setup !== undefined) return onSetup(step, setup)
  if (clientContent !== undefined) return onClientContent(step, clientContent)
  if (realtimeInput !== undefined) return onRealtimeInput(step, realtimeInput)
  if (toolResponse !== undefined) return onToolResponse(step, toolResponse)
  if (contextUpdate !== undefined) return onContextUpdate(step, contextUpdate)
}

const onJson = (step: Step, json: unknown): void => {
  const message = clientMessage(json)
  if (message instanceof Refused) return step.refuse(message)
  onMessage(step, message)
}

const onFault = (step: Step, fault: ConnectionFault): void => {
  if (fault._tag === "RejectResumption") {
    return step.set({ rejects: fault.reason ?? "BidiGenerateContent session not found" })
  }
  if (fault._tag !== "GoAway") return
  const leftMs = fault.leftMillis ?? step.setup.goAwayMs
  setEnd(step, step.now + leftMs, leftMs)
}

/** The machine of one connection. */
export const make = (setup: Setup): Machine<Session> =>
  makeMachine({
    initial: (now) => initial(now, setup.sessionMs),
    step: (state, now) => new Step(setup, state, now),
    handlers: {
      onStart: (step) => setEnd(step, step.state.endsAt),
      onJson,
      onUnreadable: (step, reason) =>
        step.refuse("json" in reason ? "Invalid JSON payload received. Unexpected token." : reason.frame),
      onWoken: (step, key) => {
        if (key === "end") return onEnd(step)
        return key === "goAway" ? goAway(step) : advance(step, key)
      },
      onSpoken,
      onTranscript: (step, key, transcript) =>
        onHeard(step, key, typeof transcript === "string" ? transcript : undefined),
      onFault,
      onRelease: release,
      onExpiry: onEnd,
      afterInput: updateResumption
    }
  })
