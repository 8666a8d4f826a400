import { assert, describe, it } from "@effect/vitest"
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
import { inspect } from "node:util"
import { GeminiLive } from "../src/index.ts"
import * as M from "./fixtures/messages.ts"
import { dial, read, ready, setup, welcome } from "./support/line.ts"
import { endpointOf } from "../src/internal/dial.ts"
import { open } from "../src/internal/transport.ts"
import { errors, KEY } from "./support/protocol.ts"
import * as Server from "./support/server.ts"

/** Dials, and fails. Nothing may be left. */
const failing = Effect.fnUntraced(function* (
  server: Server.Server,
  options: Parameters<typeof dial>[1] = {},
  wanted: Parameters<typeof dial>[2] = {}
) {
  const error = yield* Effect.flip(Effect.scoped(dial(server.url, options, wanted)))
  yield* server.empty
  assert.notInclude(JSON.stringify(error) + error.message, KEY)
  return error
})

const path = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

describe("a connection that comes up", () => {
  it.effect("goes where the base URL says, without TLS for http, and shows the key", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.forkScoped(dial(`${server.url}/proxy`, { apiKey: Redacted.make(` ${KEY}\n`) }))
      const { request } = yield* server.accept
      assert.strictEqual(request.url, `/proxy/ws/${path}?key=${KEY}`)
      assert.isUndefined(request.headers["sec-websocket-extensions"])
    })
  )

  it.effect("takes ws for http", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.forkScoped(dial(server.url.replace("http:", "ws:")))
      yield* server.accept
    })
  )

  const previews: ReadonlyArray<Partial<GeminiLive.MakeOptions>> = [
    { apiKey: Redacted.make("auth_tokens/0123456789") },
    { model: "gemini-2.5-flash-native-audio-preview-12-2025", affectiveDialog: true },
    { model: "gemini-2.5-flash-native-audio-preview-12-2025", proactivity: { audio: true } }
  ]

  it.effect.each(previews)("uses the preview of the API for what only that has: %j", (options) =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.forkScoped(dial(server.url, options))
      const { request } = yield* server.accept
      assert.include(request.url, ".v1alpha.GenerativeService.BidiGenerateContent")
    })
  )

  const environments: ReadonlyArray<readonly [Record<string, string>, key: string]> = [
    [{ GOOGLE_API_KEY: KEY, GEMINI_API_KEY: "other" }, KEY],
    [{ GEMINI_API_KEY: "other" }, "other"],
    [{ GOOGLE_API_KEY: "", GEMINI_API_KEY: "other" }, "other"]
  ]

  it.effect.each(environments)("takes key and base URL from the configuration: %j", ([environment, key]) =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const provider = ConfigProvider.fromEnvRecord({ ...environment, GOOGLE_GEMINI_BASE_URL: `${server.url}/` })
      const layer = Layer.provide(GeminiLive.layerFromEnv(), ConfigProvider.layer(provider))
      yield* BidiModel.use((model) => model.connect(setup)).pipe(Effect.provide(layer), Effect.forkScoped)
      const { request } = yield* server.accept
      assert.strictEqual(request.url, `//ws/${path}?key=${key}`)
    })
  )

  it.effect("asks nobody but us: what the environment of the SDK says does not count", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const environment = {
        GOOGLE_GENAI_USE_VERTEXAI: "true",
        GOOGLE_GENAI_API_VERSION: "v9",
        GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:1"
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, environment)),
        () => Effect.sync(() => Object.keys(environment).forEach((name) => Reflect.deleteProperty(process.env, name)))
      )
      yield* Effect.forkScoped(dial(server.url))
      assert.strictEqual((yield* server.accept).request.url, `//ws/${path}?key=${KEY}`)
    })
  )

  it.effect("is ready when the provider has taken the setup, not before", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(dial(server.url, { voice: "Kore" }, { instructions: "You are Ada." }))
      const peer = yield* server.accept
      const asked = yield* peer.expect("setup")
      assert.strictEqual(asked.model, "models/gemini-3.8-live")
      assert.deepStrictEqual(asked.systemInstruction.parts, [{ text: "You are Ada." }])
      assert.strictEqual(asked.generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName, "Kore")
      peer.send(M.resumption({ newHandle: "early", resumable: true }))
      yield* peer.caughtUp
      assert.isUndefined(fiber.pollUnsafe())
      peer.send(M.setupComplete())
      const connection = yield* Fiber.join(fiber)
      assert.strictEqual(connection.id, "session_1")
      assert.isUndefined(connection.expiresAt)
      // what came before is not lost
      const reader = yield* read(connection)
      assert.deepStrictEqual(yield* reader.next, { _tag: "Resumable", handle: "early" })
    })
  )

  it.effect("has an id of its own where the provider gives none", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const ids: Array<string> = []
      for (let i = 0; i < 2; i++) {
        const fiber = yield* Effect.forkScoped(dial(server.url))
        const peer = yield* server.accept
        peer.send({ setupComplete: {} })
        ids.push((yield* Fiber.join(fiber)).id)
      }
      assert.match(ids[0]!, /^live_[0-9a-f]{12}$/)
      assert.notStrictEqual(ids[0], ids[1])
    })
  )

  it.effect("takes text for what else comes in binary", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      peer.socket.send(JSON.stringify(M.setupComplete()))
      assert.strictEqual((yield* Fiber.join(fiber)).id, "session_1")
    })
  )

  it.effect("survives what is no JSON, also before it is ready", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      peer.socket.send('{"setupComplete":')
      peer.send(M.setupComplete())
      const reader = yield* read(yield* Fiber.join(fiber))
      assert.strictEqual((yield* reader.next)._tag, "Problem")
    })
  )

  it.effect("declares history for a new session, and a handle for an old one", () =>
    Effect.gen(function* () {
      const fresh = (yield* ready()).asked
      assert.deepStrictEqual(fresh.historyConfig, { initialHistoryInClientContent: true })
      assert.deepStrictEqual(fresh.sessionResumption, {})
      const resumed = (yield* ready({}, {}, { resume: "handle_1" })).asked
      assert.isUndefined(resumed.historyConfig)
      assert.deepStrictEqual(resumed.sessionResumption, { handle: "handle_1" })
      const old = (yield* ready({ model: "gemini-2.5-flash-native-audio-preview-12-2025" })).asked
      assert.isUndefined(old.historyConfig)
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
  const body = (error: object) => JSON.stringify({ error: { code: 0, message: `no, ${KEY}`, ...error } })

  const refusals: ReadonlyArray<readonly [Server.Answer, reason: string, code: string]> = [
    [
      { status: 400, body: body({ message: "API key not valid.", status: "INVALID_ARGUMENT" }) },
      "Auth",
      "INVALID_ARGUMENT"
    ],
    [{ status: 401 }, "Auth", "401"],
    [{ status: 403, body: body({ status: "PERMISSION_DENIED" }) }, "Auth", "PERMISSION_DENIED"],
    [{ status: 404, body: body({ status: "NOT_FOUND" }) }, "InvalidRequest", "NOT_FOUND"],
    [
      { status: 429, headers: { "retry-after": "7" }, body: body({ status: "RESOURCE_EXHAUSTED" }) },
      "RateLimited",
      "RESOURCE_EXHAUSTED"
    ],
    [{ status: 429, body: body({ message: "You exceeded your current quota." }) }, "Quota", "429"],
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
      const endless = { status: 503, unfinished: "silent", body: body({ status: "UNAVAILABLE" }) } as const
      const error = yield* failing(yield* Server.make({ handshake: endless }))
      assert.strictEqual(error.reason._tag, "ServerFault")
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
      const error = yield* Effect.flip(Effect.scoped(dial(`http://127.0.0.1:${port}`)))
      assert.strictEqual(error.message, `google: ConnectionLost: could not connect to 127.0.0.1:${port} (ECONNREFUSED)`)
      assert.strictEqual(error.reason.code, "ECONNREFUSED")
    })
  )

  it.effect("because there is no such host", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(dial("http://nowhere.invalid")))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.include(error.message, "nowhere.invalid:80")
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

  it.effect("because the SDK does not set the session up, after it has opened the socket", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const caller = { apiKey: Redacted.make(KEY), preview: false }
      // the SDK finds out when the socket is open, and leaves it so
      const session = { model: "gemini-3.8-live", config: { explicitVadSignal: true }, history: undefined }
      const error = yield* open(endpointOf({ baseUrl: server.url }), caller, session, 16_000, errors).pipe(
        Effect.flatMap((line) => line.inbox.take),
        Effect.scoped,
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "Unsupported")
      yield* server.knocked
      yield* server.empty
    })
  )

  it.effect("because a tool has a name that the provider refuses, before anything is sent", () =>
    Effect.gen(function* () {
      const tools = [{ name: "what is it", description: undefined, parameters: {} }]
      const error = yield* Effect.flip(Effect.scoped(dial("http://nowhere.invalid", {}, { tools })))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "tools.what is it")
    })
  )

  const expired = "SessionExpired"
  const closes: ReadonlyArray<readonly [code: number, text: string, fresh: string, resumed: string]> = [
    [1000, "", "ConnectionLost", "ConnectionLost"],
    [1001, "", "ConnectionLost", "ConnectionLost"],
    [1007, "Request contains an invalid argument.", "InvalidRequest", expired],
    [1007, "API key not valid. Please pass a valid API key.", "Auth", "Auth"],
    [1007, "Invalid value at 'setup.generation_config'", "InvalidRequest", expired],
    [1008, "models/x is not found for API version v1beta", "InvalidRequest", "InvalidRequest"],
    [1008, "Your project has been denied access.", "Auth", "Auth"],
    [1008, "BidiGenerateContent session not found", "InvalidRequest", expired],
    [1011, "", "ServerFault", "ServerFault"],
    [1011, "You exceeded your current quota, please check your plan and billing details.", "Quota", "Quota"],
    [1011, "RESOURCE_EXHAUSTED", "RateLimited", "RateLimited"],
    [1013, "", "ServerFault", "ServerFault"],
    [4000, "", "ConnectionLost", "ConnectionLost"]
  ]

  it.effect.each(closes)("because it was closed: %i %j", ([code, text, fresh, resumed]) =>
    Effect.gen(function* () {
      for (const [resume, reason] of [
        [undefined, fresh],
        ["handle_1", resumed]
      ] as const) {
        const server = yield* Server.make()
        const fiber = yield* Effect.forkScoped(failing(server, {}, { resume }))
        const peer = yield* server.accept
        yield* peer.expect("setup")
        peer.socket.close(code, text)
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.reason._tag, error.reason.code], [reason, String(code)])
        assert.include(error.message, text)
      }
    })
  )

  it.effect("because there is no such model", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      peer.socket.close(
        1008,
        "models/gemini-3.8-live is not found for API version v1beta, or is not supported for bidi"
      )
      const error = yield* Fiber.join(fiber)
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "model")
    })
  )

  it.effect("because it was dropped", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      yield* peer.expect("setup")
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

  it.effect("leaves nothing when the setup is not answered", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      const peer = yield* server.accept
      yield* peer.expect("setup")
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
  it.effect("is in no log, no span and no error", () =>
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
        seen.push(connection)
        peer.send(M.content({ modelTurn: { parts: [M.part("", `audio/${KEY}`)] } }))
        seen.push(yield* reader.next)
        peer.socket.close(4000, KEY)
        seen.push(yield* reader.end)
        yield* Effect.logError(yield* reader.end)
        const refused = { status: 401, body: JSON.stringify({ error: { message: `?key=${KEY}` } }) }
        const server = yield* Server.make({ handshake: refused })
        seen.push(yield* Effect.exit(Effect.scoped(dial(server.url))))
        seen.push(yield* GeminiLive.make({ apiKey: Redacted.make(KEY) }))
        // a key that has to be written otherwise in a URL
        const odd = Redacted.make("auth_tokens/0123")
        const other = yield* Server.make({
          handshake: { status: 401, body: '{"error":{"message":"auth_tokens%2F0123"}}' }
        })
        const error = yield* Effect.flip(Effect.scoped(dial(other.url, { apiKey: odd })))
        assert.include(error.message, "<redacted>")
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
