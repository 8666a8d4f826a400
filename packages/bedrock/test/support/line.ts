/**
 * Both ends of a connection through the real SDK and a real HTTP/2 connection.
 */
import type { Setup } from "@effect-bidi/core/BidiModel"
import type { Entry } from "@effect-bidi/core/Transcript"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { NovaSonic } from "../../src/index.ts"
import * as Server from "./server.ts"

export { read } from "../../../core/test/support/reader.ts"

export const KEY = {
  id: "AKIDEXAMPLE0123456789",
  secret: "secret/0123456789+abcdefghijklmnop",
  token: "session-token-0123456789"
}

export const keys = {
  accessKeyId: Redacted.make(KEY.id),
  secretAccessKey: Redacted.make(KEY.secret),
  sessionToken: Redacted.make(KEY.token)
}

export const setup: Setup = { instructions: undefined, tools: [], resume: undefined }

export const model = (endpoint: string, options: NovaSonic.Options = {}) =>
  NovaSonic.make({
    endpoint,
    region: "us-east-1",
    ...(options.bearerToken === undefined ? { credentials: keys } : {}),
    ...options
  })

export const dial = (endpoint: string, options: NovaSonic.Options = {}, wanted: Partial<Setup> = {}) =>
  Effect.flatMap(model(endpoint, options), ({ connect }) => connect({ ...setup, ...wanted }))

/** A connection that is ready, and the server's end of it. The beginning of the session has been read. */
export const begun = Effect.fnUntraced(function* (
  options: NovaSonic.Options = {},
  wanted: Partial<Setup> = {},
  serverOptions: Server.Options = {}
) {
  const server = yield* Server.make(serverOptions)
  const [connection, peer] = yield* Effect.all([dial(server.url, options, wanted), server.accept], {
    concurrency: "unbounded"
  })
  yield* peer.opening
  return { server, peer, connection }
})

/** The same, told the talk so far, and listening. */
export const ready = Effect.fnUntraced(function* (options: NovaSonic.Options = {}, history: ReadonlyArray<Entry> = []) {
  const line = yield* begun(options)
  yield* line.connection.seed(history)
  if (history.length === 0) {
    yield* line.peer.expect("contentStart")
    yield* line.peer.sound
  }
  return line
})
