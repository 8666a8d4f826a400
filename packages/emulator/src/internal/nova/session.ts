/**
 * The provider's side of one Nova Sonic stream, as a pure state machine.
 *
 * @example
 * const machine = Session.make({ seed: 1, speed: Infinity, ... })
 * const [waiting] = machine.start(0)
 * const [next, commands] = machine.step(waiting, { _tag: "Text", text: '{"event":{"sessionStart":{}}}' }, 0)
 */
import { isResponseFault } from "../../Fault.ts"
import type { Input, Machine } from "../emulator/machine.ts"
import { Refused, unparsable } from "./check.ts"
import { findBlock, onContentEnd, onContentStart, onTextInput, onToolResult } from "./contents.ts"
import { onAudioInput, onHeard } from "./hearing.ts"
import { onWoken, startLimits, timeOut } from "./limits.ts"
import { onPromptStart, onSessionStart } from "./prompt.ts"
import { clientEvent } from "./protocol.ts"
import type { ClientEvent } from "./protocol.ts"
import { initial } from "./state.ts"
import type { Session } from "./state.ts"
import { Step } from "./step.ts"
import type { Setup } from "./step.ts"
import { advance, onSpoken, release, settle } from "./turn.ts"

/** What the event is about, when it is about the prompt that is open. */
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
  // what is still being said nobody wants to hear
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

const onText = (step: Step, text: string): void => {
  step.set({ inputAt: step.now })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return step.refuse(unparsable("the chunk is no JSON"))
  }
  const event = clientEvent(json)
  if (event instanceof Refused) return step.refuse(event)
  onClientEvent(step, event)
}

const onInput = (step: Step, input: Input): void => {
  switch (input._tag) {
    case "Text":
      return onText(step, input.text)
    case "Unreadable":
      return step.refuse(unparsable(input.reason))
    // the client listens on; without a word from it the stream times out
    case "Ended":
      return
    case "Woken":
      return onWoken(step, input.key) ? undefined : advance(step, input.key)
    case "Spoken":
      return onSpoken(step, input)
    case "Heard":
      return onHeard(step, input.key, input.text)
    case "NotHeard":
      return onHeard(step, input.key, undefined)
    case "Arm":
      return isResponseFault(input.fault) ? step.set({ armed: [...step.state.armed, input.fault] }) : undefined
    case "Hold":
      return step.set({ isHeld: true })
    case "Release":
      return release(step)
    case "Expire":
      return timeOut(step)
  }
}

/** The machine of one stream. */
export const make = (setup: Setup): Machine<Session> => ({
  start: (now) => {
    const step = new Step(setup, initial(setup.seed, now), now)
    const id = step.id()
    step.set({ id, completionId: step.id() })
    startLimits(step)
    return [step.state, step.commands]
  },
  step: (state, input, now) => {
    if (state.ended) return [state, []]
    const step = new Step(setup, state, now)
    onInput(step, input)
    return [step.state, step.commands]
  }
})
