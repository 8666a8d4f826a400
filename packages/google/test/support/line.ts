/**
 * Both ends of a connection through the real SDK and a real socket.
 */
import type { Setup } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { GeminiLive } from "../../src/index.ts"
import { setupComplete } from "../fixtures/messages.ts"
import { KEY } from "./protocol.ts"
import * as Server from "./server.ts"

export { read } from "../../../core/test/support/reader.ts"

export const setup: Setup = { instructions: undefined, tools: [], resume: undefined }

export const dial = (baseUrl: string, options: Partial<GeminiLive.MakeOptions> = {}, wanted: Partial<Setup> = {}) =>
  GeminiLive.make({ apiKey: Redacted.make(KEY), baseUrl, ...options }).pipe(
    Effect.flatMap((model) => model.connect({ ...setup, ...wanted }))
  )

/** The server's part of a good beginning. */
export const welcome = Effect.fnUntraced(function* (server: Server.Server) {
  const peer = yield* server.accept
  const asked = yield* peer.expect("setup")
  peer.send(setupComplete())
  return { peer, asked }
})

/** A connection that is ready, and the server's end of it. */
export const ready = Effect.fnUntraced(function* (
  options: Partial<GeminiLive.MakeOptions> = {},
  serverOptions: Server.Options = {},
  wanted: Partial<Setup> = {}
) {
  const server = yield* Server.make(serverOptions)
  const [connection, { asked, peer }] = yield* Effect.all([dial(server.url, options, wanted), welcome(server)], {
    concurrency: "unbounded"
  })
  return { server, peer, asked, connection }
})
