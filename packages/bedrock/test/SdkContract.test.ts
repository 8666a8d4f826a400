/**
 * What this package relies on inside the AWS SDK, so that an upgrade that changes it is seen: here, not in a call.
 */
import { assert, describe, it } from "@effect/vitest"
import { BedrockRuntimeClient, InvokeModelWithBidirectionalStreamCommand } from "@aws-sdk/client-bedrock-runtime"
import { NodeHttp2Handler } from "@smithy/node-http-handler"
import * as Effect from "effect/Effect"
import type * as http2 from "node:http2"
import * as net from "node:net"
import { silentLogger } from "../src/internal/account.ts"
import { environment } from "./support/environment.ts"
import * as Server from "./support/server.ts"

const identity = { accessKeyId: "AKID", secretAccessKey: "secret" }

type Handled = Parameters<NodeHttp2Handler["handle"]>

/** The SDK as it is, with eyes on its handler. Aborted and destroyed in the end. */
const open = Effect.fnUntraced(function* (options: Server.Options = {}, more: object = {}) {
  const server = yield* Server.make(options)
  const calls: Array<{ readonly isEventStream?: boolean; readonly abortSignal?: unknown }> = []
  const streams: Array<unknown> = []
  const dialed: Array<net.Socket> = []
  const handler = new NodeHttp2Handler({
    sessionTimeout: 600_000,
    nodeHttp2ConnectOptions: {
      createConnection: (authority) => {
        const socket = net.connect({ host: authority.hostname, port: Number(authority.port) })
        dialed.push(socket)
        return socket
      }
    }
  })
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: server.url,
    credentials: identity,
    logger: silentLogger,
    requestHandler: {
      metadata: handler.metadata,
      handle: async (request: Handled[0], options: Handled[1]) => {
        calls.push(options as object)
        const answer = await handler.handle(request, options)
        streams.push(answer.response.body)
        return answer
      },
      updateHttpClientConfig: (key, value) => handler.updateHttpClientConfig(key, value),
      httpHandlerConfigs: () => handler.httpHandlerConfigs(),
      destroy: () => handler.destroy()
    },
    ...more
  })
  const abort = new AbortController()
  yield* Effect.addFinalizer(() => Effect.sync(() => abort.abort()))
  let pulled = 0
  let returned = false
  const bytes = Buffer.from(JSON.stringify({ event: { audioInput: { content: "x".repeat(1400) } } }))
  const body = (count: number, ends: boolean) => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        pulled < count
          ? (pulled++, Promise.resolve({ done: false as const, value: { chunk: { bytes } } }))
          : ends
            ? Promise.resolve({ done: true as const, value: undefined })
            : new Promise<never>(() => {}),
      return: () => {
        returned = true
        return Promise.resolve({ done: true as const, value: undefined })
      }
    })
  })
  let settled: "pending" | "resolved" | "rejected" = "pending"
  const send = (count = 1, ends = false) => {
    const command = new InvokeModelWithBidirectionalStreamCommand({ modelId: "m", body: body(count, ends) })
    const sent = client.send(command, { abortSignal: abort.signal })
    sent.then(
      () => (settled = "resolved"),
      () => (settled = "rejected")
    )
    return sent
  }
  return {
    server,
    client,
    abort,
    calls,
    streams,
    dialed,
    send,
    state: () => ({ pulled, returned, settled })
  }
})

const caught = (promise: Promise<unknown>) =>
  Effect.promise(() => promise.catch((error: unknown) => error)) as Effect.Effect<any>

