/**
 * The log as a person reads it: one line for what matters, runs of sound and words in one line, never raw base64.
 */
import type { Entry, Message } from "../../Emulator.ts"

/** Part of a run of messages that are one line together. */
export interface Part {
  readonly label: string
  /** Words to be joined, "" for none. */
  readonly text: string
}

/** How the messages of a provider are told. */
export interface Telling {
  readonly partOf: (message: Message) => Part | undefined
  /** What is worth knowing of a message, besides its type. */
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

/** Longest text in a line, in characters. */
const longest = 100

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}

type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What stands at that path. */
export const get = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => (isJson(inner) ? inner[key] : undefined), value)

/** Text as it is, everything else as JSON. */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value)

/** The fields that are not dull, one after the other. */
export const fieldsOf = (value: unknown, dull: ReadonlySet<string>): string =>
  Object.entries(isJson(value) ? value : {})
    .filter(([key]) => !dull.has(key))
    .map(([key, field]) => `${key}=${textOf(field)}`)
    .join(" ")

const arrowOf = ({ kind }: Message): string => (kind === "received" ? "→" : "←")

const stamp = (state: State, at: number): string => `${((at - (state.startedAt ?? at)) / 1000).toFixed(3).padStart(8)}`

const runLine = (state: State, at: number, run: Run): string => {
  const sound = run.bytes === 0 ? "" : ` ${(run.bytes / 1024).toFixed(1)} KiB of sound`
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

const line = (telling: Telling, entry: Entry): string => {
  switch (entry.kind) {
    case "opened":
      return `#${entry.connection} opened ${entry.url}`
    case "refused":
      return `#${entry.connection} refused with ${entry.status} ${entry.url}`
    case "closed":
      return `#${entry.connection} closed ${entry.code} ${entry.reason}`
    case "received":
    case "sent": {
      const detail =
        entry.types.length === 0 ? JSON.stringify(entry.event.text ?? entry.event) : telling.detailOf(entry)
      return `#${entry.connection} ${arrowOf(entry)} ${entry.types.join(" + ") || "(no event)"} ${short(detail)}`
    }
  }
}

/** Takes the next line of the log in; answers what can be printed now. */
export const step = (telling: Telling, state: State, entry: Entry): readonly [State, ReadonlyArray<string>] => {
  const now: State = { ...state, startedAt: state.startedAt ?? entry.at }
  const part = entry.kind === "received" || entry.kind === "sent" ? telling.partOf(entry) : undefined
  if (part !== undefined) return [{ ...now, runs: join(now.runs, entry as Message, part) }, []]
  const lines = now.runs.map((run) => runLine(now, entry.at, run))
  return [{ ...now, runs: [] }, [...lines, `${stamp(now, entry.at)} ${line(telling, entry)}`.trimEnd()]]
}
