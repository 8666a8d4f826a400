/**
 * Entries of a history in fewer bytes of UTF-8: their beginning, and how much is left out.
 */
import type * as Schema from "effect/Schema"
import type { Entry, ToolCall } from "../../Transcript.ts"

/** How large each may be, so that all of them have room. */
export const level = (sizes: ReadonlyArray<number>, room: number): number => {
  let left = room
  const ascending = sizes.toSorted((one, other) => one - other)
  for (const [index, size] of ascending.entries()) {
    const share = left / (ascending.length - index)
    if (size > share) return share
    left -= size
  }
  return Infinity
}

/** The least to which an entry is shortened, in bytes: less says nothing. */
export const MIN_ENTRY_BYTES = 160

// For the role and the braces around the text.
const OVERHEAD_BYTES = 32

/** How many bytes an entry takes of the limit. */
export const sizeOf = (entry: Entry): number => {
  switch (entry._tag) {
    case "User":
      return entry.parts.reduce((sum, part) => sum + (typeof part === "string" ? bytes(part) : 0), OVERHEAD_BYTES)
    case "Assistant":
    case "Note":
      return bytes(entry.text) + OVERHEAD_BYTES
    case "ToolCall":
      return bytes(entry.name + JSON.stringify([entry.input, entry.output])) + OVERHEAD_BYTES
  }
}

/** The entry in at most `size` bytes. */
export const shortened = (entry: Entry, size: number): Entry => {
  const room = size - OVERHEAD_BYTES
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

// The beginning of a text, and how much is left out.
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

// The same for a value, as a text that takes no more bytes as JSON.
const beginJson = (value: Schema.Json, most: number): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  let room = most
  while (true) {
    const begun = begin(text, room)
    const over = bytes(JSON.stringify(begun)) - most
    // quoted, a text takes more
    if (over <= 0 || room <= 0) return begun
    room -= over
  }
}

const encoder = new TextEncoder()

const bytes = (text: string): number => encoder.encode(text).length
