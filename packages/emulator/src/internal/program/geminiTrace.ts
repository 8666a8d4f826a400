/**
 * How Gemini messages are shown.
 */
import type { Message } from "../../Emulator.ts"
import { isRecord } from "../session/check.ts"
import { get, textOf } from "./trace.ts"
import type { Part, TraceFormat } from "./trace.ts"

const labels: Readonly<Record<string, string>> = {
  "realtimeInput.audio": "realtimeInput.audio",
  "serverContent.modelTurn": "speaks",
  "serverContent.outputTranscription": "speaks",
  "serverContent.inputTranscription": "heard"
}

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const partOf = ({ event, types }: Message): Part | undefined => {
  const wanted = new Set(types.map((type) => labels[type]))
  const [label] = wanted
  if (label === undefined || wanted.size !== 1) return undefined
  const content = get(event, "serverContent")
  const said = get(content, "outputTranscription", "text") ?? get(content, "inputTranscription", "text")
  // thoughts are not spoken
  return listOf(get(content, "modelTurn", "parts")).some((part) => get(part, "thought") === true)
    ? undefined
    : { label, text: textOf(said) }
}

const partsLine = (content: unknown): string =>
  listOf(get(content, "parts"))
    .map((part) => textOf(get(part, "text") ?? get(part, "inlineData", "mimeType") ?? part))
    .join(" ")

/** Shows one field of a message. */
const DETAILS: Readonly<Record<string, (value: unknown, event: unknown) => string>> = {
  setup: (setup) => {
    const names = listOf(get(setup, "tools"))
      .flatMap((tool) => listOf(get(tool, "functionDeclarations")))
      .map((one) => textOf(get(one, "name")))
    const keys = isRecord(setup) ? Object.keys(setup).filter((key) => key !== "model" && key !== "tools") : []
    return [textOf(get(setup, "model")), ...keys, ...(names.length === 0 ? [] : [`tools: ${names.join(", ")}`])].join(
      " "
    )
  },
  setupComplete: (value) => textOf(get(value, "sessionId")),
  clientContent: (value) =>
    listOf(get(value, "turns"))
      .map((turn) => `${textOf(get(turn, "role"))}: ${partsLine(turn)}`)
      .join(" / "),
  toolResponse: (value) =>
    listOf(get(value, "functionResponses"))
      .map((one) => `${textOf(get(one, "name"))} = ${textOf(get(one, "response"))}`)
      .join(", "),
  toolCall: (value) =>
    listOf(get(value, "functionCalls"))
      .map((one) => `${textOf(get(one, "name"))}(${textOf(get(one, "args"))})`)
      .join(", "),
  toolCallCancellation: (value) => listOf(get(value, "ids")).map(textOf).join(" "),
  "serverContent.modelTurn": (value) => partsLine(value),
  "serverContent.turnComplete": (_, event) => textOf(get(event, "serverContent", "turnCompleteReason")),
  sessionResumptionUpdate: (value) => textOf(get(value, "newHandle") ?? "not now"),
  goAway: (value) => textOf(get(value, "timeLeft")),
  usageMetadata: (value) => `${textOf(get(value, "totalTokenCount"))} tokens`
}

const detailOf = ({ event, types }: Message): string =>
  types
    .map((type) => {
      const value = get(event, ...type.split("."))
      return (DETAILS[type] ?? ((other) => (other === true ? "" : textOf(get(other, "text") ?? other))))(value, event)
    })
    .filter((text) => text !== "")
    .join(" | ")

export const format: TraceFormat = { partOf, detailOf }
