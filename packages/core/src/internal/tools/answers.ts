/**
 * What a model is told of a tool call, for every way it can end.
 */
import * as AiError from "effect/ai/AiError"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { ToolOutput } from "../../BidiModel.ts"
import { byItsSchema, tooDeep } from "./results.ts"
import * as WellFormed from "../conversation/wellFormed.ts"

export type Answer = Pick<ToolOutput, "result" | "isFailure">

export const failed = (message: string): Answer => ({ result: message, isFailure: true })

/** For a call that takes longer than the model is to wait, or that runs while its connection is replaced. */
export const STILL_WORKING: Answer = { result: "Still working on it. The result will follow.", isFailure: false }

/** For a call of an earlier session that has no output in its log. */
export const UNKNOWN: Answer = {
  result:
    "This call began, and its result is unknown: the session ended before it was known. It may have taken effect or not. Do not take it for done or undone, and do not repeat it without asking or checking.",
  isFailure: false
}

/** The arguments of a call, or what is wrong with them. A model that leaves them out means none. */
export const parse = (text: string): Result.Result<Schema.Json, string> =>
  Result.try({
    try: () => (text.trim() === "" ? {} : WellFormed.json(passable(Tool.unsafeSecureJsonParse(text) as Schema.Json))),
    catch: (error) => (error as SyntaxError).message
  })

const passable = (input: Schema.Json): Schema.Json => {
  const why = tooDeep(input)
  if (why !== undefined) throw new Error(why)
  return input
}

/** What a result of a tool is as an answer. A tool that has done its work has not failed because nobody can say it. */
export const ofResult = (tool: Tool.Any, result: Tool.HandlerResult<Tool.Any>): Effect.Effect<Answer> => {
  const { encodedResult, isFailure, modelOutput } = result
  const value: unknown = result.result
  // What is wrong with the arguments helps the model to try again; its own failures are told as the tool declared them.
  if (isFailure && AiError.isAiError(value)) return Effect.succeed(ofAiError(value))
  if (modelOutput !== undefined) {
    return Effect.succeed({ result: Prompt.toolModelOutputToText(modelOutput), isFailure: false })
  }
  const schema = isFailure ? Tool.failureResultSchema(tool) : tool.successSchema
  return Effect.map(
    byItsSchema(schema, value, encodedResult),
    Result.match({
      onSuccess: (json) => ({ result: json, isFailure }),
      onFailure: (why) => (isFailure ? failed(`The tool failed, and why cannot be told: ${why}.`) : unspeakable(why))
    })
  )
}

// Said first: what it did has been done. A model that hears "failed" does it again.
const unspeakable = (why: string): Answer =>
  failed(
    `The tool ran to its end, and what it does has been done: do not repeat it. Only its result cannot be told, because it could not be encoded: ${why}`
  )

const ofAiError = ({ reason }: AiError.AiError): Answer =>
  reason._tag === "ToolResultEncodingError" ? unspeakable(reason.description) : failed(reason.message)

/** `stopped` says why, if it was interrupted. */
export const ofExit = (exit: Exit.Exit<Answer, unknown>, stopped: Answer): Answer => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return stopped
  const error = Result.getOrUndefined(Cause.findError(exit.cause))
  if (error === undefined) return failed("The tool failed unexpectedly.") // a defect is for the log, not for the model
  if (AiError.isAiError(error)) return ofAiError(error)
  const message = Predicate.hasProperty(error, "message") ? error.message : error
  return failed(Predicate.isString(message) ? message : "The tool failed.")
}
