/**
 * The talk so far as text. It causes no reply.
 *
 * The provider takes it once, before the first sound: user and agent in turns, the user first, 40 KB at most. Facts and
 * tool calls are told with what the user said.
 */
import type { Entry, ToolCall, User } from "@effect-bidi/core/Transcript"
import { aside, nextName } from "./encode.ts"
import { type InputEvent, textBlock } from "./events.ts"
import type { State } from "./state.ts"
import { bytes, tail } from "./text.ts"

/** Bytes of all the text a connection begins with. */
export const HISTORY = 40_000

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

// An agent that spoke first was greeting.
const fromUser = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  messages[0]?.role === "ASSISTANT" ? [{ role: "USER", text: aside("The call begins.") }, ...messages] : messages

/** Leaves out the oldest exchanges, whole, until the rest fits. An exchange that does not fit alone loses its beginnings. */
const fit = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  let size = messages.reduce((sum, { text }) => sum + bytes(text), 0)
  let start = 0
  while (size > HISTORY && start + 2 < messages.length) {
    size -= bytes(messages[start]!.text) + bytes(messages[start + 1]!.text)
    start += 2
  }
  const rest = messages.slice(start)
  if (size <= HISTORY) return rest
  return rest.map(({ role, text }) => ({ role, text: tail(text, Math.floor(HISTORY / rest.length)) }))
}
