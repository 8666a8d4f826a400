/**
 * Both ends of a connection through the real SDK and a real socket.
 */
import type { Setup } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { OpenAiRealtime } from "../../src/index.ts"
import { session } from "../fixtures/frames.ts"
import { KEY } from "./protocol.ts"
import * as Server from "./server.ts"

export { read } from "../../../core/test/support/reader.ts"

export const setup: Setup = { instructions: undefined, tools: [], resume: undefined }

export const dial = (baseUrl: string, options: Partial<OpenAiRealtime.MakeOptions> = {}, wanted: Partial<Setup> = {}) =>
  OpenAiRealtime.make({ apiKey: Redacted.make(KEY), baseUrl, ...options }).pipe(
    Effect.flatMap((model) => model.connect({ ...setup, ...wanted }))
  )

/** The server's part of a good beginning. Confirms what was asked for. */
export const welcome = Effect.fnUntraced(function* (server: Server.Server, changes: object = {}) {
  const peer = yield* server.accept
  peer.send({ type: "session.created", session })
  const { session: asked } = yield* peer.expect("session.update")
  peer.send({ type: "session.updated", session: { ...session, ...asked, ...changes } })
  return { peer, asked }
})

/** A connection that is ready, and the server's end of it. */
export const ready = Effect.fnUntraced(function* (
  options: Partial<OpenAiRealtime.MakeOptions> = {},
  serverOptions: Server.Options = {}
) {
  const server = yield* Server.make(serverOptions)
  const [connection, { peer }] = yield* Effect.all([dial(server.url, options), welcome(server)], {
    concurrency: "unbounded"
  })
  return { server, peer, connection }
})
