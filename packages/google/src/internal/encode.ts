/**
 * Commands as messages. Each command is a batch that stays together on the wire.
 *
 * The wire has one way to ask for a reply that all models have: text of the user (`realtimeInput.text`). What the
 * application says on its own account goes the same way, and says so.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { Command, ToolOutput, UserPart } from "@effect-bidi/core/BidiModel"
import { FunctionResponseScheduling } from "@google/genai"
import type { Blob, FunctionResponse, Part } from "@google/genai"
import { wireId } from "./toolCalls.ts"
import type { ClientMessage, State } from "./state.ts"

/** Why a command is not taken. Nothing of it is sent. */
export const refusal = ({ errors, session }: State, command: Command): BidiError | undefined => {
  switch (command._tag) {
    case "UserMessage": {
      const wrong = command.parts.find((part) => typeof part !== "string" && !isPicture(part.mimeType))
      if (wrong === undefined || typeof wrong === "string") return undefined
      return errors.invalid("mimeType", `${wrong.mimeType} cannot be read: image/png and image/jpeg can`)
    }
    case "Note":
      return command.respond || session.context
        ? undefined
        : errors.unsupported("notes without a reply", `${session.model} answers everything it is told while it talks`)
    case "TurnClear":
      return errors.unsupported("clearing a turn", "speech that was sent cannot be taken back")
    case "Update":
      return errors.unsupported("updates", "instructions and tools are those of the connection")
    default:
      return undefined
  }
}

/** The messages of a command that is taken. */
export const encode = (state: State, command: Command): ReadonlyArray<ClientMessage> => {
  switch (command._tag) {
    case "UserMessage":
      return ask(state, wordsOf(command.parts), command.parts)
    case "ToolOutputs":
      return answer(state, command.outputs)
    case "Note":
      return command.respond ? ask(state, note(command.text)) : [content([{ text: note(command.text) }], false)]
    case "Respond":
      return ask(state, prompt(command.instructions))
    // there is no message for it: speech and text cut the reply off by themselves, and what still comes of it is dropped
    case "Interrupt":
      return []
    case "TurnStart":
      state.activity = true
      return [signal("activityStart")]
    case "TurnCommit":
      state.activity = false
      state.committed = true
      state.owed = "speech"
      return [signal("activityEnd")]
    case "TurnClear":
    case "Update":
      return []
  }
}

const isPicture = (type: string): boolean => type === "image/png" || type === "image/jpeg"

const signal = (name: "activityStart" | "activityEnd"): ClientMessage => ({ realtimeInput: { [name]: {} } })

// Where the application says when the user's turns begin and end, what is written is a turn as well, or a part of one.
const ask = (state: State, words: string, parts: ReadonlyArray<UserPart> = []): ReadonlyArray<ClientMessage> => {
  const text = [...state.untold.splice(0), words].join("\n\n")
  const pictures = parts.flatMap(pictureOf)
  state.owed = "command"
  const { activity, session } = state
  const live = [...pictures.map((video) => ({ realtimeInput: { video } })), { realtimeInput: { text } }]
  if (!session.manual || activity) return live
  return session.context
    ? [content([...pictures.map((inlineData) => ({ inlineData })), { text }], true)]
    : [signal("activityStart"), ...live, signal("activityEnd")]
}

const pictureOf = (part: UserPart): ReadonlyArray<Blob> =>
  typeof part === "string" ? [] : [{ mimeType: part.mimeType, data: Base64.encode(part.image) }]

// pictures alone are looked at, but not answered
const wordsOf = (parts: ReadonlyArray<UserPart>): string =>
  parts.filter((part) => typeof part === "string").join("\n") || "[The user shows this picture.]"

const answer = (state: State, outputs: ReadonlyArray<ToolOutput>): ReadonlyArray<ClientMessage> => {
  state.owed = "command"
  for (const { id } of outputs) state.calls.delete(id)
  // the model has waited within its turn, of which the answer is the rest
  if (state.session.blocking) {
    state.begun = false
    state.resuming = true
    state.awaited = false
  }
  const functionResponses = outputs.map(({ id, isFailure, name, result }, index): FunctionResponse => ({
    ...wireId(state, id),
    name,
    response: isFailure ? { error: informative(result) } : { output: informative(result) },
    ...scheduling(state, index === outputs.length - 1)
  }))
  return [{ toolResponse: { functionResponses } }]
}

// One reply to all of them: the last one asks for it.
const scheduling = ({ session: { scheduling } }: State, last: boolean) => {
  if (scheduling === undefined) return {}
  if (!last) return { scheduling: FunctionResponseScheduling.SILENT }
  return {
    scheduling: scheduling === "interrupt" ? FunctionResponseScheduling.INTERRUPT : FunctionResponseScheduling.WHEN_IDLE
  }
}

// A model that gets nothing calls again.
const informative = (result: ToolOutput["result"]): ToolOutput["result"] => {
  if (result === null || result === "") return "Done. There is no result."
  if (typeof result !== "object" || Object.keys(result).length > 0) return result
  return Array.isArray(result) ? "Done. The result is an empty list." : "Done. The result is empty."
}

export const note = (text: string): string => `[From the application: ${text}]`

const prompt = (instructions = "Say what you would say next, without mentioning this."): string => note(instructions)

/** Content of the user; without `answer` it waits for something to answer. */
const content = (parts: Array<Part>, answer: boolean): ClientMessage => ({
  clientContent: { turns: [{ role: "user", parts }], turnComplete: answer }
})
