import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import { BidiError, RateLimited } from "@effect-bidi/core/BidiError"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { OpenAiRealtime } from "../src/index.ts"
import * as F from "./fixtures/frames.ts"
import { dial, read, ready, setup, welcome } from "./support/line.ts"
import { KEY } from "./support/protocol.ts"
import * as Server from "./support/server.ts"

/** Dials, and fails. Nothing may be left. */
const failing = Effect.fnUntraced(function* (server: Server.Server, options: Parameters<typeof dial>[1] = {}) {
  const error = yield* Effect.flip(Effect.scoped(dial(server.url, options)))
  yield* server.empty
  assert.notInclude(JSON.stringify(error) + error.message, KEY)
  return error
})

describe("a connection that comes up", () => {
  it.effect("goes where the base URL says, without TLS for http, and shows the key", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.forkScoped(dial(server.url, { model: "gpt-realtime-2", organization: "org-1", project: "proj_1" }))
      const { request } = yield* server.accept
      assert.strictEqual(request.url, "/v1/realtime?model=gpt-realtime-2")
      assert.strictEqual(request.headers.authorization, `Bearer ${KEY}`)
      assert.strictEqual(request.headers["openai-organization"], "org-1")
      assert.strictEqual(request.headers["openai-project"], "proj_1")
    })
  )

  it.effect("takes key and base URL from the configuration", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const environment = ConfigProvider.fromEnvRecord({
        OPENAI_API_KEY: KEY,
        OPENAI_BASE_URL: `${server.url}/`,
        OPENAI_ORG_ID: "org-2"
      })
      const layer = Layer.provide(OpenAiRealtime.layerFromEnv(), ConfigProvider.layer(environment))
      yield* BidiModel.use((model) => model.connect(setup)).pipe(Effect.provide(layer), Effect.forkScoped)
      const { request } = yield* server.accept
      assert.strictEqual(request.url, "/v1/realtime?model=gpt-realtime-2.1")
      assert.strictEqual(request.headers.authorization, `Bearer ${KEY}`)
      assert.strictEqual(request.headers["openai-organization"], "org-2")
      assert.isUndefined(request.headers["openai-project"])
    })
  )

  it.effect("asks for its key anew every time, where the key is an effect", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      let n = 0
      const apiKey = Effect.sync(() => Redacted.make(`${KEY}-${++n}`))
      const model = yield* OpenAiRealtime.make({ apiKey, baseUrl: server.url })
      assert.strictEqual(n, 0)
      for (const expected of [1, 2]) {
        const [, { peer }] = yield* Effect.all([Effect.scoped(model.connect(setup)), welcome(server)], {
          concurrency: "unbounded"
        })
        assert.strictEqual(peer.request.headers.authorization, `Bearer ${KEY}-${expected}`)
      }
    })
  )

  it.effect("fails with what the effect says that has no key, with Auth or as it says", () =>
    Effect.gen(function* () {
      const connect = (apiKey: OpenAiRealtime.MakeOptions["apiKey"]) =>
        OpenAiRealtime.make({ apiKey }).pipe(
          Effect.flatMap((model) => Effect.scoped(model.connect(setup))),
          Effect.flip
        )
      assert.strictEqual((yield* connect(Effect.fail(`no ${KEY}`))).reason._tag, "Auth")
      const busy = new BidiError({ reason: new RateLimited({ message: "later" }) })
      assert.strictEqual(yield* connect(Effect.fail(busy)), busy)
      const empty = yield* connect(Effect.succeed(Redacted.make(" ")))
      assert.deepInclude(empty.reason, { _tag: "InvalidRequest", option: "apiKey" })
      const wrong = yield* Effect.flip(OpenAiRealtime.make({ apiKey: Effect.never, baseUrl: "ftp://x" }))
      assert.deepInclude(wrong.reason, { _tag: "InvalidRequest", option: "baseUrl" })
    })
  )

  it.effect("is not dialled with a tool that the provider would refuse", () =>
    Effect.gen(function* () {
      const tools = [{ name: "look up", description: undefined, parameters: { type: "object" } }]
      const refusal = yield* Effect.flip(Effect.scoped(dial("http://127.0.0.1:1/v1", {}, { tools })))
      assert.strictEqual(refusal.reason._tag, "InvalidRequest")
      assert.include(refusal.message, "look up")
    })
  )

  it.effect("is ready when the provider has confirmed the session, not before", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(dial(server.url, { speed: 1.2 }, { instructions: "You are Ada." }))
      const peer = yield* server.accept
      const { event_id, session } = yield* peer.expect("session.update")
      assert.isString(event_id)
      assert.strictEqual(session.instructions, "You are Ada.")
      assert.strictEqual(session.audio.output.speed, 1.2)
      peer.send({ type: "session.created", session: F.session }, { type: "rate_limits.updated", rate_limits: [] })
      assert.isUndefined(fiber.pollUnsafe())
      peer.send({ type: "session.updated", session: { ...F.session, ...session } })
      const connection = yield* Fiber.join(fiber)
      assert.strictEqual(connection.id, "sess_1")
      assert.strictEqual(connection.expiresAt, 1_800_003_600_000)
    })
  )

  it.effect("knows its end from the greeting when the confirmation does not say it, or not at all", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const one = yield* Effect.forkScoped(dial(server.url))
      yield* welcome(server, { expires_at: undefined, id: undefined })
      const { expiresAt, id } = yield* Fiber.join(one)
      assert.deepStrictEqual([id, expiresAt], ["sess_1", 1_800_003_600_000])
      const other = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      peer.send({ type: "session.updated", session: {} })
      assert.isUndefined((yield* Fiber.join(other)).expiresAt)
    })
  )

  it.effect("keeps what came before it was ready", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      peer.socket.send("{not json")
      peer.send({ type: "session.updated", session: F.session })
      const reader = yield* read(yield* Fiber.join(fiber))
      assert.strictEqual((yield* reader.next)._tag, "Problem")
    })
  )

  it.effect("ends with its scope: told to the peer, and nothing left", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const scope = yield* Scope.make()
      const fiber = yield* Effect.forkScoped(Scope.provide(dial(server.url), scope))
      const { peer } = yield* welcome(server)
      yield* Fiber.join(fiber)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* peer.closed, 1000)
      yield* server.empty
    })
  )
})

