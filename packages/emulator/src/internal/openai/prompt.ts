/**
 * The prompt of a response: the conversation, or the input that the client sent instead.
 */
import type { Prompt, Tool, ToolChoice } from "../../Prompt.ts"
import { Refused } from "./check.ts"
import { callsOf, makeItem } from "./items.ts"
import type { ResponseParams } from "./protocol.ts"
import type { ResponseSettings, Settings } from "./settings.ts"
import type { Active, Item } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"
import type { Tokens } from "./usage.ts"

const toolsOf = (tools: Settings["tools"]): ReadonlyArray<Tool> =>
  tools.map(({ description, name, parameters }) => ({
    name,
    description: description ?? "",
    parameters: parameters ?? {}
  }))

const choiceOf = (choice: ResponseSettings["toolChoice"]): ToolChoice =>
  typeof choice === "string" ? choice : { name: choice.name }

/** The input of a `response.create` with its references resolved; `undefined` when it has none. */
export const inputOf = (step: Step, params: ResponseParams): ReadonlyArray<Item> | Refused | undefined => {
  if (params.input === undefined) return undefined
  const items: Array<Item> = []
  for (const [index, entry] of params.input.entries()) {
    if (entry.type === "item_reference") {
      const item = step.item(entry.id)
      if (item === undefined) {
        return new Refused("item_not_found", `Item with id '${entry.id}' not found.`, `response.input[${index}].id`)
      }
      items.push(item)
      continue
    }
    const made = makeItem(step, entry, callsOf(items))
    if (made instanceof Refused) return made
    // audio outside the conversation is not transcribed
    items.push({ ...made.item, isPending: false })
  }
  return items
}

const itemsOf = (step: Step, active: Active): ReadonlyArray<Item> => active.input ?? step.state.items

/** The prompt of a response; `undefined` while some speech in it is being transcribed. */
export const promptOf = (step: Step, active: Active): Prompt | undefined => {
  const items = itemsOf(step, active)
  if (items.some(({ isPending }) => isPending)) return undefined
  return {
    history: items.map(({ turn }) => turn),
    tools: toolsOf(active.settings.tools),
    toolChoice: choiceOf(active.settings.toolChoice),
    parallelCalls: active.settings.parallelCalls,
    instructions: active.params.instructions
  }
}

/** The input tokens of the response. */
export const tokensRead = (step: Step, active: Active): Tokens => {
  const instructions = active.params.instructions ?? step.state.settings.instructions
  const { tools } = active.settings
  const head = Usage.ofText(instructions + (tools.length === 0 ? "" : JSON.stringify(tools)))
  return itemsOf(step, active).reduce((tokens, item) => Usage.plus(tokens, item.tokens), head)
}
