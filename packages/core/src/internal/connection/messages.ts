/**
 * The messages of commands and of the history, and their sizes.
 */
import type { Command } from "../../BidiModel.ts"
import type { Entry } from "../../Transcript.ts"

/** A message that was sent: the id of its entry in the history, and its size in bytes. */
export interface Message {
  readonly id: string
  readonly size: number
}

/** The messages that a command sends. */
export const messagesOf = (command: Command): ReadonlyArray<Message> => {
  switch (command._tag) {
    case "UserMessage":
      return [{ id: command.id, size: size(command.parts) }]
    case "ToolOutputs":
      return command.outputs.map(({ id, result }) => ({ id, size: size(result) }))
    case "Note":
      return [{ id: command.text, size: size(command.text) }]
    case "Respond":
      return command.instructions === undefined ? [] : [{ id: command.instructions, size: size(command.instructions) }]
    default:
      return []
  }
}

/** The message of an entry of the history. */
export const messageOf = (entry: Entry): Message => ({
  id: entry.id,
  size: entry._tag === "User" ? size(entry.parts) : entry._tag === "ToolCall" ? size(entry.output) : size(entry.text)
})

// Images are the only binary values in messages.
const size = (value: unknown): number => {
  let pictures = 0
  const text = JSON.stringify(value, (_, one) => {
    if (!(one instanceof Uint8Array)) return one
    pictures += one.length
    return undefined
  })
  return pictures + (text?.length ?? 0)
}