describe("a connection that does not come up", () => {
  const body = (error: object) => JSON.stringify({ error: { message: `no, ${KEY}`, type: "", param: null, ...error } })

  const refusals: ReadonlyArray<readonly [Server.Answer, reason: string, code: string]> = [
    [{ status: 401, body: body({ code: "invalid_api_key" }) }, "Auth", "invalid_api_key"],
    [{ status: 403 }, "Auth", "403"],
    [{ status: 404, body: body({ code: "model_not_found" }) }, "InvalidRequest", "model_not_found"],
    [
      { status: 429, headers: { "retry-after": "7" }, body: body({ code: "rate_limit_exceeded" }) },
      "RateLimited",
      "rate_limit_exceeded"
    ],
    [{ status: 429, body: body({ code: "insufficient_quota" }) }, "Quota", "insufficient_quota"],
    [{ status: 500, body: "oops" }, "ServerFault", "500"],
    [{ status: 503 }, "ServerFault", "503"],
    [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, "InvalidRequest", "302"]
  ]

  it.effect.each(refusals)("because it was refused: %j", ([handshake, reason, code]) =>
    Effect.gen(function* () {
      const error = yield* failing(yield* Server.make({ handshake }))
      assert.strictEqual(error.reason._tag, reason)
      assert.strictEqual(error.reason.code, code)
      assert.include(error.message, `HTTP ${handshake.status}`)
      if (error.reason._tag === "RateLimited") {
        assert.deepStrictEqual(error.reason.retryAfter, Duration.seconds(7))
      }
    })
  )

  it.effect("although the answer to the handshake does not end", () =>
    Effect.gen(function* () {
      const endless = { status: 503, unfinished: "silent", body: body({ code: "server_error" }) } as const
      const error = yield* failing(yield* Server.make({ handshake: endless }))
      assert.strictEqual(error.reason.code, "server_error")
    })
  )

  it.effect("because the answer to the handshake is too long", () =>
    Effect.gen(function* () {
      const huge = { status: 503, unfinished: "flood" } as const
      assert.strictEqual((yield* failing(yield* Server.make({ handshake: huge }))).reason._tag, "ServerFault")
    })
  )

  it.effect("because nobody listens", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(Server.make(), (server) => server.port))
      const error = yield* Effect.flip(Effect.scoped(dial(`http://127.0.0.1:${port}/v1`)))
      assert.strictEqual(error.message, `openai: ConnectionLost: could not connect to 127.0.0.1:${port} (ECONNREFUSED)`)
      assert.strictEqual(error.reason.code, "ECONNREFUSED")
    })
  )

  it.effect("because there is no such host", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(dial("http://nowhere.invalid/v1")))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.include(error.message, "nowhere.invalid:80")
    })
  )

  it.effect("and takes an address of IPv6 for one", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(Server.make(), (server) => server.port))
      const error = yield* Effect.flip(Effect.scoped(dial(`http://[::1]:${port}/v1`)))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.notInclude(["ENOTFOUND", "EAI_AGAIN"], error.reason.code)
      assert.include(error.message, `[::1]:${port}`)
    })
  )

  it.effect("because https means TLS", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const error = yield* Effect.flip(Effect.scoped(dial(server.url.replace("http:", "https:"))))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      yield* server.empty
    })
  )

  it.effect("because the provider refuses the session", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      const { event_id } = yield* peer.expect("session.update")
      peer.send(F.error({ code: "invalid_value", param: "session.audio.output.voice", event_id }))
      const error = yield* Fiber.join(fiber)
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "session.audio.output.voice")
    })
  )

  it.effect("because the provider confirms another session", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      yield* welcome(server, { audio: { output: { voice: "alloy" } } })
      const error = yield* Fiber.join(fiber)
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "audio.output.voice")
      assert.strictEqual(
        error.reason.message,
        'the provider changed audio.output.voice: asked for "marin", got "alloy"'
      )
    })
  )

  const closes: ReadonlyArray<readonly [code: number, text: string, reason: string]> = [
    [1000, "", "ConnectionLost"],
    [1001, "", "SessionExpired"],
    [1008, "no", "ConnectionLost"],
    [1011, "", "ServerFault"],
    [1013, "", "ServerFault"],
    [4000, "", "ConnectionLost"]
  ]

  it.effect.each(closes)("because it was closed: %i %j", ([code, text, reason]) =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      peer.socket.close(code, text)
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.reason._tag, error.reason.code], [reason, String(code)])
    })
  )

  it.effect("because it was dropped", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      yield* peer.expect("session.update")
      peer.socket.terminate()
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "ConnectionLost")
    })
  )
})

