/**
 * The log as a person reads it: one line for what matters, runs of sound and words in one line, never raw base64.
 */
import type { Entry, Message } from "../../Emulator.ts"

/** Messages of the same run since the last line. */
interface Run {
  readonly connection: number
  readonly label: string
  readonly count: number
  readonly bytes: number
  readonly text: string
}

export interface State {
  readonly startedAt: number | undefined
  readonly runs: ReadonlyArray<Run>
}

export const initial: State = { startedAt: undefined, runs: [] }

/** Longest text in a line, in characters. */
const longest = 100

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}

const runLabels: Readonly<Record<string, string>> = {
  "input_audio_buffer.append": "input_audio_buffer.append",
  "response.output_audio.delta": "speaks",
  "response.output_audio_transcript.delta": "speaks",
  "response.output_text.delta": "writes",
  "response.function_call_arguments.delta": "arguments",
  "conversation.item.input_audio_transcription.delta": "heard"
}

/** Fields that only programs need. */
const dull = new Set([
  "type",
  "event_id",
  "response_id",
  "item_id",
  "output_index",
  "content_index",
  "part",
  "rate_limits"
])

type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const get = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => (isJson(inner) ? inner[key] : undefined), value)

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value)

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
  const keys = isJson(session) ? Object.keys(session).filter((key) => key !== "type" && key !== "tools") : []
  return [...keys, ...(names.length === 0 ? [] : [`tools: ${names.join(", ")}`])].join(" ")
}

const detail = ({ event, type }: Message): string => {
  if (type === "error") return `${textOf(get(event, "error", "code"))}: ${textOf(get(event, "error", "message"))}`
  if (type === "session.update") return sessionLine(event.session)
  if (type.startsWith("session."))
    return `${textOf(get(event, "session", "id"))} ${textOf(get(event, "session", "model"))}`
  if (type === "response.done") {
    const { reason, ...rest } = (get(event, "response", "status_details") ?? {}) as Json
    const why = textOf(reason ?? get(rest, "error", "message"))
    return `${textOf(get(event, "response", "status"))} ${why} ${textOf(get(event, "response", "usage", "total_tokens"))} tokens`
  }
  if (type === "response.created") return textOf(get(event, "response", "id"))
  if (isJson(event.item)) return itemLine(event.item)
  const rest = Object.entries(event).filter(([key]) => !dull.has(key))
  return rest
    .map(([key, value]) => (key === "transcript" || key === "text" ? `"${textOf(value)}"` : `${key}=${textOf(value)}`))
    .join(" ")
}

const stamp = (state: State, at: number): string => `${((at - (state.startedAt ?? at)) / 1000).toFixed(3).padStart(8)}`

const runLine = (state: State, at: number, run: Run): string => {
  const arrow = run.label === "input_audio_buffer.append" ? "→" : "←"
  const sound = run.bytes === 0 ? "" : ` ${(run.bytes / 1024).toFixed(1)} KiB of sound`
  return `${stamp(state, at)} #${run.connection} ${arrow} ${run.label} ×${run.count}${sound}${run.text === "" ? "" : ` "${short(run.text)}"`}`
}

const join = (runs: ReadonlyArray<Run>, { audioBytes, connection, event, type }: Message): ReadonlyArray<Run> => {
  const label = runLabels[type]!
  const known = runs.find((run) => run.label === label && run.connection === connection)
  const text = type !== "response.output_audio.delta" && typeof event.delta === "string" ? event.delta : ""
  const run: Run = {
    connection,
    label,
    count: (known?.count ?? 0) + 1,
    bytes: (known?.bytes ?? 0) + audioBytes,
    text: (known?.text ?? "") + text
  }
  return known === undefined ? [...runs, run] : runs.map((other) => (other === known ? run : other))
}

const line = (entry: Entry): string => {
  switch (entry.kind) {
    case "opened":
      return `#${entry.connection} opened ${entry.url}`
    case "refused":
      return `#${entry.connection} refused with ${entry.status} ${entry.url}`
    case "closed":
      return `#${entry.connection} closed ${entry.code} ${entry.reason}`
    case "received":
    case "sent": {
      const arrow = entry.kind === "received" ? "→" : "←"
      return `#${entry.connection} ${arrow} ${entry.type || "(no event)"} ${short(detail(entry))}`
    }
  }
}

/** Takes the next line of the log in; answers what can be printed now. */
export const step = (state: State, entry: Entry): readonly [State, ReadonlyArray<string>] => {
  const now: State = { ...state, startedAt: state.startedAt ?? entry.at }
  if ((entry.kind === "received" || entry.kind === "sent") && Object.hasOwn(runLabels, entry.type)) {
    return [{ ...now, runs: join(now.runs, entry) }, []]
  }
  const lines = now.runs.map((run) => runLine(now, entry.at, run))
  return [{ ...now, runs: [] }, [...lines, `${stamp(now, entry.at)} ${line(entry)}`.trimEnd()]]
}
