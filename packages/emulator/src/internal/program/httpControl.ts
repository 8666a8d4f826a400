/**
 * The control over plain HTTP, for programs in other languages and for people with `curl`.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Control } from "../../Emulator.ts"
import { Fault } from "../../Fault.ts"
import type { Access } from "../server/httpRequests.ts"

const Reply = Schema.Struct({
  text: Schema.optional(Schema.String),
  calls: Schema.optional(
    Schema.Array(Schema.Struct({ name: Schema.String, arguments: Schema.Record(Schema.String, Schema.Unknown) }))
  )
})

const decodeFaults = Schema.decodeUnknownResult(Schema.Array(Fault))
const decodeReply = Schema.decodeUnknownResult(Reply)
const decodeText = Schema.decodeUnknownResult(Schema.Struct({ text: Schema.String }))

const help = {
  "GET /emulator/log": "the log: every message that was received or sent",
  "POST /emulator/faults/now": "a list of faults for the open connections",
  "POST /emulator/faults/next": "a list of faults for the next connection",
  "POST /emulator/faults/every": "a list of faults for every connection from now on",
  "POST /emulator/faults/reset": "cancels the faults of future connections",
  "POST /emulator/next-reply": '{"text"?, "calls"?: [{"name", "arguments"}]}: the next reply',
  "POST /emulator/next-transcript": '{"text"}: the transcript of the next spoken turn',
  "POST /emulator/hold": "pauses all replies",
  "POST /emulator/release": "continues all replies",
  "POST /emulator/unstall": "stalled connections read and write again"
}

/** Longer requests are cut off. */
const MAX_REQUEST_BYTES = 1024 * 1024

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(`${JSON.stringify(body, undefined, 2)}\n`)
}

const decoded = <A>(result: Result.Result<A, Schema.SchemaError>, use: (value: A) => Effect.Effect<unknown>) =>
  Result.isSuccess(result) ? use(result.success) : result.failure.message

/** What the request asks for, or what is wrong with it; `undefined` for an unknown path. */
const commandOf = (path: string, body: unknown, control: Control): Effect.Effect<unknown> | string | undefined => {
  switch (path) {
    case "/emulator/faults/now":
      return decoded(decodeFaults(body), (faults) => control.inject(...faults))
    case "/emulator/faults/next":
      return decoded(decodeFaults(body), (faults) => control.onNextConnection(...faults))
    case "/emulator/faults/every":
      return decoded(decodeFaults(body), (faults) => control.onEveryConnection(...faults))
    case "/emulator/faults/reset":
      return control.reset
    case "/emulator/next-reply":
      return decoded(decodeReply(body), ({ calls, text }) => control.nextReply({ text, calls: calls ?? [] }))
    case "/emulator/next-transcript":
      return decoded(decodeText(body), ({ text }) => control.nextTranscript(text))
    case "/emulator/hold":
      return control.hold
    case "/emulator/release":
      return control.release
    case "/emulator/unstall":
      return control.unstall
    default:
      return undefined
  }
}

const parse = (text: string): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** Responds to one request. */
export const respond = (request: IncomingMessage, response: ServerResponse, access: Access): void => {
  const pathname = (request.url ?? "/").split("?", 1)[0]!
  if (request.method !== "POST") {
    request.resume()
    if (pathname === "/emulator/log") return send(response, 200, access.log())
    if (pathname === "/" || pathname === "/emulator") return send(response, 200, help)
    return send(response, 404, { error: { message: `There is nothing at ${pathname}`, type: "invalid_request_error" } })
  }
  let text = ""
  request.setEncoding("utf8")
  request.on("data", (chunk: string) => {
    text += chunk
    if (text.length > MAX_REQUEST_BYTES) request.destroy()
  })
  request.on("end", () => {
    const command = commandOf(pathname, parse(text), access.control)
    if (command === undefined) return send(response, 404, help)
    if (typeof command === "string") return send(response, 400, { error: { message: command } })
    access.start(
      Effect.matchCause(command, {
        onSuccess: (answer) => send(response, 200, { ok: true, connections: answer ?? null }),
        // a fault that this provider cannot produce
        onFailure: (cause) => send(response, 400, { error: { message: Cause.prettyErrors(cause)[0]?.message } })
      })
    )
  })
}