describe("a connection that is given up", () => {
  it.effect("leaves nothing when the handshake is not answered", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ handshake: "silence" })
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      yield* server.knocked
      yield* Fiber.interrupt(fiber)
      yield* server.empty
    })
  )

  it.effect("leaves nothing when the refusal is still being read", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ handshake: { status: 503, unfinished: "silent" } })
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      yield* server.knocked
      yield* Fiber.interrupt(fiber)
      yield* server.empty
    })
  )

  it.effect("leaves nothing when the session is not confirmed", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      const peer = yield* server.accept
      yield* peer.expect("session.update")
      yield* Fiber.interrupt(fiber)
      yield* server.empty
    })
  )

  it.effect("leaves nothing when it was just begun", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      for (const times of [0, 1, 2, 3, 4]) {
        const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)), { startImmediately: true })
        for (let i = 0; i < times; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      }
      yield* server.empty
    })
  )
})

describe("the key", () => {
  it.effect("is in no log and in no span", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ cause, message }) => void seen.push(message, cause))])
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      yield* Effect.gen(function* () {
        const { connection, peer } = yield* ready()
        const reader = yield* read(connection)
        peer.send(F.error({ message: KEY }))
        seen.push(yield* reader.next)
        peer.socket.close(4000, KEY)
        seen.push(yield* reader.end)
        yield* Effect.logError(yield* reader.end)
        const refused = { status: 401, body: JSON.stringify({ error: { message: KEY } }) }
        const server = yield* Server.make({ handshake: refused })
        seen.push(yield* Effect.exit(Effect.scoped(dial(server.url))))
      }).pipe(
        Effect.provide(logger),
        Effect.provideService(References.MinimumLogLevel, "All"),
        Effect.withTracer(tracer)
      )
      assert.isAtLeast(spans.length, 2)
      for (const span of spans as ReadonlyArray<any>) seen.push([...span.attributes], span.events, span.status)
      const text = seen.map((one) => `${String(one)} ${inspect(one, { depth: 12 })}`).join("\n")
      assert.include(text, "<redacted>")
      assert.notInclude(text, KEY)
    })
  )
})
