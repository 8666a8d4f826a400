/**
 * The history of a conversation: what was said, and what of it was heard.
 *
 * A transcript is a list of entries in the order of the conversation. Every entry has an id. Writing an entry with an id
 * that is there replaces the other in its place: words that come late stand where they were spoken.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Schemas from "./internal/entry.ts"
import * as Ids from "./internal/ids.ts"

/**
 * What the user said, typed or showed. Without parts, the words of a turn are still to come.
 *
 * @category schemas
 * @since 0.1.0
 */
export const User = Schemas.User

/**
 * What the agent said. `text` is what was **heard** of it, which is what a model gets as its history. If that is not all,
 * `full` is the whole text: the agent was cut off (`interrupted` is true) or is still speaking (it is false).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Assistant = Schemas.Assistant

/**
 * A tool call, with its output once there is one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolCall = Schemas.ToolCall

/**
 * A fact that the application told the model.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Note = Schemas.Note

/**
 * One entry of a transcript.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schemas.Entry

/**
 * What the user said, typed or showed.
 *
 * @category models
 * @since 0.1.0
 */
export type User = typeof User.Type

/**
 * What the agent said.
 *
 * @category models
 * @since 0.1.0
 */
export type Assistant = typeof Assistant.Type

/**
 * A tool call, with its output once there is one.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolCall = typeof ToolCall.Type

/**
 * A fact that the application told the model.
 *
 * @category models
 * @since 0.1.0
 */
export type Note = typeof Note.Type

/**
 * One entry of a transcript.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry = typeof Entry.Type

/**
 * The entries of a conversation, in their order.
 *
 * @category models
 * @since 0.1.0
 */
export type Transcript = ReadonlyArray<Entry>

