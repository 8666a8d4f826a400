/**
 * A session as JSON, Markdown or WebVTT, from the records of its log (`SessionStore.read`). Everything here is a function
 * from values to values.
 *
 * The times are those of the log. The agent's words stand where they were heard, from the records of what was heard. A turn
 * of the user ends when the provider took it; its beginning is an estimate from the length of its words.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import { fold } from "./SessionLog.ts"
import type { Record } from "./SessionRecord.ts"
import type { Entry } from "./Transcript.ts"

/**
 * One entry of the history with its time, in milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Said {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly entry: Entry
}

/** The least time that a character of speech takes, in milliseconds, as an estimate. */
const MILLIS_PER_CHARACTER = 60

/** What of an entry people read. */
const textOf = (entry: Entry): string => {
  switch (entry._tag) {
    case "User":
      return entry.parts.map((part) => (typeof part === "string" ? part : `[${part.mimeType}]`)).join(" ")
    case "Assistant":
    case "Note":
      return entry.text
    case "ToolCall":
      return `${entry.name}(${JSON.stringify(entry.input)})`
  }
}

/**
 * The history with its times, in its order.
 *
 * @category conversions
 * @since 0.1.0
 */
export const timeline = (records: Iterable<Record>): ReadonlyArray<Said> => {
  const all = Array.from(records)
  const written = new Map<string, number>()
  const heard = new Map<string, { from: number; to: number }>()
  let epoch = 0
  for (const record of all) {
    if (record.epoch < epoch) continue // by an owner that had lost the session
    epoch = record.epoch
    const { at, body } = record
    if (body._tag === "Entry" && !written.has(body.entry.id)) written.set(body.entry.id, at)
    if (body._tag === "Heard" && body.millis > 0) {
      const known = heard.get(body.id)
      heard.set(body.id, { from: known?.from ?? at - body.millis, to: at })
    }
  }
  let last = -Infinity
  return fold(all).transcript.map((entry) => {
    const at = written.get(entry.id) ?? (last === -Infinity ? 0 : last)
    const length = textOf(entry).length * MILLIS_PER_CHARACTER
    const span =
      heard.get(entry.id) ??
      (entry._tag === "User"
        ? { from: Math.max(Math.min(last, at), at - length), to: at }
        : { from: at, to: entry._tag === "Assistant" ? at + length : at })
    last = span.to
    return { id: entry.id, ...span, entry }
  })
}

/**
 * The session as a value of JSON: what was said, with times as ISO 8601, and the tokens that were used. Images are told by
 * their type only.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (records: Iterable<Record>): Schema.Json => {
  const all = Array.from(records)
  const { closed, usage } = fold(all)
  return {
    version: 1,
    messages: timeline(all).map(({ entry, from, id, to }) => ({
      id,
      role: roleOf(entry),
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      ...(entry._tag === "ToolCall"
        ? { name: entry.name, input: entry.input, ...(entry.output === undefined ? {} : { output: entry.output }) }
        : { text: textOf(entry) }),
      ...(entry._tag === "Assistant" && entry.interrupted ? { interrupted: true } : {}),
      ...(entry._tag === "Assistant" && entry.full !== undefined ? { full: entry.full } : {})
    })),
    usage: usage as unknown as Schema.Json,
    ended: closed ?? null
  }
}

const roleOf = (entry: Entry): string =>
  ({ User: "user", Assistant: "assistant", ToolCall: "tool", Note: "note" })[entry._tag]

/**
 * The session as Markdown for people. What was cut off is struck through.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toMarkdown = (records: Iterable<Record>): string =>
  timeline(records)
    .filter(({ entry }) => textOf(entry) !== "" || entry._tag === "Assistant")
    .map(({ entry, from }) => `**${names[entry._tag]}** (${clock(from)}): ${inMarkdown(entry)}`)
    .join("\n\n")

const names = { User: "User", Assistant: "Agent", ToolCall: "Tool", Note: "Note" } as const

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19)

const escaped = (text: string): string => text.replace(/[\\`*_{}[\]<>#|~]/g, "\\$&").replace(/\s*\n\s*/g, " ")

const inMarkdown = (entry: Entry): string => {
  if (entry._tag === "ToolCall") {
    const output = entry.output === undefined ? "no result" : JSON.stringify(entry.output.result)
    return `${code(textOf(entry))} → ${entry.output?.isFailure ? "failed: " : ""}${code(output)}`
  }
  if (entry._tag !== "Assistant" || entry.full === undefined) return escaped(textOf(entry))
  const rest = entry.full.startsWith(entry.text) ? entry.full.slice(entry.text.length).trim() : entry.full
  return [escaped(entry.text), rest === "" ? "" : `~~${escaped(rest)}~~`].filter((part) => part !== "").join(" ")
}

// a fence longer than any run of backticks inside
const code = (text: string): string => {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}${longest > 0 ? ` ${text} ` : text}${fence}`
}

/**
 * The session as subtitles (WebVTT) for a recording that began at `startedAt`, in milliseconds since 1970. Left out, it
 * began with the first entry.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toWebVtt = (records: Iterable<Record>, options: { readonly startedAt?: number } = {}): string => {
  const spoken = timeline(records).filter(
    ({ entry }) => (entry._tag === "User" || entry._tag === "Assistant") && textOf(entry).trim() !== ""
  )
  const startedAt = options.startedAt ?? spoken[0]?.from ?? 0
  const cues = spoken
    .map(({ entry, from, to }) => ({ entry, from: Math.max(0, from - startedAt), to: Math.max(0, to - startedAt) }))
    .toSorted((a, b) => a.from - b.from)
    .map(({ entry, from, to }) => {
      const text = textOf(entry).replace(/\s+/g, " ").trim()
      return `${stamp(from)} --> ${stamp(Math.max(to, from + 1))}\n<v ${names[entry._tag]}>${inVtt(text)}</v>`
    })
  return ["WEBVTT", ...cues].join("\n\n") + "\n"
}

const inVtt = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const stamp = (millis: number): string => {
  const whole = Math.round(millis)
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
  return `${two(whole / 3_600_000)}:${two((whole / 60_000) % 60)}:${two((whole / 1000) % 60)}.${String(whole % 1000).padStart(3, "0")}`
}
