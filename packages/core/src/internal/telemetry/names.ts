/**
 * The names under which telemetry is told: those of OpenTelemetry's conventions for generative AI, all of which are still
 * in development, ours where there are none, and the other spellings that dashboards read.
 */
import type { Usage } from "../../BidiEvent.ts"

export const OPERATION = "gen_ai.operation.name"
export const PROVIDER = "gen_ai.provider.name"
export const MODEL = "gen_ai.request.model"
export const AGENT = "gen_ai.agent.name"
export const CONVERSATION = "gen_ai.conversation.id"
/** Langfuse groups by it. */
export const SESSION = "session.id"
export const CONNECTION = "gen_ai.realtime_session.id"
export const RESPONSE = "gen_ai.response.id"
export const FINISH_REASONS = "gen_ai.response.finish_reasons"
export const OUTPUT_TYPE = "gen_ai.output.type"
export const END_REASON = "gen_ai.agent.invocation.end_reason"
export const TOOL = "gen_ai.tool.name"
export const TOOL_CALL = "gen_ai.tool.call.id"
export const TOOL_TYPE = "gen_ai.tool.type"
export const ERROR = "error.type"
export const TOKEN_MODALITY = "gen_ai.token.modality"
export const TOKEN_TYPE = "gen_ai.token.type"

// content, which is told only if asked for
export const INPUT_MESSAGES = "gen_ai.input.messages"
export const OUTPUT_MESSAGES = "gen_ai.output.messages"
export const TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
export const TOOL_RESULT = "gen_ai.tool.call.result"

// ours
export const RESTART_REASON = "bidi.restart.reason"
export const RESTART_ATTEMPT = "bidi.restart.attempt"
export const RESTART_IN_TURN = "bidi.restart.turn_interrupted"
export const FIRST_AUDIO = "bidi.first_audio"
export const INTERRUPTION = "bidi.interruption"

const providers: Readonly<Record<string, string>> = {
  google: "gcp.gemini",
  bedrock: "aws.bedrock"
}

export const providerOf = (provider: string): string => providers[provider] ?? provider

/** The tokens of a reply, in both spellings. */
export const usage = (usage: Usage): Record<string, number> => {
  const all: Record<string, number> = {
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens
  }
  for (const { inputTokens, modality, outputTokens } of usage.byModality) {
    all[`gen_ai.usage.${modality}.input_tokens`] = inputTokens
    all[`gen_ai.usage.${modality}.output_tokens`] = outputTokens
    all[`gen_ai.usage.input_${modality}_tokens`] = inputTokens
    all[`gen_ai.usage.output_${modality}_tokens`] = outputTokens
  }
  if (usage.cacheReadInputTokens !== undefined) {
    all["gen_ai.usage.cache_read.input_tokens"] = usage.cacheReadInputTokens
  }
  if (usage.cacheWriteInputTokens !== undefined) {
    all["gen_ai.usage.cache_write.input_tokens"] = usage.cacheWriteInputTokens
  }
  return all
}