/**
 * A transcript without entries.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Transcript = []

/**
 * Writes an entry: in the place of the one with its id, or at the end if there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const put: {
  (entry: Entry): (self: Transcript) => Transcript
  (self: Transcript, entry: Entry): Transcript
} = dual(2, (self: Transcript, entry: Entry): Transcript => {
  const index = self.findLastIndex(({ id }) => id === entry.id)
  return index === -1 ? [...self, entry] : self.with(index, entry)
})

/**
 * Makes the transcript of entries in the order in which they were written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromLog = (log: Iterable<Entry>): Transcript =>
  Array.from(new Map(Array.from(log, (entry) => [entry.id, entry])).values())

// ---------------------------------------------------------------------------------------------------------------------
// effect/ai Prompt
// ---------------------------------------------------------------------------------------------------------------------

const KEY = "effect-bidi"

/**
 * Converts a transcript to messages of `effect/ai`.
 *
 * Entries of which no words were said or heard (yet) are left out. Calls that one response made together are one assistant
 * message and one tool message. What a `Prompt` has no field for (ids, interruption) is kept in the options under
 * `effect-bidi`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toPrompt = (self: Transcript): Prompt.Prompt => {
  const messages: Array<Prompt.Message> = []
  for (let i = 0; i < self.length; i++) {
    const entry = self[i]!
    switch (entry._tag) {
      case "User": {
        if (entry.parts.length === 0) break
        messages.push(
          Prompt.userMessage({
            content: entry.parts.map((part) =>
              typeof part === "string"
                ? Prompt.textPart({ text: part })
                : Prompt.filePart({ mediaType: part.mimeType, data: part.image })
            ),
            options: { [KEY]: { id: entry.id } }
          })
        )
        break
      }
      case "Assistant": {
        if (entry.text === "") break
        const { id, responseId, interrupted } = entry
        messages.push(
          Prompt.assistantMessage({
            content: [Prompt.textPart({ text: entry.text })],
            options: {
              [KEY]: { id, responseId, interrupted, ...(entry.full === undefined ? {} : { full: entry.full }) }
            }
          })
        )
        break
      }
      case "Note": {
        messages.push(Prompt.systemMessage({ content: entry.text, options: { [KEY]: { id: entry.id } } }))
        break
      }
      case "ToolCall": {
        const calls = [entry]
        for (let next = self[i + 1]; next?._tag === "ToolCall" && next.responseId === entry.responseId;) {
          calls.push(next)
          next = self[++i + 1]
        }
        messages.push(...toolMessages(calls))
        break
      }
    }
  }
  return Prompt.fromMessages(messages)
}

const toolMessages = (calls: ReadonlyArray<ToolCall>): Array<Prompt.Message> => {
  const answered = calls.filter((call) => call.output !== undefined)
  const request = Prompt.assistantMessage({
    content: calls.map((call) =>
      Prompt.toolCallPart({ id: call.id, name: call.name, params: call.input, providerExecuted: false })
    ),
    options: { [KEY]: { responseId: calls[0]!.responseId } }
  })
  if (answered.length === 0) return [request]
  return [
    request,
    Prompt.toolMessage({
      content: answered.map((call) =>
        Prompt.toolResultPart({
          id: call.id,
          name: call.name,
          isFailure: call.output!.isFailure,
          result: call.output!.result,
          providerExecuted: false
        })
      )
    })
  ]
}

const textOf = (parts: ReadonlyArray<Prompt.Part>): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("")

const isJson = Schema.is(Schema.Json)

const ours = (options: Prompt.ProviderOptions): Record<string, unknown> => {
  const value = options[KEY]
  return Predicate.isObject(value) ? (value as Record<string, unknown>) : {}
}

/**
 * Converts messages of `effect/ai` to a transcript.
 *
 * System messages become notes. What speech models do not take (reasoning, files other than images in memory, approvals) is
 * left out. Messages that did not come from {@link toPrompt} get new ids from the `Random` service, and so does what comes
 * under an id for the second time.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromPrompt = (prompt: Prompt.Prompt): Effect.Effect<Transcript> =>
  Effect.map(Ids.generator, (newId) => entriesOf(prompt, newId))

const entriesOf = (prompt: Prompt.Prompt, newId: () => string): Transcript => {
  const entries = new Map<string, Entry>()
  const add = (entry: Entry) => {
    const id = entries.has(entry.id) ? newId() : entry.id
    entries.set(id, { ...entry, id })
    return id
  }
  const calls = new Map<string, string>() // the ids of the prompt's last calls, as they are here
  for (const message of prompt.content) {
    const meta = ours(message.options)
    const id = typeof meta.id === "string" ? meta.id : newId()
    const responseId = typeof meta.responseId === "string" ? meta.responseId : newId()
    switch (message.role) {
      case "system": {
        add({ _tag: "Note", id, text: message.content })
        break
      }
      case "user": {
        const parts = message.content.flatMap((part): Array<User["parts"][number]> => {
          if (part.type === "text") return [part.text]
          return part.mediaType.startsWith("image/") && Predicate.isUint8Array(part.data)
            ? [{ _tag: "ImageInput", image: part.data, mimeType: part.mediaType }]
            : []
        })
        if (parts.length > 0) add({ _tag: "User", id, parts })
        break
      }
      case "assistant": {
        const text = textOf(message.content)
        if (text !== "" || typeof meta.id === "string") {
          const full = typeof meta.full === "string" ? { full: meta.full } : {}
          add({ _tag: "Assistant", id, responseId, text, interrupted: meta.interrupted === true, ...full })
        }
        for (const part of message.content) {
          if (part.type !== "tool-call") continue
          const input = isJson(part.params) ? part.params : null
          calls.set(part.id, add({ _tag: "ToolCall", id: part.id, responseId, name: part.name, input }))
        }
        break
      }
      case "tool": {
        for (const part of message.content) {
          if (part.type !== "tool-result") continue
          const call = entries.get(calls.get(part.id) ?? "")
          if (call?._tag !== "ToolCall") continue
          const result = isJson(part.result) ? part.result : null
          entries.set(call.id, { ...call, output: { result, isFailure: part.isFailure } })
        }
        break
      }
    }
  }
  return Array.from(entries.values())
}
