/**
 * Function calls of the model, and the results that the client sends.
 */
import type { Call as Wish } from "../../Prompt.ts"
import { ofText } from "../session/tokens.ts"
import type { FunctionResponse, ToolResponse } from "./protocol.ts"
import type { Call, Entry } from "./state.ts"
import type { Step } from "./step.ts"

/** Records the calls, each with an id of its own. */
export const makeCalls = (step: Step, wishes: ReadonlyArray<Wish>): ReadonlyArray<Call> => {
  const { family, functions } = step.settings
  const calls = wishes.map(({ name }): Call => ({
    id: `function-call-${step.id()}`,
    name,
    behavior: functions.find((one) => one.name === name)?.behavior ?? family.behaviors[0],
    status: "waiting"
  }))
  step.setConversation({ calls: [...step.state.conversation.calls, ...calls] })
  step.addToTurn(
    ...calls.map(({ id, name }, i): Entry => {
      const args = JSON.stringify(wishes[i]!.arguments)
      const turn = { role: "call", callId: id, name, arguments: args } as const
      return { key: id, turn, tokens: ofText(name + args), isPending: false }
    })
  )
  return calls
}

const isOpen = ({ status }: Call): boolean => status === "waiting"

/** Whether the result of any call is missing. */
export const isWaiting = (step: Step): boolean => step.state.conversation.calls.some(isOpen)

/** Whether the turn waits for a result. */
export const isBlocked = (step: Step): boolean =>
  step.state.conversation.calls.some((call) => isOpen(call) && call.behavior === "BLOCKING")

const change = (step: Step, ids: ReadonlyArray<string>, status: Call["status"]): void =>
  step.setConversation({
    calls: step.state.conversation.calls.map((call) => (ids.includes(call.id) ? { ...call, status } : call))
  })

/** Cancels open calls: those that the model waits for, or all of them. */
export const cancelCalls = (step: Step, which: "blocking" | "all"): void => {
  const ids = step.state.conversation.calls
    .filter((call) => isOpen(call) && (which === "all" || call.behavior === "BLOCKING"))
    .map(({ id }) => id)
  if (ids.length === 0) return
  change(step, ids, "cancelled")
  step.send({ toolCallCancellation: { ids } })
}

/** What the results of a client lead to. */
export type Consequence = "nothing" | "resume" | "reply" | "interrupt"

const consequenceOf = (call: Call, { scheduling, willContinue }: FunctionResponse): Consequence => {
  if (call.behavior === "BLOCKING") return "resume"
  if (willContinue === true || scheduling === "SILENT") return "nothing"
  return scheduling === "INTERRUPT" ? "interrupt" : "reply"
}

const strongest = (a: Consequence, b: Consequence): Consequence => {
  const order = ["nothing", "resume", "reply", "interrupt"] as const
  return order.indexOf(a) >= order.indexOf(b) ? a : b
}

/**
 * Records the results. Returns `undefined` when one of them is for a call that was never made, which ends the
 * connection. Results of calls that were cancelled, or have a result, are ignored.
 */
export const takeAnswers = (step: Step, { functionResponses }: ToolResponse): Consequence | undefined => {
  let consequence: Consequence = "nothing"
  for (const response of functionResponses) {
    const call = step.state.conversation.calls.find(({ id }) => id === response.id)
    if (call === undefined) {
      step.refuse(`Function response with an unknown id: ${response.id}`)
      return undefined
    }
    if (call.name !== response.name) {
      step.refuse(`Function response ${response.id} is for ${call.name}, not for ${response.name}`)
      return undefined
    }
    if (!isOpen(call)) continue
    const output = JSON.stringify(response.response)
    if (call.behavior === "BLOCKING" || response.willContinue !== true) change(step, [call.id], "answered")
    const turn = { role: "result", callId: call.id, output } as const
    step.add({ key: step.id(), turn, tokens: ofText(output), isPending: false })
    consequence = strongest(consequence, consequenceOf(call, response))
  }
  return consequence
}
