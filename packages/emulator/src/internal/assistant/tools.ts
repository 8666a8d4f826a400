/**
 * Which of the offered tools a sentence asks for.
 */
import type { Tool } from "../../Prompt.ts"
import { contentOf, tokens, toolContentOf } from "./language.ts"
import { fieldsOf } from "./schema.ts"

/** A kind of tool that people ask for without naming it. */
export interface Kind {
  readonly name: "clock" | "calculator" | "weather service" | "way to hang up"
  /** Words in the names of such tools. */
  readonly toolName: RegExp
  readonly toolDescription: RegExp
  /** Parameters that such tools have. */
  readonly parameter: RegExp
}

export const kinds = {
  time: {
    name: "clock",
    toolName: /^(?:time|clock|date|datetime|now|today)$/,
    toolDescription: /\b(?:current time|the time|clock|date)\b/i,
    parameter: /zone|tz/i
  },
  sum: {
    name: "calculator",
    toolName: /^(?:calc|calculator|calculate|compute|computer|math|maths|arithmetic|eval|evaluate|sum)$/,
    toolDescription: /\b(?:calculat|arithmetic|mathematical|comput\w* (?:an? )?(?:expression|sum))/i,
    parameter: /expression|formula|equation/i
  },
  weather: {
    name: "weather service",
    toolName: /^(?:weather|forecast|temperature|meteo)$/,
    toolDescription: /\b(?:weather|forecast)\b/i,
    parameter: /city|location|place/i
  },
  stop: {
    name: "way to hang up",
    toolName: /^(?:stop|end|hang|hangup|goodbye|bye|quit|exit|finish|close|terminate)$/,
    toolDescription: /\b(?:(?:stop|end|close|finish)s? (?:the |this )?(?:conversation|call|session|chat)|hangs? up)\b/i,
    parameter: /reason/i
  }
} as const satisfies { readonly [key: string]: Kind }

/** The offered tool that fits the kind best. */
export const toolOfKind = (tools: ReadonlyArray<Tool>, kind: Kind): Tool | undefined => {
  const score = (tool: Tool): number => {
    const named = tokens(tool.name).some((word) => kind.toolName.test(word)) ? 4 : 0
    const described = kind.toolDescription.test(tool.description) ? 2 : 0
    const shaped = fieldsOf(tool.parameters).properties.some(({ name }) => kind.parameter.test(name)) ? 1 : 0
    return named + described === 0 ? 0 : named + described + shaped
  }
  return best(tools, score, 1)
}

/**
 * The offered tool whose name or description shares words with the sentence. `certain` requires all words of
 * the name.
 */
export const toolNamedIn = (tools: ReadonlyArray<Tool>, text: string, certain: boolean): Tool | undefined => {
  const said = new Set(contentOf(text))
  const score = (tool: Tool): number => {
    const named = toolContentOf(tool.name)
    const hits = named.filter((word) => said.has(word)).length / named.length
    const described = contentOf(tool.description).filter((word) => said.has(word)).length
    if (certain) return hits === 1 ? 2 : 0
    return hits >= 0.5 || described >= 2 ? hits * 2 + Math.min(described, 3) * 0.5 : 0
  }
  return best(tools, score, 0.1)
}

const best = (tools: ReadonlyArray<Tool>, score: (tool: Tool) => number, least: number): Tool | undefined => {
  let found: { readonly tool: Tool; readonly score: number } | undefined
  for (const tool of tools) {
    const points = score(tool)
    if (points >= least && points > (found?.score ?? 0)) found = { tool, score: points }
  }
  return found?.tool
}
