import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as net from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as Tracer from "effect/Tracer"
import { ASSUMED_ACCEPTED_AFTER } from "../src/internal/transport.ts"
import { begun, dial, KEY, read, ready } from "./support/line.ts"
import * as Server from "./support/server.ts"

const secrets = [KEY.id, KEY.secret, KEY.token]

/** Dials, and fails. Nothing may be left. */
const failing = Effect.fnUntraced(function* (server: Server.Server, options: Parameters<typeof dial>[1] = {}) {
  const error = yield* Effect.flip(Effect.scoped(dial(server.url, options)))
  yield* server.empty
  for (const secret of secrets) assert.notInclude(JSON.stringify(error) + error.message, secret)
  return error
})

describe("a connection that comes up", () => {
  it.effect("asks for the model, signed", () =>
    Effect.gen(function* () {
      const { peer } = yield* begun({ region: "eu-north-1" })
      assert.strictEqual(peer.headers[":path"], "/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream")
      assert.strictEqual(peer.headers["x-amz-content-sha256"], "STREAMING-AWS4-HMAC-SHA256-EVENTS")
      assert.match(
        String(peer.headers.authorization),
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0123456789\/\d+\/eu-north-1\/bedrock\//
      )
      assert.strictEqual(peer.headers["x-amz-security-token"], KEY.token)
    })
  )

  it.effect("begins with the session, the prompt and the part the model plays, and waits there", () =>
    Effect.gen(function* () {
      const tool = { name: "a", description: undefined, parameters: { type: "object" } } as const
      const { connection, peer } = yield* begun(
        { voice: "tiffany", endpointing: "HIGH" },
        { instructions: "You are Ada.", tools: [tool] }
      )
      const { role } = yield* peer.expect("contentStart")
      assert.strictEqual(role, "SYSTEM")
      const { content, promptName } = yield* peer.expect("textInput")
      assert.strictEqual(content, "You are Ada.")
      yield* peer.expect("contentEnd")
      // what it is called is unique, and all of it is called so
      assert.match(connection.id, /^[0-9a-f-]{36}$/)
      assert.strictEqual(promptName, connection.id)
      yield* TestClock.adjust("30 seconds")
      yield* Server.turns(10)
      assert.deepStrictEqual(peer.seen().slice(5), [])
    })
  )

  it.effect("has no block for a part that is empty", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* begun({}, { instructions: "  " })
      yield* connection.seed([])
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
    })
  )

  it.effect("is ready with the headers of the response, long before the model says anything", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"] })
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      yield* peer.opening
      assert.isUndefined(fiber.pollUnsafe())
      peer.respond()
      yield* Fiber.join(fiber)
    })
  )

  it.effect("is ready when the provider has not refused it for a while, should its headers wait for its words", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"] })
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      yield* peer.opening
      yield* TestClock.adjust(Duration.subtract(Duration.fromInputUnsafe(ASSUMED_ACCEPTED_AFTER), Duration.millis(1)))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const connection = yield* Fiber.join(fiber)
      const reader = yield* read(connection)
      yield* connection.seed([])
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
      peer.respond()
      peer.send({ contentStart: { contentId: "u", type: "TEXT", role: "USER" } })
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
    })
  )

  it.effect("keeps the caller waiting for less than half a second where headers come with the first event only", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"] })
      const fiber = yield* Effect.forkScoped(dial(server.url))
      const peer = yield* server.accept
      yield* peer.opening
      yield* TestClock.adjust("499 millis")
      yield* (yield* Fiber.join(fiber)).send({ _tag: "Respond", instructions: "Greet." })
      yield* peer.sound
    })
  )

  it.effect("lasts for eight minutes", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const { connection } = yield* begun()
      assert.strictEqual(connection.expiresAt, 1_800_000_480_000)
    })
  )

  it.effect("ends with its scope: told to the provider, and nothing left", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { peer, server } = yield* Effect.gen(function* () {
        const server = yield* Server.make()
        const [connection, peer] = yield* Effect.all([Scope.provide(dial(server.url), scope), server.accept], {
          concurrency: "unbounded"
        })
        yield* connection.seed([])
        yield* peer.sound
        return { peer, server }
      })
      yield* Scope.close(scope, Exit.void)
      yield* peer.ended
      assert.deepStrictEqual(peer.seen(), [
        "sessionStart",
        "promptStart",
        "contentStart",
        "audioInput",
        "contentEnd",
        "promptEnd",
        "sessionEnd",
        "end"
      ])
      yield* server.empty
    })
  )
})

