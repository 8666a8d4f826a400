/**
 * How Nova events are shown.
 */
import type { Message } from "../../Emulator.ts"
import { fieldsOf, get, textOf } from "./trace.ts"
import type { TraceFormat } from "./trace.ts"

const labels: Readonly<Record<string, string>> = { audioInput: "audioInput", audioOutput: "speaks" }

/** Fields that are not shown. */
const HIDDEN_FIELDS = new Set(
  (
    "promptName contentName contentId sessionId completionId textInputConfiguration textOutputConfiguration " +
    "audioInputConfiguration audioOutputConfiguration toolUseOutputConfiguration toolConfiguration details role"
  ).split(" ")
)

const detailOf = ({ event, type }: Message): string => {
  if (get(event, "exception") !== undefined) return textOf(get(event, "exception", "message"))
  const fields = get(event, "event", type)
  if (type === "contentStart") {
    const stage = /SPECULATIVE|FINAL/.exec(textOf(get(fields, "additionalModelFields")))?.[0] ?? ""
    const what = [get(fields, "type"), get(fields, "role"), get(fields, "toolResultInputConfiguration", "toolUseId")]
    return `${what.map(textOf).join(" ").trim()} ${stage}`
  }
  if (type === "toolUse") return `${textOf(get(fields, "toolName"))}(${textOf(get(fields, "content"))})`
  if (type === "usageEvent") return `${textOf(get(fields, "totalTokens"))} tokens`
  if (type === "textInput" || type === "textOutput" || type === "toolResult") {
    return `${textOf(get(fields, "role"))} "${textOf(get(fields, "content"))}"`.trim()
  }
  return fieldsOf(fields, HIDDEN_FIELDS)
}

export const format: TraceFormat = {
  detailOf,
  partOf: ({ type }) => (Object.hasOwn(labels, type) ? { label: labels[type]!, text: "" } : undefined)
}
