/**
 * What was said, and what of it was heard.
 *
 * A transcript is a list of entries in the order of the talk. Every entry has an id; writing an entry with a known id
 * replaces it in its place, so that words that come late stand where they were spoken. Everything here is a function
 * from values to values.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { ImageInput } from "./BidiEvent.ts"
import { wordsBefore } from "./Spoken.ts"

/**
 * What the user said, typed or showed. No parts yet: the turn was taken, its words are still to come.
 *
 * @category schemas
 */
export const User = Schema.TaggedStruct("User", {
  id: Schema.String,
  parts: Schema.Array(Schema.Union([Schema.String, ImageInput]))
})

/**
 * What the agent said. `text` is what was **heard** of it, and this is what a model is told again. Where that is not all,
 * `full` holds what it had meant to say: when the agent was cut off (then `interrupted` is set), or while it is still
 * speaking (then it is not).
 *
 * @category schemas
 */
export const Assistant = Schema.TaggedStruct("Assistant", {
  id: Schema.String,
  responseId: Schema.String,
  text: Schema.String,
  interrupted: Schema.Boolean,
  full: Schema.optionalKey(Schema.String)
})

/**
 * A tool call, with its output once there is one.
 *
 * @category schemas
 */
export const ToolCall = Schema.TaggedStruct("ToolCall", {
  id: Schema.String,
  responseId: Schema.String,
  name: Schema.String,
  input: Schema.Json,
  output: Schema.optionalKey(Schema.Struct({ result: Schema.Json, isFailure: Schema.Boolean }))
})

/**
 * A fact that the application told the model.
 *
 * @category schemas
 */
export const Note = Schema.TaggedStruct("Note", { id: Schema.String, text: Schema.String })

/**
 * @category schemas
 */
export const Entry = Schema.Union([User, Assistant, ToolCall, Note])

/**
 * @category models
 */
export type User = typeof User.Type

/**
 * @category models
 */
export type Assistant = typeof Assistant.Type

/**
 * @category models
 */
export type ToolCall = typeof ToolCall.Type

/**
 * @category models
 */
export type Note = typeof Note.Type

/**
 * @category models
 */
export type Entry = typeof Entry.Type

/**
 * @category models
 */
export type Transcript = ReadonlyArray<Entry>

/**
 * @category constructors
 */
export const empty: Transcript = []

/**
 * Writes an entry: in the place of the one with its id, else at the end.
 *
 * @category combinators
 */
export const put = (self: Transcript, entry: Entry): Transcript => {
  const index = self.findLastIndex((e) => e.id === entry.id)
  return index === -1 ? [...self, entry] : self.with(index, entry)
}

/**
 * The transcript that a log of writes adds up to.
 *
 * @category constructors
 */
export const fromLog = (log: Iterable<Entry>): Transcript => {
  const byId = new Map<string, Entry>()
  for (const entry of log) byId.set(entry.id, entry)
  return Array.from(byId.values())
}

/**
 * Splits off what the user said last and the agent has not answered.
 *
 * @category combinators
 */
export const splitUnanswered = (self: Transcript): readonly [answered: Transcript, unanswered: ReadonlyArray<User>] => {
  const last = self.findLastIndex((entry) => entry._tag !== "User")
  return [self.slice(0, last + 1), self.slice(last + 1) as ReadonlyArray<User>]
}

/**
 * Where in a text a voice is: after `chars` characters, `until` milliseconds of its audio have been spoken.
 *
 * @category models
 */
export interface Mark {
  readonly chars: number
  readonly until: number
}

/**
 * The part of `text` that was heard when `heard` of `produced` milliseconds were played. It ends with a whole word, in
 * any script (`Intl.Segmenter`): a word that was only begun was not heard, except for one so long that it is cut between
 * two characters. The voice goes evenly from mark to mark, from the first character to the last where there are none.
 * Marks are in the order of the text.
 *
 * @category combinators
 */
export const heardText = (text: string, heard: number, produced: number, marks: ReadonlyArray<Mark> = []): string => {
  if (heard <= 0 || produced <= 0) return ""
  if (heard >= produced) return text
  let from: Mark = { chars: 0, until: 0 }
  let to: Mark = { chars: text.length, until: Math.max(produced, marks.at(-1)?.until ?? 0) }
  for (const mark of marks) {
    if (mark.until > heard) {
      to = mark
      break
    }
    from = mark
  }
  const span = to.until - from.until
  const end = span <= 0 ? from.chars : from.chars + Math.floor(((to.chars - from.chars) * (heard - from.until)) / span)
  return wordsBefore(text, end)
}

// ---------------------------------------------------------------------------------------------------------------------
// effect/ai Prompt
// ---------------------------------------------------------------------------------------------------------------------

const KEY = "effect-bidi"

/**
 * As messages for `effect/ai`, without entries of which no words were said or heard (yet): calls that one response made together are one
 * assistant message and one tool message.
 * What a `Prompt` has no field for (ids, interruption) is kept in the options under `effect-bidi`.
 *
 * @category conversions
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
 * From messages of `effect/ai`. System messages become notes; parts that speech models cannot be told (reasoning,
 * files other than images in memory, approvals) are left out. Messages that did not come from {@link toPrompt} get ids
 * that nothing else has, and so does what comes under an id a second time.
 *
 * @category conversions
 */
export const fromPrompt = (prompt: Prompt.Prompt): Transcript => {
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

const isSame = Schema.toEquivalence(Entry)

/**
 * What has to be written to put `that` behind `self` without replacing anything there: what is among them already, as it
 * is, is left out, and anything else under an id of theirs gets one that nothing else has.
 *
 * @category combinators
 */
export const additions = (self: Transcript, that: Transcript): Transcript => {
  const known = new Map(self.map((entry) => [entry.id, entry]))
  return that.flatMap((entry) => {
    const other = known.get(entry.id)
    if (other === undefined) return [entry]
    return isSame(other, entry) ? [] : [{ ...entry, id: newId() }]
  })
}

// 32 characters: the longest id that every provider takes
const newId = (): string => crypto.randomUUID().replaceAll("-", "")
