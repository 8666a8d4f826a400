/**
 * What is measured of a conversation, in seconds and tokens, with the boundaries that the conventions advise.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Usage } from "../../BidiEvent.ts"
import * as Names from "./names.ts"

const doubling = (start: number, count: number) => Array.from({ length: count }, (_, i) => start * 2 ** i)
const QUICK = doubling(0.01, 14) // 0.01 to 81.92
const SLOW = doubling(0.1, 13) // 0.1 to 409.6

const seconds = (name: string, description: string, boundaries: ReadonlyArray<number>) =>
  Metric.withAttributes(Metric.histogram(name, { description, boundaries }), { unit: "s" })

const tokens = (name: string, description: string) =>
  Metric.withAttributes(Metric.counter(name, { description, incremental: true }), { unit: "{token}" })

const operation = seconds("gen_ai.client.operation.duration", "How long the model took to generate a reply", QUICK)
const invocation = seconds("gen_ai.invoke_agent.duration", "How long a turn took", SLOW)
const tool = seconds("gen_ai.execute_tool.duration", "How long a tool took", QUICK)
const firstAudio = seconds("bidi.turn.time_to_first_audio", "From the end of the user's turn to the first sound", QUICK)
const silence = seconds("bidi.interruption.time_to_silence", "From the user's voice to the agent's silence", QUICK)
const input = tokens("gen_ai.client.inference.usage.input_tokens", "Tokens that the model read")
const output = tokens("gen_ai.client.inference.usage.output_tokens", "Tokens that the model wrote")
const cacheRead = tokens("gen_ai.client.inference.usage.cache_read.input_tokens", "Tokens read from the cache")
const cacheWrite = tokens("gen_ai.client.inference.usage.cache_write.input_tokens", "Tokens written to the cache")
const live = Metric.gauge("bidi.sessions.live", { description: "Conversations that are going on" })

let conversations = 0

export type Metrics = ReturnType<typeof make>

/** The metrics of one conversation. A label makes a new series for each value, so they are made once. */
export const make = (model: Readonly<Record<string, string>>, agent: string, context: Context.Context<never>) => {
  const ours = <Input, State>(metric: Metric.Metric<Input, State>, labels: Record<string, string> = {}) => {
    const labelled = Metric.withAttributes(metric, { ...model, ...labels })
    return (value: Input) => labelled.updateUnsafe(value, context)
  }
  const replied = ours(operation, { [Names.OPERATION]: "realtime_inference" })
  const turn = ours(invocation, { [Names.AGENT]: agent })
  const heard = ours(firstAudio)
  const silenced = ours(silence)
  const read = ours(cacheRead)
  const wrote = ours(cacheWrite)
  const byModality = new Map<string, readonly [(n: number) => void, (n: number) => void]>()
  const byTool = new Map<string, (value: number) => void>()

  const tokensOf = (modality: string) => {
    let both = byModality.get(modality)
    if (both === undefined) {
      const labels = { [Names.TOKEN_MODALITY]: modality }
      byModality.set(modality, (both = [ours(input, labels), ours(output, labels)]))
    }
    return both
  }

  return {
    replied: (millis: number) => replied(millis / 1000),
    turn: (millis: number) => turn(millis / 1000),
    heard: (millis: number) => heard(millis / 1000),
    silenced: (millis: number) => silenced(millis / 1000),
    tool: (name: string, millis: number, failed: boolean) => {
      const key = `${failed} ${name}`
      let update = byTool.get(key)
      if (update === undefined) {
        const labels = { [Names.TOOL]: name, [Names.AGENT]: agent, [Names.TOOL_TYPE]: "function" }
        byTool.set(key, (update = ours(tool, failed ? { ...labels, [Names.ERROR]: "tool_error" } : labels)))
      }
      update(millis / 1000)
    },
    used: (usage: Usage) => {
      let { inputTokens, outputTokens } = usage
      for (const part of usage.byModality) {
        const [input, output] = tokensOf(part.modality)
        input(part.inputTokens)
        output(part.outputTokens)
        inputTokens -= part.inputTokens
        outputTokens -= part.outputTokens
      }
      if (inputTokens > 0 || outputTokens > 0) {
        const [input, output] = tokensOf("unknown")
        input(Math.max(0, inputTokens))
        output(Math.max(0, outputTokens))
      }
      if (usage.cacheReadInputTokens !== undefined) read(usage.cacheReadInputTokens)
      if (usage.cacheWriteInputTokens !== undefined) wrote(usage.cacheWriteInputTokens)
    },
    live: (change: 1 | -1) => {
      conversations += change
      live.updateUnsafe(conversations, context)
    }
  }
}