describe("a connection that does not come up", () => {
  const refusal = (status: number, name: string | undefined, message = `no, ${KEY.token}`, headers: object = {}) => ({
    status,
    headers: { ...(name === undefined ? {} : { "x-amzn-errortype": `${name}:http://internal/` }), ...headers },
    body: JSON.stringify({ message })
  })

  const refusals: ReadonlyArray<readonly [Server.Answer, reason: string, code: string]> = [
    [refusal(403, "AccessDeniedException"), "Auth", "AccessDeniedException"],
    [refusal(403, "UnrecognizedClientException"), "Auth", "UnrecognizedClientException"],
    [refusal(403, "InvalidSignatureException"), "Auth", "InvalidSignatureException"],
    [refusal(400, "ServiceQuotaExceededException"), "Quota", "ServiceQuotaExceededException"],
    [refusal(429, "ThrottlingException", "slow", { "retry-after": "7" }), "RateLimited", "ThrottlingException"],
    [refusal(400, "ValidationException"), "InvalidRequest", "ValidationException"],
    [refusal(404, "ResourceNotFoundException"), "InvalidRequest", "ResourceNotFoundException"],
    [refusal(500, "InternalServerException"), "ServerFault", "InternalServerException"],
    [refusal(503, "ServiceUnavailableException"), "ServerFault", "ServiceUnavailableException"],
    [refusal(424, "ModelErrorException"), "ServerFault", "ModelErrorException"],
    [{ status: 503, headers: { "content-type": "text/html" }, body: "<html>" }, "ServerFault", "503"],
    [{ status: 403, body: "" }, "Auth", "403"]
  ]

  it.effect.each(refusals)("because it was refused: %j", ([answer, reason, code]) =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: [answer] })
      const error = yield* failing(server)
      assert.deepStrictEqual([error.reason._tag, error.reason.code], [reason, code])
      assert.include(error.message, `the connection was refused with HTTP ${answer.status}`)
      if (error.reason._tag === "RateLimited") assert.deepStrictEqual(error.reason.retryAfter, Duration.seconds(7))
    })
  )

  it.effect("because nobody listens", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(Server.make(), (server) => server.port))
      const error = yield* Effect.flip(Effect.scoped(dial(`http://127.0.0.1:${port}`)))
      assert.strictEqual(
        error.message,
        `bedrock: ConnectionLost: could not connect to 127.0.0.1:${port} (ECONNREFUSED)`
      )
      assert.strictEqual(error.reason.code, "ECONNREFUSED")
    })
  )

  it.effect("because there is no such host", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(dial("http://nowhere.invalid")))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.include(error.message, "could not connect to nowhere.invalid:80")
    })
  )

  it.effect("and takes an address of IPv6 for one", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(Server.make(), (server) => server.port))
      const error = yield* Effect.flip(Effect.scoped(dial(`http://[::1]:${port}`)))
      assert.notInclude(["ENOTFOUND", "EAI_AGAIN"], error.reason.code)
      assert.include(error.message, `[::1]:${port}`)
    })
  )

  it.effect("because https means TLS, for HTTP/2 and for the host", () =>
    Effect.gen(function* () {
      const hello = yield* Effect.callback<Buffer>((resume) => {
        const server = net.createServer((socket) => {
          socket.on("error", () => {})
          socket.once("data", (data) => {
            socket.destroy()
            server.close()
            resume(Effect.succeed(data))
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as net.AddressInfo
          Effect.runFork(
            Effect.scoped(dial(`https://localhost:${port}`)).pipe(
              Effect.flip,
              Effect.tap((error) => Effect.sync(() => assert.strictEqual(error.reason._tag, "ConnectionLost")))
            )
          )
        })
      })
      const handshake = 22
      assert.strictEqual(hello[0], handshake)
      assert.include(hello.toString("latin1"), "\u0002h2")
      assert.include(hello.toString("latin1"), "localhost")
    })
  )

  const ends: ReadonlyArray<readonly [name: string, (peer: Server.Peer) => void]> = [
    ["reset", (peer) => peer.stream.close(2)],
    ["closed", (peer) => peer.stream.close(0)],
    ["destroyed", (peer) => peer.stream.session?.destroy()],
    ["reset as TCP", (peer) => void (peer.stream.session!.socket as net.Socket).resetAndDestroy()]
  ]

  it.effect.each(ends)("because it was %s", ([, end]) =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"] })
      const fiber = yield* Effect.forkScoped(failing(server))
      const peer = yield* server.accept
      yield* peer.opening
      end(peer)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.include(error.message, `could not connect to 127.0.0.1:${server.port}`)
    })
  )
})

