/**
 * Both ends of a connection through the real SDK and a real socket.
 */
import type { Connection, ModelEvent, Setup } from "@effect-bidi/core/BidiModel"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import { OpenAiRealtime } from "../../src/index.ts"
import { session } from "../fixtures/frames.ts"
import { KEY } from "./protocol.ts"
import * as Server from "./server.ts"

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

export interface Reader {
  /** The next event. */
  readonly next: Effect.Effect<ModelEvent, BidiError>
  /** Why the connection ended. */
  readonly end: Effect.Effect<BidiError>
}

/** Reads events one by one. */
export const read = Effect.fnUntraced(function* (connection: Connection) {
  const events = yield* Queue.unbounded<ModelEvent, BidiError>()
  const fiber = yield* connection
    .listen((event) => void Queue.offerUnsafe(events, event))
    .pipe(
      Effect.onError((cause) => Queue.failCause(events, cause)),
      Effect.forkScoped({ startImmediately: true })
    )
  return { next: Queue.take(events), end: Effect.flip(Fiber.join(fiber)) as Effect.Effect<BidiError> } satisfies Reader
})
