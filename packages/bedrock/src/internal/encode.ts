/**
 * Commands as events. Each command is a batch that stays together on the wire.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { Command, ToolOutput } from "@effect-bidi/core/BidiModel"
import * as Result from "effect/Result"
import { type InputEvent, textBlock, toolResult } from "./events.ts"
import { isFields } from "@effect-bidi/core/adapter/Json"
import type { State } from "./state.ts"

type Batch = Result.Result<ReadonlyArray<InputEvent>, BidiError>

/** What this wire has no event for is refused; an interruption it hears by itself. */
export const encode = (state: State, command: Command): Batch => {
  switch (command._tag) {
    case "UserMessage": {
      if (command.parts.some((part) => typeof part !== "string")) {
        return Result.fail(state.errors.unsupported("images", "the model cannot see pictures"))
      }
      const text = command.parts.join("\n")
      if (text.trim() !== "") return ask(state, text)
      return Result.fail(state.errors.invalid("text", "a message needs text"))
    }
    case "ToolOutputs": {
      state.asked = true
      return Result.succeed(
        command.outputs.flatMap((output) => toolResult(state.promptName, nextName(state), output.id, contentOf(output)))
      )
    }
    case "Note": {
      state.notes.push(aside(command.text))
      // every text is answered: a fact that is not to be answered waits for one that is
      return command.respond ? ask(state, "") : Result.succeed([])
    }
    case "Respond":
      return ask(state, aside(command.instructions ?? "It is your turn to speak."))
    case "Interrupt":
      return Result.succeed([])
    case "TurnStart":
    case "TurnCommit":
    case "TurnClear":
      return Result.fail(state.errors.unsupported("manual turns", "the model decides by itself whose turn it is"))
    case "Update":
      return Result.fail(state.errors.unsupported("updates", "instructions and tools are those of the connection"))
  }
}

const ask = (state: State, text: string): Batch => {
  state.asked = true
  const all = [...state.notes.splice(0), text].filter((part) => part !== "").join("\n")
  return Result.succeed(textBlock(state.promptName, nextName(state), "USER", all, true))
}

/** Words that are not the user's, in the one role that is answered. Short, or they are taken for what to talk about. */
export const aside = (text: string): string => `[${text}]`

export const nextName = (state: State): string => `${state.promptName}-${++state.names}`

// Anything but an object is not JSON enough for the provider, and there is no flag for a failure.
const contentOf = ({ isFailure, result }: Pick<ToolOutput, "isFailure" | "result">): string => {
  if (!isFailure) return JSON.stringify(isFields(result) ? result : { result })
  if (isFields(result)) return JSON.stringify({ error: result })
  return JSON.stringify({ error: { message: typeof result === "string" ? result : JSON.stringify(result) } })
}
