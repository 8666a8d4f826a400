/**
 * The loop that all sessions share: it hands each input to the handler of the provider.
 */
import { isResponseFault } from "../../Fault.ts"
import type { ConnectionFault } from "../../Fault.ts"
import type { Speech } from "../../Speech.ts"
import type { Input, Machine } from "./machine.ts"
import type { Setup, State, Step } from "./step.ts"

export interface Handlers<S> {
  readonly onStart: (step: S) => void
  readonly onJson: (step: S, json: unknown) => void
  /** A message that is not JSON, or not a message at all. */
  readonly onUnreadable: (step: S, reason: { readonly json: string } | { readonly frame: string }) => void
  readonly onWoken: (step: S, key: string) => void
  readonly onSpoken: (step: S, id: string, speech: Speech) => void
  /** The transcript of a spoken turn, or why there is none. */
  readonly onTranscript: (step: S, key: string, transcript: string | { readonly failure: string }) => void
  readonly onFault: (step: S, fault: ConnectionFault) => void
  readonly onRelease: (step: S) => void
  readonly onExpiry: (step: S) => void
  /** After every input. */
  readonly afterInput?: (step: S) => void
}

const handle = <S extends Step<Setup, State>>(step: S, input: Input, handlers: Handlers<S>): void => {
  switch (input._tag) {
    case "Text": {
      let json: unknown
      try {
        json = JSON.parse(input.text)
      } catch (error) {
        return handlers.onUnreadable(step, { json: String(error) })
      }
      return handlers.onJson(step, json)
    }
    case "Unreadable":
      return handlers.onUnreadable(step, { frame: input.reason })
    // a WebSocket ends as a whole; a client of HTTP/2 still listens, and times out without further messages
    case "Ended":
      return
    case "Woken":
      return handlers.onWoken(step, input.key)
    case "Synthesized":
      return handlers.onSpoken(step, input.key, input.speech)
    case "Transcribed":
      return handlers.onTranscript(step, input.key, input.text)
    case "NotTranscribed":
      return handlers.onTranscript(step, input.key, { failure: input.message })
    case "Arm":
      if (!isResponseFault(input.fault)) return handlers.onFault(step, input.fault)
      return step.set({ armed: [...step.state.armed, input.fault] })
    case "Hold":
      return step.set({ isHeld: true })
    case "Release":
      step.set({ isHeld: false })
      return handlers.onRelease(step)
    case "Expire":
      return handlers.onExpiry(step)
  }
}

/** The machine of one connection. */
export const makeMachine = <Memory extends State, S extends Step<Setup, Memory>>(options: {
  readonly initial: (now: number) => Memory
  readonly step: (state: Memory, now: number) => S
  readonly handlers: Handlers<S>
}): Machine<Memory> => ({
  start: (now) => {
    const step = options.step(options.initial(now), now)
    options.handlers.onStart(step)
    return [step.state, step.commands]
  },
  step: (state, input, now) => {
    if (state.ended) return [state, []]
    const step = options.step(state, now)
    handle(step, input, options.handlers)
    options.handlers.afterInput?.(step)
    return [step.state, step.commands]
  }
})
