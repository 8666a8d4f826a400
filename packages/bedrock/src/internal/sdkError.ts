/**
 * Reading what the AWS SDK throws. It is never passed on: it holds the request, and with it credentials.
 */
import * as Json from "@effect-bidi/core/adapter/Json"

export interface SdkError {
  /** The name of the exception: the one thing that is the same for all its shapes. */
  readonly name: string
  readonly message: string
  /** Of the response that refused the request, if that is what happened. */
  readonly status: number | undefined
  readonly retryAfter: string | undefined
  /** For people: the exception, or what the operating system calls the trouble. */
  readonly code: string | undefined
  /** The provider said it, in a class of its own or in one that is not known. */
  readonly isService: boolean
}

// Of JavaScript, of Node and of the SDK's transport; every other name is that of an exception on the wire.
const local = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "AbortError",
  "TimeoutError",
  "Unknown",
  "UnknownError"
])

export const shapeOf = (raw: unknown): SdkError => {
  const error = innermost(fields(raw))
  const name = capital(Json.filledText(error, "name") ?? "Error")
  const isService = !local.has(name)
  const status = fields(error.$metadata).httpStatusCode
  const refused = typeof status === "number" && status >= 400 ? status : undefined
  const headers = fields(fields(error.$response).headers)
  return {
    name,
    // what the SDK could not read is quoted by it, unread
    message: name === "SyntaxError" || name === "Unknown" ? "" : (said(Json.filledText(error, "message") ?? "") ?? ""),
    status: refused,
    retryAfter: Json.filledText(headers, "retry-after"),
    code: isService ? name : refused === undefined ? Json.filledText(error, "code") : String(refused),
    isService
  }
}

const fields = (value: unknown): Json.Fields => (Json.isFields(value) ? value : {})

// The SDK wraps what its signing throws.
const innermost = (error: Json.Fields): Json.Fields =>
  Json.filledText(error, "message")?.startsWith("Pipeline error in @aws-sdk/") === true && Json.isFields(error.cause)
    ? fields(error.cause)
    : error

// Frames name a member of the union, responses name the class.
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

// An exception the SDK does not know comes with its JSON for a message, and with a hint for developers.
const said = (message: string): string | undefined => {
  const [first = ""] = message.split("\n")
  if (first.startsWith("Command failed")) return "the credential process failed"
  if (!first.startsWith("{")) return first
  try {
    const body = fields(JSON.parse(first))
    return Json.filledText(body, "message") ?? Json.filledText(body, "Message")
  } catch {
    return first
  }
}
