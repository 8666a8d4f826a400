/**
 * The output of a tool call as the model gets it, for every way the call can end.
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
import { byItsSchema, shallow } from "./results.ts"
import * as WellFormed from "../conversation/wellFormed.ts"

export type Answer = Pick<ToolOutput, "result" | "isFailure">

export const failed = (message: string): Answer => ({ result: message, isFailure: true })

/** The output of a call that takes longer than the model is to wait, or that runs while its connection is replaced. */
export const STILL_WORKING: Answer = { result: "Still working on it. The result will follow.", isFailure: false }

/** The output of a call of an earlier session that has none in its log. */
export const UNKNOWN: Answer = {
  result:
    "This call began, and its result is unknown: the session ended before it was known. It may have taken effect or not. Do not take it for done or undone, and do not repeat it without asking or checking.",
  isFailure: false
}

export const STOPPED = failed("The tool was stopped before it finished.")

export const INTERRUPTED = failed("The tool was stopped because the user interrupted.")

/** An output for a model that does not know the call. */
export const asNote = (name: string, { isFailure, result }: Answer): string =>
  `The tool ${name}, called earlier, has ${isFailure ? "failed" : "finished"}: ${JSON.stringify(result)}`

/** The arguments of a call, or what is wrong with them. A model that leaves them out means none. */
export const parse = (text: string): Result.Result<Schema.Json, string> => {
  if (text.trim() === "") return Result.succeed({})
  return Result.flatMap(
    Result.try({
      try: () => Tool.unsafeSecureJsonParse(text) as Schema.Json,
      catch: (error) => (error as SyntaxError).message
    }),
    (input) => Result.map(shallow(input), WellFormed.json)
  )
}

/** The answer that a result of a tool makes. A tool that has done its work has not failed because its result cannot be encoded. */
export const ofResult = (tool: Tool.Any, result: Tool.HandlerResult<Tool.Any>): Effect.Effect<Answer> => {
  const { encodedResult, isFailure, modelOutput } = result
  const value: unknown = result.result
  // what is wrong with the arguments helps the model to try again; the tool's own failures are encoded as it declares them
  if (isFailure && AiError.isAiError(value)) return Effect.succeed(ofAiError(value))
  if (modelOutput !== undefined) {
    return Effect.succeed({ result: Prompt.toolModelOutputToText(modelOutput), isFailure: false })
  }
  const schema = isFailure ? Tool.failureResultSchema(tool) : tool.successSchema
  return Effect.map(
    byItsSchema(schema, value, encodedResult),
    Result.match({
      onSuccess: (json) => ({ result: json, isFailure }),
      onFailure: (why) =>
        isFailure ? failed(`The tool failed, and its error could not be encoded: ${why}.`) : unencodable(why)
    })
  )
}

// It begins with what has been done: a model that reads only "failed" calls the tool again.
const unencodable = (why: string): Answer =>
  failed(
    `The tool ran to its end, and what it does has been done: do not call it again. Only its result is missing, because it could not be encoded: ${why}`
  )

const ofAiError = ({ reason }: AiError.AiError): Answer =>
  reason._tag === "ToolResultEncodingError" ? unencodable(reason.description) : failed(reason.message)

/** The answer that an exit makes: `stopped` if it was interrupted. */
export const ofExit = (exit: Exit.Exit<Answer, unknown>, stopped: Answer): Answer => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return stopped
  const error = Result.getOrUndefined(Cause.findError(exit.cause))
  if (error === undefined) return failed("The tool failed unexpectedly.") // a defect is for the log, not for the model
  if (AiError.isAiError(error)) return ofAiError(error)
  const message = Predicate.hasProperty(error, "message") ? error.message : error
  return failed(Predicate.isString(message) ? message : "The tool failed.")
}
