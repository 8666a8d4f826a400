/**
 * The reply of the assistant, with the faults that change what it calls.
 */
import type { Assistant } from "../../Assistant.ts"
import type { Prompt, Reply, Tool, Turn } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import { argumentsFor } from "../assistant/arguments.ts"

/** The assistant threw this error. */
export class AssistantFailed {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

const stormOf = (tools: ReadonlyArray<Tool>, history: ReadonlyArray<Turn>, calls: number): Reply | undefined => {
  if (tools.length === 0) return undefined
  const said = history.findLast((turn) => turn.role === "user")
  const text = said?.role === "user" ? said.text : ""
  return {
    text: undefined,
    calls: Array.from({ length: calls }, (_, i) => {
      const tool = tools[i % tools.length]!
      return { name: tool.name, arguments: argumentsFor(tool, text) }
    })
  }
}

/** The reply to the prompt. */
export const decide = (
  assistant: Assistant,
  prompt: Prompt,
  faults: ReadonlyArray<ResponseFault>
): Reply | AssistantFailed => {
  const storm = faults.find((fault) => fault._tag === "ToolStorm")
  const forced = storm === undefined ? undefined : stormOf(prompt.tools, prompt.history, storm.calls)
  if (forced !== undefined) return forced
  try {
    const reply = assistant(prompt)
    const needsCall = reply.calls.length === 0 && faults.some((fault) => fault._tag === "CancelCalls")
    return needsCall ? (stormOf(prompt.tools, prompt.history, 1) ?? reply) : reply
  } catch (error) {
    return new AssistantFailed(String(error))
  }
}
