/**
 * What an emulator does with plain HTTP requests. The program answers them with its control; the library does not.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Control, Entry } from "../../Emulator.ts"

export interface Access {
  readonly control: Control
  readonly log: () => ReadonlyArray<Entry>
  readonly start: (effect: Effect.Effect<void>) => unknown
}

type HttpRequests = (request: IncomingMessage, response: ServerResponse, access: Access) => void

const notFound: HttpRequests = (request, response) => {
  request.resume()
  response.writeHead(404, { "content-type": "application/json" })
  response.end('{"error":{"message":"This server has no HTTP API.","type":"invalid_request_error"}}\n')
}

export const HttpRequests = Context.Reference<HttpRequests>("@effect-bidi/emulator/HttpRequests", {
  defaultValue: () => notFound
})
