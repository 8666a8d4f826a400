/**
 * The provider's side of one Nova Sonic stream, as a pure state machine.
 *
 * @example
 * const machine = Session.make({ seed: 1, speed: Infinity, ... })
 * const [waiting] = machine.start(0)
 * const [next, commands] = machine.step(waiting, { _tag: "Text", text: '{"event":{"sessionStart":{}}}' }, 0)
 */
import type { Machine } from "../session/machine.ts"
import { makeMachine } from "../session/session.ts"
import { Refused, unparsable } from "./check.ts"
import { findBlock, onContentEnd, onContentStart, onTextInput, onToolResult } from "./contents.ts"
import { onAudioInput, onHeard } from "./input.ts"
import { onWoken, startLimits, timeOut } from "./limits.ts"
import { onPromptStart, onSessionStart } from "./prompt.ts"
import { clientEvent } from "./protocol.ts"
import type { ClientEvent } from "./protocol.ts"
import { initial } from "./state.ts"
import type { Session } from "./state.ts"
import { Step } from "./step.ts"
import type { Setup } from "./step.ts"
import { advance, onSpoken, release, settle } from "./turn.ts"

/** Whether the event belongs to the open prompt. */
const isPlaced = (step: Step, promptName: string): boolean => {
  const { prompt, stage } = step.state
  if (stage === "prompt" && prompt?.name === promptName) return true
  step.refuse(`No open prompt found for prompt name: ${promptName}`)
  return false
}

const onPromptEnd = (step: Step): void => {
  const [left] = step.state.open
  if (left !== undefined) return step.refuse(`Content is still open: ${left.name}`)
  step.set({ stage: "promptEnded" })
  settle(step)
}

const onSessionEnd = (step: Step): void => {
  if (step.state.stage === "prompt") return step.refuse(`Prompt is still open: ${step.state.prompt!.name}`)
  // nobody wants to hear the rest
  step.set({ turn: undefined, isWanted: false })
  settle(step)
  step.set({ ended: true })
  step.do({ _tag: "Close", code: 0, reason: "sessionEnd" })
}

const onClientEvent = (step: Step, event: ClientEvent): void => {
  const { audioInput, contentEnd, contentStart, promptEnd, promptStart, sessionEnd, sessionStart, textInput } = event
  const { toolResult } = event
  if (sessionStart !== undefined) return onSessionStart(step, sessionStart)
  if (step.state.stage === "new") return step.refuse("Session has not been started: sessionStart must come first")
  if (sessionEnd !== undefined) return onSessionEnd(step)
  if (promptStart !== undefined) return onPromptStart(step, promptStart)
  const placed = contentStart ?? textInput ?? audioInput ?? toolResult ?? contentEnd ?? promptEnd
  if (placed === undefined || !isPlaced(step, placed.promptName)) return
  if (contentStart !== undefined) return onContentStart(step, contentStart)
  if (textInput !== undefined) return onTextInput(step, textInput)
  if (toolResult !== undefined) return onToolResult(step, toolResult)
  if (contentEnd !== undefined) return onContentEnd(step, contentEnd.contentName)
  if (promptEnd !== undefined) return onPromptEnd(step)
  if (audioInput === undefined) return
  const block = findBlock(step, audioInput.contentName, "AUDIO")
  if (block !== undefined) onAudioInput(step, block, audioInput.content)
}

const onJson = (step: Step, json: unknown): void => {
  step.set({ inputAt: step.now })
  const event = clientEvent(json)
  if (event instanceof Refused) return step.refuse(event)
  onClientEvent(step, event)
}

/** The machine of one stream. */
export const make = (setup: Setup): Machine<Session> =>
  makeMachine({
    initial,
    step: (state, now) => new Step(setup, state, now),
    handlers: {
      onStart: (step) => {
        const id = step.id()
        step.set({ id, completionId: step.id() })
        startLimits(step)
      },
      onJson,
      onUnreadable: (step, reason) => step.refuse(unparsable("json" in reason ? "the chunk is no JSON" : reason.frame)),
      onWoken: (step, key) => (onWoken(step, key) ? undefined : advance(step, key)),
      onSpoken,
      onTranscript: (step, key, transcript) =>
        onHeard(step, key, typeof transcript === "string" ? transcript : undefined),
      onFault: () => {},
      onRelease: release,
      onExpiry: timeOut
    }
  })
