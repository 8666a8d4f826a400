import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { WebSocket } from "ws"
import { dial, endpointOf } from "../src/internal/dial.ts"
import { KEY } from "./support/protocol.ts"
import * as Server from "./support/server.ts"

const call = Effect.fnUntraced(function* (options: Server.Options = {}) {
  const server = yield* Server.make(options)
  const failed = yield* Deferred.make<void>()
  const caller = { apiKey: Redacted.make(KEY), preview: false }
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => {
      let socket: WebSocket | undefined
      const attach = (made: WebSocket) => void (socket = made.on("error", () => {}))
      const session = { model: "gemini-3.8-live", config: {}, history: undefined }
      dial(endpointOf({ baseUrl: server.url }), caller, session, attach, () => Deferred.doneUnsafe(failed, Exit.void))
      assert(socket !== undefined)
      return socket
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )
  return { server, socket, failed: Deferred.await(failed) }
})

it.effect("a socket does not wait for ever to be let in, whoever has forgotten it", () =>
  Effect.gen(function* () {
    const { server, socket } = yield* call({ handshake: "silence" })
    yield* server.knocked
    // where `ws` keeps its request
    assert.strictEqual(Reflect.get(socket, "_req").timeout, 60_000)
  })
)

it.effect("the SDK hears of the end of its socket, and waits for nothing any more", () =>
  Effect.gen(function* () {
    const { failed, server } = yield* call()
    const peer = yield* server.accept
    peer.socket.close(1008)
    yield* failed
  })
)
