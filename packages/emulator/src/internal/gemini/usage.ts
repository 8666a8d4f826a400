/**
 * Token counts, by modality, after the provider's published rules of thumb.
 */
import { none, ofText, plus, sum } from "../session/tokens.ts"
import type { Tokens } from "../session/tokens.ts"
import type { WireEvent } from "../session/machine.ts"
import type { Entry, ModelTurn } from "./state.ts"
import type { Settings } from "./settings.ts"

/** 25 tokens for each second of audio, rounded only when they are reported. */
export const ofSound = (ms: number): Tokens => ({ ...none, audio: ms / 40 })

export const ofImages = (count: number): Tokens => ({ ...none, image: 258 * count })

/** The input of a generation. Results of functions are counted separately. */
export const readOf = (settings: Settings, entries: ReadonlyArray<Entry>): ModelTurn["read"] => {
  const { functions, system } = settings
  const head = ofText(system + (functions.length === 0 ? "" : JSON.stringify(functions)))
  const isResult = ({ turn }: Entry): boolean => turn.role === "result"
  return {
    prompt: entries.filter((entry) => !isResult(entry)).reduce((all, { tokens }) => plus(all, tokens), head),
    tools: entries.filter(isResult).reduce((all, { tokens }) => plus(all, tokens), none)
  }
}

const detailsOf = ({ audio, image, text }: Tokens): ReadonlyArray<WireEvent> =>
  (
    [
      ["TEXT", text],
      ["AUDIO", audio],
      ["IMAGE", image]
    ] as const
  ).flatMap(([modality, tokenCount]) => (tokenCount === 0 ? [] : [{ modality, tokenCount }]))

const whole = (tokens: Tokens): Tokens => ({ ...tokens, audio: Math.ceil(tokens.audio) })

/** The `usageMetadata` of one generation. The details of every count add up to it. */
export const usageOf = ({ read, thoughts, used }: Pick<ModelTurn, "read" | "thoughts" | "used">): WireEvent => {
  const [prompt, tools, response] = [whole(read.prompt), whole(read.tools), whole(used)]
  return {
    promptTokenCount: sum(prompt),
    promptTokensDetails: detailsOf(prompt),
    ...(sum(tools) === 0 ? {} : { toolUsePromptTokenCount: sum(tools), toolUsePromptTokensDetails: detailsOf(tools) }),
    responseTokenCount: sum(response),
    responseTokensDetails: detailsOf(response),
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    totalTokenCount: sum(prompt) + sum(tools) + sum(response) + thoughts
  }
}
