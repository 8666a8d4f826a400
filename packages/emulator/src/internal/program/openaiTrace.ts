/**
 * How OpenAI events are shown.
 */
import type { Message } from "../../Emulator.ts"
import { isRecord } from "../session/check.ts"
import { get, textOf } from "./trace.ts"
import type { TraceFormat } from "./trace.ts"

const labels: Readonly<Record<string, string>> = {
  "input_audio_buffer.append": "input_audio_buffer.append",
  "response.output_audio.delta": "speaks",
  "response.output_audio_transcript.delta": "speaks",
  "response.output_text.delta": "writes",
  "response.function_call_arguments.delta": "arguments",
  "conversation.item.input_audio_transcription.delta": "heard"
}

/** Fields that are not shown. */
const HIDDEN_FIELDS = new Set([
  "type",
  "event_id",
  "response_id",
  "item_id",
  "output_index",
  "content_index",
  "part",
  "rate_limits"
])

const itemLine = (item: unknown): string => {
  if (get(item, "type") === "function_call") return `${textOf(get(item, "name"))}(${textOf(get(item, "arguments"))})`
  if (get(item, "type") === "function_call_output")
    return `${textOf(get(item, "call_id"))} = ${textOf(get(item, "output"))}`
  const content = get(item, "content")
  const parts = Array.isArray(content) ? content : []
  const said = parts.map((part) => get(part, "text") ?? get(part, "transcript") ?? `[${textOf(get(part, "type"))}]`)
  return `${textOf(get(item, "role"))}: ${said.map(textOf).join(" ")}`
}

const sessionLine = (session: unknown): string => {
  const tools = get(session, "tools")
  const names = Array.isArray(tools) ? tools.map((tool) => textOf(get(tool, "name"))) : []
  const keys = isRecord(session) ? Object.keys(session).filter((key) => key !== "type" && key !== "tools") : []
  return [...keys, ...(names.length === 0 ? [] : [`tools: ${names.join(", ")}`])].join(" ")
}

const detailOf = ({ event, type }: Message): string => {
  if (type === "error") return `${textOf(get(event, "error", "code"))}: ${textOf(get(event, "error", "message"))}`
  if (type === "session.update") return sessionLine(event.session)
  if (type.startsWith("session."))
    return `${textOf(get(event, "session", "id"))} ${textOf(get(event, "session", "model"))}`
  if (type === "response.done") {
    const details = get(event, "response", "status_details")
    const why = textOf(get(details, "reason") ?? get(details, "error", "message"))
    return `${textOf(get(event, "response", "status"))} ${why} ${textOf(get(event, "response", "usage", "total_tokens"))} tokens`
  }
  if (type === "response.created") return textOf(get(event, "response", "id"))
  if (isRecord(event.item)) return itemLine(event.item)
  return Object.entries(event)
    .filter(([key]) => !HIDDEN_FIELDS.has(key))
    .map(([key, value]) => (key === "transcript" || key === "text" ? `"${textOf(value)}"` : `${key}=${textOf(value)}`))
    .join(" ")
}

export const format: TraceFormat = {
  detailOf,
  partOf: ({ event, type }) => {
    if (!Object.hasOwn(labels, type)) return undefined
    const text = type !== "response.output_audio.delta" && typeof event.delta === "string" ? event.delta : ""
    return { label: labels[type]!, text }
  }
}
