/**
 * What of the talk is told where the provider takes only so much. What is too large is shortened before anything else is
 * left out; then whole exchanges are, the oldest first. Functions from values to values; sizes are bytes of UTF-8.
 *
 * - The newest exchanges that fit are told, and none of their entries is shortened that takes no more than a third of all
 *   there is room for.
 * - Something is always told.
 */
import type * as Schema from "effect/Schema"
import type { Entry, ToolCall, Transcript } from "../../Transcript.ts"

export interface Trimmed {
  readonly told: Transcript
  /** How many entries are left out, and how many are told in part. */
  readonly dropped: number
  readonly shortened: number
}

export const trim = (history: Transcript, limit: number | undefined): Trimmed => {
  if (limit === undefined || total(history) <= limit) return { told: history, dropped: 0, shortened: 0 }
  const told = lastEntries(lastExchanges(shorten(history, limit, limit / 3), limit), limit)
  return {
    told,
    dropped: history.length - told.length,
    shortened: told.filter((entry) => !history.includes(entry)).length
  }
}

/** Leaves out the oldest exchanges, whole, until the rest fits; the last one stays. */
const lastExchanges = (history: Transcript, limit: number): Transcript => {
  let size = total(history)
  let start = 0
  for (let next = 1; size > limit && next < history.length; next++) {
    if (!beginsExchange(history, next)) continue
    size -= total(history.slice(start, next))
    start = next
  }
  return history.slice(start)
}

/** One exchange that is too large alone is shortened further, and loses its beginning if that is not enough. */
const lastEntries = (exchange: Transcript, limit: number): Transcript => {
  for (let start = 0; start < exchange.length; start++) {
    const told = shorten(exchange.slice(start), limit, SHORTEST)
    if (total(told) <= limit || start === exchange.length - 1) return told
  }
  return exchange
}

const beginsExchange = (history: Transcript, index: number): boolean =>
  history[index]!._tag === "User" && history[index - 1]!._tag !== "User"

/** Shortens the largest entries until all fit, but none to less than `least`. */
const shorten = (history: Transcript, limit: number, least: number): Transcript => {
  const most = Math.max(least, level(history.map(sizeOf), limit))
  return history.map((entry) => (sizeOf(entry) > most ? shortened(entry, most) : entry))
}

/** How large each may be, so that all together have room. */
const level = (sizes: ReadonlyArray<number>, room: number): number => {
  let left = room
  const ascending = sizes.toSorted((one, other) => one - other)
  for (const [index, size] of ascending.entries()) {
    const share = left / (ascending.length - index)
    if (size > share) return share
    left -= size
  }
  return Infinity
}

// ---------------------------------------------------------------------------------------------------------------------
// one entry
// ---------------------------------------------------------------------------------------------------------------------

// Less than this of an entry says nothing.
const SHORTEST = 160

// Roles and braces around the text are counted with a few bytes each.
const OVERHEAD = 32

/** How much of the limit an entry takes. */
export const sizeOf = (entry: Entry): number => {
  switch (entry._tag) {
    case "User":
      return entry.parts.reduce((sum, part) => sum + (typeof part === "string" ? bytes(part) : 0), OVERHEAD)
    case "Assistant":
    case "Note":
      return bytes(entry.text) + OVERHEAD
    case "ToolCall":
      return bytes(entry.name + JSON.stringify([entry.input, entry.output])) + OVERHEAD
  }
}

const total = (history: Transcript): number => history.reduce((sum, entry) => sum + sizeOf(entry), 0)

const shortened = (entry: Entry, size: number): Entry => {
  const room = size - OVERHEAD
  switch (entry._tag) {
    case "User": {
      const most = level(
        entry.parts.map((part) => (typeof part === "string" ? bytes(part) : 0)),
        room
      )
      return { ...entry, parts: entry.parts.map((part) => (typeof part === "string" ? begin(part, most) : part)) }
    }
    case "Assistant":
    case "Note":
      return { ...entry, text: begin(entry.text, room) }
    case "ToolCall":
      return shortenedCall(entry, room)
  }
}

const shortenedCall = (call: ToolCall, room: number): ToolCall => {
  const { input, output } = call
  const [asInput, asResult] = [bytes(JSON.stringify(input)), bytes(JSON.stringify(output?.result ?? null))]
  const rest = bytes(call.name + JSON.stringify([input, output])) - asInput - asResult
  const most = level([asInput, asResult], room - rest)
  return {
    ...call,
    // arguments are an object for every provider
    input: asInput > most ? { shortened: beginJson(input, most - bytes(`{"shortened":}`)) } : input,
    ...(output === undefined || asResult <= most
      ? {}
      : { output: { ...output, result: beginJson(output.result, most) } })
  }
}

/** The beginning of a text, with a mark of what is left out. */
const begin = (text: string, most: number): string => {
  if (bytes(text) <= most) return text
  const longest = bytes(markOf(text.length))
  const long = most >= 2 * longest
  const room = Math.max(0, Math.floor(most) - (long ? longest : bytes(MARK)))
  const { read } = encoder.encodeInto(text, new Uint8Array(room))
  return text.slice(0, read).trimEnd() + (long ? markOf(text.length - read) : MARK)
}

const markOf = (left: number): string => ` [… ${left} characters left out]`
const MARK = " […]"

/** The same of a value, as a text that takes no more as JSON. */
const beginJson = (value: Schema.Json, most: number): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  let room = most
  while (true) {
    const begun = begin(text, room)
    const over = bytes(JSON.stringify(begun)) - most
    // what is quoted takes more than it is
    if (over <= 0 || room <= 0) return begun
    room -= over
  }
}

const encoder = new TextEncoder()

const bytes = (text: string): number => encoder.encode(text).length
