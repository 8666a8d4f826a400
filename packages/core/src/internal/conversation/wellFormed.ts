/**
 * Makes text well-formed where it enters a conversation: a lone surrogate becomes U+FFFD. Providers reject text with lone
 * surrogates or change it, and the history would keep it for ever. Well-formed values are returned as they are.
 */
import type * as Schema from "effect/Schema"
import type { Command, Profile, UserPart } from "../../BidiModel.ts"
import type { Entry } from "../../Transcript.ts"

export const text = (value: string): string => (value.isWellFormed() ? value : value.toWellFormed())

export const json = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return text(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return same(value, (value as ReadonlyArray<Schema.Json>).map(json))
  const entries = Object.entries(value)
  const fixed = entries.map(([key, item]) => [text(key), json(item)] as const)
  const changed = fixed.some(([key, item], i) => key !== entries[i]![0] || item !== entries[i]![1])
  return changed ? Object.fromEntries(fixed) : value
}

const same = <A>(before: ReadonlyArray<A>, after: ReadonlyArray<A>): ReadonlyArray<A> =>
  after.every((item, i) => item === before[i]) ? before : after

const parts = (all: ReadonlyArray<UserPart>): ReadonlyArray<UserPart> =>
  same(
    all,
    all.map((part) => (typeof part === "string" ? text(part) : part))
  )

export const entry = (value: Entry): Entry => {
  switch (value._tag) {
    case "User":
      return changed(value, { parts: parts(value.parts) })
    case "Assistant":
      return changed(value, { text: text(value.text), ...(value.full === undefined ? {} : { full: text(value.full) }) })
    case "Note":
      return changed(value, { text: text(value.text) })
    case "ToolCall": {
      const { input, output } = value
      const result = output === undefined ? undefined : json(output.result)
      return changed(value, {
        input: json(input),
        ...(output === undefined || result === output.result ? {} : { output: { ...output, result: result! } })
      })
    }
  }
}

export const configuration = ({ instructions, tools }: Profile): Profile => ({
  instructions: instructions === undefined ? undefined : text(instructions),
  tools: tools.map((tool) => ({
    ...tool,
    description: tool.description === undefined ? undefined : text(tool.description)
  }))
})

export const command = (value: Command): Command => {
  switch (value._tag) {
    case "UserMessage":
      return changed(value, { parts: parts(value.parts) })
    case "ToolOutputs":
      return changed(value, {
        outputs: same(
          value.outputs,
          value.outputs.map((output) => changed(output, { result: json(output.result) }))
        )
      })
    case "Note":
      return changed(value, { text: text(value.text) })
    case "Respond":
      return value.instructions === undefined ? value : changed(value, { instructions: text(value.instructions) })
    default:
      return value
  }
}

const changed = <A extends object>(value: A, fields: Partial<A>): A =>
  (Object.keys(fields) as Array<keyof A>).some((key) => fields[key] !== value[key]) ? { ...value, ...fields } : value
