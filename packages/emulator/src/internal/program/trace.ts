/**
 * The log for people: one line for each message, runs of audio and transcripts in one line, no base64.
 */
import type { Entry, Message } from "../../Emulator.ts"
import { isRecord } from "../session/check.ts"

/** A message that is joined with others in one line. */
export interface Part {
  readonly label: string
  /** The text to join, "" for none. */
  readonly text: string
}

/** How the messages of a provider are shown. */
export interface TraceFormat {
  readonly partOf: (message: Message) => Part | undefined
  /** The details of a message, besides its type. */
  readonly detailOf: (message: Message) => string
}

interface Run {
  readonly connection: number
  readonly arrow: string
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

/** Longer texts are shortened. */
const MAX_TEXT_CHARACTERS = 100

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > MAX_TEXT_CHARACTERS ? `${line.slice(0, MAX_TEXT_CHARACTERS - 1)}…` : line
}

/** The value at the path. */
export const get = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value)

/** Text as it is, everything else as JSON. */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value)

/** The fields that are not hidden. */
export const fieldsOf = (value: unknown, hidden: ReadonlySet<string>): string =>
  Object.entries(isRecord(value) ? value : {})
    .filter(([key]) => !hidden.has(key))
    .map(([key, field]) => `${key}=${textOf(field)}`)
    .join(" ")

const arrowOf = ({ kind }: Message): string => (kind === "received" ? "→" : "←")

const stamp = (state: State, at: number): string => `${((at - (state.startedAt ?? at)) / 1000).toFixed(3).padStart(8)}`

const runLine = (state: State, at: number, run: Run): string => {
  const sound = run.bytes === 0 ? "" : ` ${(run.bytes / 1024).toFixed(1)} KiB of audio`
  return `${stamp(state, at)} #${run.connection} ${run.arrow} ${run.label} ×${run.count}${sound}${run.text === "" ? "" : ` "${short(run.text)}"`}`
}

const join = (runs: ReadonlyArray<Run>, message: Message, { label, text }: Part): ReadonlyArray<Run> => {
  const { audioBytes, connection } = message
  const known = runs.find((run) => run.label === label && run.connection === connection)
  const run: Run = {
    connection,
    arrow: arrowOf(message),
    label,
    count: (known?.count ?? 0) + 1,
    bytes: (known?.bytes ?? 0) + audioBytes,
    text: (known?.text ?? "") + text
  }
  return known === undefined ? [...runs, run] : runs.map((other) => (other === known ? run : other))
}

const line = (format: TraceFormat, entry: Entry): string => {
  switch (entry.kind) {
    case "opened":
      return `#${entry.connection} opened ${entry.url}`
    case "refused":
      return `#${entry.connection} refused with ${entry.status} ${entry.url}`
    case "closed":
      return `#${entry.connection} closed ${entry.code} ${entry.reason}`
    case "received":
    case "sent": {
      const detail = entry.types.length === 0 ? JSON.stringify(entry.event.text ?? entry.event) : format.detailOf(entry)
      return `#${entry.connection} ${arrowOf(entry)} ${entry.types.join(" + ") || "(no event)"} ${short(detail)}`
    }
  }
}

/** Processes the next entry of the log. Returns the lines that can be printed now. */
export const step = (format: TraceFormat, state: State, entry: Entry): readonly [State, ReadonlyArray<string>] => {
  const now: State = { ...state, startedAt: state.startedAt ?? entry.at }
  const part = entry.kind === "received" || entry.kind === "sent" ? format.partOf(entry) : undefined
  if (part !== undefined) return [{ ...now, runs: join(now.runs, entry as Message, part) }, []]
  const lines = now.runs.map((run) => runLine(now, entry.at, run))
  return [{ ...now, runs: [] }, [...lines, `${stamp(now, entry.at)} ${line(format, entry)}`.trimEnd()]]
}
