/**
 * What a model is told of a tool call, for every way it can end. Functions from values to values.
 */
import * as AiError from "effect/ai/AiError"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ToolOutput } from "../BidiModel.ts"

export type Answer = Pick<ToolOutput, "result" | "isFailure">

export const failed = (message: string): Answer => ({ result: message, isFailure: true })

/** For a call that takes longer than the model is to wait, or that runs while its connection is replaced. */
export const STILL_WORKING: Answer = { result: "Still working on it. The result will follow.", isFailure: false }

/** The arguments of a call, or what is wrong with them. A model that leaves them out means none. */
export const parse = (text: string): Result.Result<Schema.Json, string> =>
  Result.try({
    try: () => (text.trim() === "" ? {} : (Tool.unsafeSecureJsonParse(text) as Schema.Json)),
    catch: (error) => (error as SyntaxError).message
  })

const isJson = Schema.is(Schema.Json)

/** What a model is given has to be JSON, whatever a schema left of it. */
export const toJson = (value: unknown): Schema.Json =>
  isJson(value) ? value : ((JSON.parse(JSON.stringify(value) ?? "null") ?? null) as Schema.Json)

export const ofResult = (result: Tool.HandlerResult<Tool.Any>): Answer => {
  // What is wrong with the arguments helps the model to try again; its own failures are told as the tool declared them.
  if (result.isFailure) {
    const { encodedResult, result: error } = result
    return AiError.isAiError(error) ? failed(error.reason.message) : { result: toJson(encodedResult), isFailure: true }
  }
  if (result.modelOutput !== undefined) {
    return { result: Prompt.toolModelOutputToText(result.modelOutput), isFailure: false }
  }
  return { result: toJson(result.encodedResult), isFailure: false }
}

/** `stopped` says why, if it was interrupted. */
export const ofExit = (exit: Exit.Exit<Answer, unknown>, stopped: Answer): Answer => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return stopped
  const error = Result.getOrUndefined(Cause.findError(exit.cause))
  if (error === undefined) return failed("The tool failed unexpectedly.") // a defect is for the log, not for the model
  if (AiError.isAiError(error)) return failed(error.reason.message)
  const message = Predicate.hasProperty(error, "message") ? error.message : error
  return failed(Predicate.isString(message) ? message : "The tool failed.")
}
