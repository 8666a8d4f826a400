/**
 * The talk so far as the beginning of a session. It causes no reply.
 *
 * - A new session of a newer model takes it as such (`historyConfig` in the setup): one message, marked as complete. It
 *   waits for that message, and so gets it also when there is nothing to tell.
 * - Models of generation 2.5 take it as content that waits for the user, and has to end with them.
 * - A session that is resumed knows it; what has happened since is added as content. A model that takes no content while
 *   it talks is told with the next text that asks it something: telling it at once would make it answer.
 *
 * Text only: calls, outputs and pictures are told in words, because ids and media of another session mean nothing here.
 */
import type { Entry } from "@effect-bidi/core/Transcript"
import type { Content } from "@google/genai"
import { note } from "./encode.ts"
import type { ClientMessage, State } from "./state.ts"

export const replay = (state: State, history: ReadonlyArray<Entry>): ReadonlyArray<ClientMessage> => {
  const turns = contents(history)
  const { context, resumed, seed } = state.session
  if (!resumed && seed === "history") {
    return [{ clientContent: { ...(turns.length === 0 ? {} : { turns }), turnComplete: true } }]
  }
  if (turns.length === 0) return []
  if (context) return [{ clientContent: { turns: withUserLast(turns), turnComplete: false } }]
  state.untold.push(note(`This happened meanwhile:\n${turns.map(aloud).join("\n")}`))
  return []
}

/** Entries of one side that follow each other are one content. */
export const contents = (history: ReadonlyArray<Entry>): Array<Content> => {
  const turns: Array<{ role: string; parts: Array<{ text: string }> }> = []
  for (const entry of history) {
    const text = textOf(entry)
    if (text === undefined) continue
    const role = entry._tag === "Assistant" ? "model" : "user"
    const last = turns.at(-1)
    if (last?.role === role) last.parts.push({ text })
    else turns.push({ role, parts: [{ text }] })
  }
  return turns
}

const textOf = (entry: Entry): string | undefined => {
  switch (entry._tag) {
    case "User":
      return filled(
        entry.parts.map((part) => (typeof part === "string" ? part : "[The user showed a picture.]")).join("\n")
      )
    // of a reply that was cut off, this is what was heard
    case "Assistant":
      return filled(entry.text)
    case "Note":
      return note(entry.text)
    case "ToolCall": {
      const { input, name, output } = entry
      if (output === undefined) return undefined
      const outcome = output.isFailure ? "failed with" : "returned"
      return note(`You called the tool ${name} with ${JSON.stringify(input)}. It ${outcome} ${show(output.result)}`)
    }
  }
}

const filled = (text: string): string | undefined => (text.trim() === "" ? undefined : text)

const show = (result: unknown): string => (typeof result === "string" ? result : JSON.stringify(result))

const withUserLast = (turns: Array<Content>): Array<Content> =>
  turns.at(-1)?.role === "user" ? turns : [...turns, { role: "user", parts: [{ text: " " }] }]

const aloud = ({ parts, role }: Content): string =>
  `${role === "user" ? "User" : "You"}: ${parts?.map(({ text }) => text).join("\n")}`