describe("a connection that is given up", () => {
  it.effect("leaves nothing when nobody answers", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"] })
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      yield* (yield* server.accept).opening
      yield* Fiber.interrupt(fiber)
      yield* server.empty
    })
  )

  it.effect("leaves nothing when the refusal is still being read", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: [{ status: 503, unfinished: true }] })
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)))
      yield* (yield* server.accept).opening
      yield* Fiber.interrupt(fiber)
      yield* server.empty
    })
  )

  it.effect("leaves nothing while the credentials are looked for", () =>
    Effect.gen(function* () {
      const credentials = () => new Promise<never>(() => {})
      const fiber = yield* Effect.forkScoped(Effect.scoped(dial("http://127.0.0.1:1", { credentials })), {
        startImmediately: true
      })
      yield* Server.turns(2)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("leaves nothing when it was just begun", () =>
    Effect.gen(function* () {
      const server = yield* Server.make({ answers: ["silence"], polite: false })
      // from the first look at the credentials to the open socket
      for (let moment = 0; moment < 60; moment += 3) {
        const fiber = yield* Effect.forkScoped(Effect.scoped(dial(server.url)), { startImmediately: true })
        yield* Effect.promise(async () => {
          for (let i = 0; i < moment; i++) await undefined
        })
        yield* Fiber.interrupt(fiber)
      }
      // nobody dials after all
      yield* Server.turns(50)
      yield* server.empty
    })
  )

  it.effect("leaves nothing when it was never told the talk so far", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      const fiber = yield* Effect.forkScoped(Effect.scoped(Effect.andThen(dial(server.url), Effect.never)))
      const peer = yield* server.accept
      yield* peer.opening
      yield* Server.turns(4)
      yield* Fiber.interrupt(fiber)
      yield* server.empty
      // no sound was begun, so none is ended
      assert.notInclude(peer.seen(), "contentEnd")
    })
  )
})

describe("credentials", () => {
  it.effect("are in no log, no span and no warning", () =>
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
      const { warn } = console
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          console.warn = (...args: ReadonlyArray<unknown>) => void seen.push("WARNING", ...args)
        }),
        () => Effect.sync(() => void (console.warn = warn))
      )
      yield* Effect.gen(function* () {
        const { connection, peer } = yield* ready()
        const reader = yield* read(connection)
        peer.raise("validationException", secrets.join(" "))
        seen.push(yield* reader.end)
        yield* Effect.logError(yield* reader.end)
        const body = JSON.stringify({ message: secrets.join(" ") })
        const server = yield* Server.make({ answers: [{ status: 403, body }] })
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
      assert.notInclude(text, "WARNING")
      for (const secret of secrets) assert.notInclude(text, secret)
    })
  )
})