describe("the AWS SDK", () => {
  it.effect("answers `send` with the first event, not with the headers", () =>
    Effect.gen(function* () {
      const { send, server, state, streams } = yield* open()
      const sent = send()
      const peer = yield* server.accept
      yield* Server.turns(20)
      assert.strictEqual(streams.length, 1)
      assert.strictEqual(state().settled, "pending")
      peer.send({ completionStart: {} })
      yield* Effect.promise(() => sent)
    })
  )

  it.effect("uses a handler as it is, and tells it what kind of request it has", () =>
    Effect.gen(function* () {
      const { abort, calls, send, server } = yield* open()
      void send()
      yield* server.accept
      assert.strictEqual(calls.length, 1)
      assert.isTrue(calls[0]!.isEventStream)
      assert.strictEqual(calls[0]!.abortSignal, abort.signal)
    })
  )

  it.effect("lets us make the socket, a new one for each stream", () =>
    Effect.gen(function* () {
      const { dialed, send, server } = yield* open()
      void send()
      void send()
      yield* Effect.all([server.accept, server.accept])
      assert.strictEqual(dialed.length, 2)
      assert.strictEqual(server.sessions.size, 2)
    })
  )

  it.effect("shows the stream of HTTP/2 with the headers, and closes its session to pings", () =>
    Effect.gen(function* () {
      const { send, server, streams } = yield* open()
      void send()
      yield* server.accept
      yield* Server.turns(20)
      const [stream] = streams as ReadonlyArray<http2.ClientHttp2Stream>
      assert.isFunction(stream!.once)
      assert.isFalse(stream!.destroyed)
      assert.isTrue(stream!.session?.closed)
      const error = yield* Effect.callback<Error | null>(
        (resume) => void stream!.session!.ping((error) => resume(Effect.succeed(error)))
      )
      assert.strictEqual((error as NodeJS.ErrnoException | null)?.code, "ERR_HTTP2_PING_CANCEL")
    })
  )

  it.effect("pulls some way ahead of a network that takes nothing, and not further", () =>
    Effect.gen(function* () {
      const { send, server, state } = yield* open()
      void send(100_000)
      const peer = yield* server.accept
      peer.stream.pause()
      let last = -1
      while (state().pulled > last) {
        last = state().pulled
        yield* Server.turns(40)
      }
      // 64 KB of the window of HTTP/2 among them
      assert.isAbove(last, 40)
      assert.isBelow(last, 200)
    })
  )

  it.effect("tries once", () =>
    Effect.gen(function* () {
      const { calls, send } = yield* open({ answers: [{ status: 503, body: '{"message":"no"}' }] })
      assert.strictEqual((yield* caught(send())).$metadata.httpStatusCode, 503)
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("ends a stream that was cut off like one that ended", () =>
    Effect.gen(function* () {
      for (const cut of [(peer: Server.Peer) => peer.stream.end(), (peer: Server.Peer) => peer.stream.close(2)]) {
        const { send, server, state } = yield* open()
        const sent = send()
        const peer = yield* server.accept
        peer.send({ completionStart: {} })
        const { body } = yield* Effect.promise(() => sent)
        cut(peer)
        let events = 0
        yield* Effect.promise(async () => {
          for await (const _ of body!) events++
        })
        assert.strictEqual(events, 1)
        // and forgets the input
        assert.isFalse(state().returned)
      }
    })
  )

  it.effect("leaves a connection open unless it is aborted: after an exception, and for a reader that stops", () =>
    Effect.gen(function* () {
      const { abort, client, send, server } = yield* open({ polite: false })
      const sent = send()
      const peer = yield* server.accept
      peer.send({ completionStart: {} }, { completionStart: {} })
      const { body } = yield* Effect.promise(() => sent)
      yield* Effect.promise(async () => {
        for await (const _ of body!) break
      })
      client.destroy()
      yield* Server.turns(20)
      assert.strictEqual(server.sessions.size, 1)
      const failing = send()
      const other = yield* server.accept
      other.raise("throttlingException", "slow")
      assert.strictEqual((yield* caught(failing)).name, "ThrottlingException")
      yield* Server.turns(20)
      assert.strictEqual(server.sessions.size, 2)
      abort.abort()
      yield* server.empty
    })
  )

  it.effect("names exceptions by class where it knows them, and as they come where it does not", () =>
    Effect.gen(function* () {
      const names = [
        ["modelTimeoutException", "ModelTimeoutException", "no"],
        ["ModelTimeoutException", "ModelTimeoutException", '{"message":"no"}'],
        ["newException", "newException", '{"message":"no"}']
      ] as const
      for (const [wire, name, message] of names) {
        const { send, server } = yield* open()
        const sent = send()
        const peer = yield* server.accept
        peer.raise(wire, "no")
        const error = yield* caught(sent)
        assert.strictEqual(error.name, name)
        assert.isTrue(error.message.startsWith(message), error.message)
      }
    })
  )

  it.effect("signs events with credentials even where an API key proves who calls", () =>
    Effect.gen(function* () {
      yield* environment()
      const bearer = { authSchemePreference: ["httpBearerAuth"], token: { token: "key" }, credentials: undefined }
      const { send } = yield* open({ answers: ["silence"] }, bearer)
      // of input that goes on nobody would ever hear
      assert.include((yield* caught(send(1, true))).message, "Could not load credentials")
    })
  )

  it("has credentials that are remembered, shared and refreshed on demand", async () => {
    const asked: Array<boolean> = []
    const credentials = async (options?: { readonly forceRefresh?: boolean }) => {
      asked.push(options?.forceRefresh === true)
      return identity
    }
    const first = new BedrockRuntimeClient({ region: "us-east-1", credentials, logger: silentLogger })
    const shared = first.config.credentials
    const second = new BedrockRuntimeClient({ region: "us-east-1", credentials: shared, logger: silentLogger })
    await shared()
    await second.config.credentials()
    await shared({ forceRefresh: true })
    assert.deepStrictEqual(asked, [false, true])
  })

  it("has a region that is looked up, or refused", async () => {
    const client = new BedrockRuntimeClient({ region: "eu-north-1", logger: silentLogger })
    assert.strictEqual(await client.config.region(), "eu-north-1")
  })
})
