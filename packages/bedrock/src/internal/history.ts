/**
 * The talk so far as text. It causes no reply.
 *
 * The provider takes it once, before the first sound: user and agent in turns, the user first, 40 KB at most. Facts and
 * tool calls are told with what the user said. What the agent said before anybody else is left out, as AWS' sample of a
 * session that continues another does it.
 */
import type { Entry, ToolCall, User } from "@effect-bidi/core/Transcript"
import { aside, nextName } from "./encode.ts"
import { type InputEvent, textBlock } from "./events.ts"
import type { State } from "./state.ts"
import { bytes, shorten } from "./utf8.ts"

/** Bytes of all the text a connection begins with. */
export const HISTORY_BYTES = 40_000

interface Message {
  readonly role: "USER" | "ASSISTANT"
  readonly text: string
}

export const replay = (state: State, history: ReadonlyArray<Entry>): ReadonlyArray<InputEvent> =>
  fit(fromUser(merge(history.flatMap(message)))).flatMap(({ role, text }) =>
    textBlock(state.promptName, nextName(state), role, text, false)
  )

const message = (entry: Entry): ReadonlyArray<Message> => {
  switch (entry._tag) {
    case "User":
      return told("USER", wordsOf(entry.parts))
    case "Assistant":
      return told("ASSISTANT", entry.text)
    case "Note":
      return told("USER", aside(entry.text))
    case "ToolCall":
      return entry.output === undefined ? [] : told("USER", aside(callOf(entry, entry.output)))
  }
}

const told = (role: Message["role"], text: string): ReadonlyArray<Message> =>
  text.trim() === "" ? [] : [{ role, text }]

const wordsOf = (parts: User["parts"]): string =>
  parts.map((part) => (typeof part === "string" ? part : aside("a picture"))).join("\n")

const callOf = ({ input, name }: ToolCall, { isFailure, result }: NonNullable<ToolCall["output"]>): string =>
  `You called the tool ${name} with ${JSON.stringify(input)}. It ${isFailure ? "failed" : "returned"}: ${JSON.stringify(result)}`

const merge = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const merged: Array<Message> = []
  for (const message of messages) {
    const last = merged.at(-1)
    if (last?.role === message.role) merged[merged.length - 1] = { ...last, text: `${last.text}\n${message.text}` }
    else merged.push(message)
  }
  return merged
}

// The agent may have been the only one to speak: then that is told, or it would begin anew.
const fromUser = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const [first, ...rest] = messages
  if (first?.role !== "ASSISTANT") return messages
  return rest.length > 0 ? rest : [{ role: "USER", text: aside(`You have said: ${first.text}`) }]
}

// One message that is longer than this is told in part, before others are left out for it.
const MAX_MESSAGE_BYTES = HISTORY_BYTES / 2

/** Shortens messages that are too long, and leaves out the oldest exchanges, whole, until the rest fits. */
const fit = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const sizes = messages.map(({ text }) => bytes(text))
  if (sum(sizes) <= HISTORY_BYTES) return messages
  const short = messages.map(({ role, text }) => ({ role, text: shorten(text, MAX_MESSAGE_BYTES) }))
  let size = sum(short.map(({ text }) => bytes(text)))
  let start = 0
  while (size > HISTORY_BYTES) {
    size -= bytes(short[start]!.text) + bytes(short[start + 1]?.text ?? "")
    start += 2
  }
  return short.slice(start)
}

const sum = (sizes: ReadonlyArray<number>): number => sizes.reduce((all, size) => all + size, 0)
