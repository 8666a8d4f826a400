/**
 * The server and the service, over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { OutgoingHttpHeaders } from "node:http2"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { encode } from "../../src/internal/eventstream/message.ts"
import { providers } from "../../src/internal/program/providers.ts"
import {
  audio,
  blocksIn,
  callsIn,
  clock,
  contentEnd,
  msIn,
  promptEnd,
  result,
  saidIn,
  sessionEnd,
  sessionStart,
  tools,
  words
} from "../support/nova.ts"
import { authorization, chunk, connect, refused, signed } from "../support/novaClient.ts"
import type { Client } from "../support/novaClient.ts"
import { phrase, quiet } from "../support/sound.ts"

const quick: NovaEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }

/** Waits for the last word of a turn. */
const turnEnd = (client: Client): Effect.Effect<void> =>
  Effect.flatMap(client.next("contentEnd"), ({ event }) =>
    event.contentEnd.type === "TEXT" && event.contentEnd.stopReason === "END_TURN" ? Effect.void : turnEnd(client)
  )

describe("a request", () => {
  it.effect.each<[what: string, path: string | undefined, headers: OutgoingHttpHeaders, status: number, error: string]>(
    [
      ["elsewhere", "/elsewhere", {}, 404, "UnknownOperationException"],
      ["at no path at all", "/model/%E0%A4%A/invoke-with-bidirectional-stream", {}, 400, ""],
      [
        "for another model",
        "/model/amazon.nova-lite-v1%3A0/invoke-with-bidirectional-stream",
        {},
        400,
        "ValidationException"
      ],
      ["from nobody", undefined, { authorization: undefined }, 403, "MissingAuthenticationTokenException"],
      ["with a password", undefined, { authorization: "Basic eA==" }, 403, "MissingAuthenticationTokenException"],
      [
        "for another service",
        undefined,
        { authorization: authorization("AKID", "s3") },
        403,
        "IncompleteSignatureException"
      ],
      [
        "with half a signature",
        undefined,
        { authorization: authorization().replace(/0a$/, "") },
        403,
        "IncompleteSignatureException"
      ],
      [
        "that signs too little",
        undefined,
        { authorization: authorization().replace("x-amz-date", "x-amz") },
        403,
        "IncompleteSignatureException"
      ],
      [
        "that does not sign whom it is for",
        undefined,
        { authorization: authorization().replace(":authority", "a") },
        403,
        "IncompleteSignatureException"
      ],
      ["without its date", undefined, { "x-amz-date": undefined }, 403, "IncompleteSignatureException"],
      [
        "whose events are not signed",
        undefined,
        { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
        403,
        "IncompleteSignatureException"
      ]
    ]
  )("%s is refused", ([, path, headers, status, error]) =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const answer = yield* refused(emulator, { headers, ...(path === undefined ? {} : { path }) })
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers["x-amzn-errortype"] ?? "", error)
      assert.deepInclude((yield* emulator.log)[0], { kind: "refused", status })
      assert.strictEqual(yield* emulator.connections, 0)
    })
  )

  it.effect("with the right key, for the right model, is let in", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make({ ...quick, apiKeys: ["RIGHT", "token"], models: ["mine"] })
      const wrong = yield* refused(emulator, { model: "mine" })
      assert.strictEqual(wrong.headers["x-amzn-errortype"], "UnrecognizedClientException")
      assert.strictEqual(wrong.body.message, "The security token included in the request is invalid.")
      for (const one of [authorization("RIGHT"), "Bearer token"]) {
        const client = yield* connect(emulator, { model: "mine", headers: { authorization: one } })
        assert.strictEqual(yield* client.status, 200)
      }
    })
  )

  it.effect.each(["us.amazon.nova-2-sonic-v1:0", "amazon.nova-sonic-v1:0"])("for %s is let in", (model) =>
    Effect.gen(function* () {
      const client = yield* connect(yield* NovaEmulator.make(quick), { model })
      assert.strictEqual(yield* client.status, 200)
    })
  )

  it.effect("gets its headers at once, or with the first event", () =>
    Effect.gen(function* () {
      const eager = yield* connect(yield* NovaEmulator.make(quick), { begin: null })
      assert.strictEqual(yield* eager.status, 200)
      assert.deepStrictEqual(eager.events, [])
      const emulator = yield* NovaEmulator.make({ ...quick, headers: "first-event" })
      const client = yield* connect(emulator)
      let isAnswered = false
      client.stream.on("response", () => (isAnswered = true))
      yield* emulator.awaitReceived("contentStart")
      // another one is served meanwhile, so this one had its chance
      const other = yield* connect(emulator)
      yield* other.send(...words("hello"))
      yield* turnEnd(other)
      assert.isFalse(isAnswered)
      yield* client.send(...words("hello"))
      assert.strictEqual(yield* client.status, 200)
    })
  )
})

describe("frames", () => {
  const exceptionAfter = Effect.fnUntraced(function* (bytes: Buffer, headers: OutgoingHttpHeaders = {}) {
    const client = yield* connect(yield* NovaEmulator.make(quick), { begin: null, headers })
    yield* client.sendBytes(bytes)
    return { client, message: (yield* client.next("exception")).exception.message as string }
  })
  const start = JSON.stringify(sessionStart())
  const unsigned = (payload: Uint8Array, length = 32) =>
    encode({
      headers: {
        ":date": { type: "timestamp", value: 0 },
        ":chunk-signature": { type: "binary", value: new Uint8Array(length) }
      },
      payload
    })

  it.effect("whose checksum is wrong end the stream", () =>
    Effect.gen(function* () {
      const bytes = signed(chunk(start))
      bytes[bytes.length - 1]! ^= 1
      const { client, message } = yield* exceptionAfter(bytes)
      assert.include(message, "The message checksum does not match.")
      assert.isTrue((yield* client.closed).isEnded)
    })
  )

  it.effect("whose inner checksum is wrong end it, too", () =>
    Effect.gen(function* () {
      const inner = chunk(start)
      inner[8]! ^= 1
      assert.include((yield* exceptionAfter(signed(inner))).message, "The prelude checksum does not match.")
    })
  )

  it.effect("without a signature end it, unless the client has brought a token", () =>
    Effect.gen(function* () {
      assert.include((yield* exceptionAfter(chunk(start))).message, ":chunk-signature")
      assert.include((yield* exceptionAfter(unsigned(chunk(start), 31))).message, ":chunk-signature")
      const emulator = yield* NovaEmulator.make(quick)
      const client = yield* connect(emulator, { begin: null, headers: { authorization: "Bearer any" } })
      yield* client.sendBytes(chunk(start))
      yield* emulator.awaitReceived("sessionStart")
    })
  )

  it.effect("that hold no chunk end it", () =>
    Effect.gen(function* () {
      const empty = encode({ headers: {}, payload: new Uint8Array([1]) })
      assert.include((yield* exceptionAfter(signed(empty))).message, "no chunk")
      assert.include((yield* exceptionAfter(signed(chunk("no json")))).message, "no JSON")
    })
  )

  it.effect("that are too long end it", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* NovaEmulator.make({ ...quick, maxPayload: 1000 }), { begin: null })
      yield* client.sendBytes(signed(chunk("x".repeat(2000))))
      assert.include((yield* client.next("exception")).exception.message, "too long")
    })
  )

  it.effect("may come in pieces", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const client = yield* connect(emulator, { begin: null })
      const bytes = signed(chunk(start))
      for (let at = 0; at < bytes.length; at += 50) yield* client.sendBytes(bytes.subarray(at, at + 50))
      yield* emulator.awaitReceived("sessionStart")
    })
  )
})

describe("a conversation", () => {
  it.effect("in sound, with a tool, to its end", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const client = yield* connect(emulator, { begin: tools(clock) })
      const said = Pcm.resample(Pcm.concat([quiet(200), phrase("what time is it"), quiet(1800)]), 16_000)
      yield* client.send(...audio(said))
      const { event } = yield* client.next("toolUse")
      assert.deepInclude(blocksIn(client.events)[0], { role: "USER", text: "what time is it" })
      yield* client.send(...result(event.toolUse, { time: "10:42" }))
      yield* turnEnd(client)
      assert.strictEqual(saidIn(client.events), "It is 10:42.")
      assert.isAbove(msIn(client.events), 500)
      assert.strictEqual(callsIn(client.events).length, 1)
      yield* client.send(contentEnd("audio"), promptEnd, sessionEnd)
      yield* client.next("completionEnd")
      assert.deepStrictEqual(yield* client.closed, { code: 0, isEnded: true })
      yield* emulator.awaitConnections(0)
      // the client may keep its socket, and is seen to
      assert.strictEqual(yield* emulator.sockets, 1)
      client.session.close()
      yield* emulator.awaitSockets(0)
      const received = yield* emulator.received(1)
      assert.strictEqual(received.find(({ type }) => type === "audioInput")!.audioBytes, 3200)
      assert.deepInclude((yield* emulator.log).at(-1), { kind: "closed", code: 0 })
    })
  )

  it.effect("goes on when the client has said its last word", () =>
    Effect.gen(function* () {
      for (const end of ["a frame without anything in it", "the end of the stream"]) {
        const emulator = yield* NovaEmulator.make(quick)
        const client = yield* connect(emulator)
        yield* client.send(...words("my name is Ada"))
        if (end === "the end of the stream") client.stream.end()
        else yield* client.sendBytes(signed(new Uint8Array(0)))
        yield* turnEnd(client)
        assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
        yield* TestClock.adjust("55 seconds")
        assert.include((yield* client.next("exception")).exception.message, "Timed out waiting for input events")
      }
    })
  )

  it.effect("of two streams over one connection does not mix", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const [ada, bob] = [yield* connect(emulator), yield* connect(emulator)]
      yield* ada.send(...words("my name is Ada"))
      yield* bob.send(...words("my name is Bob"), ...words("what is my name"))
      yield* ada.send(...words("what is my name"))
      yield* turnEnd(ada)
      yield* turnEnd(bob)
      assert.include(saidIn(ada.events), "Ada.")
      assert.notInclude(saidIn(ada.events), "Bob")
    })
  )
})

describe("the service", () => {
  it.effect("keeps its time: replies, and limits as they are scaled", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make({ speed: 2, latency: "500 millis", voice: "tones", limitScale: 0.1 })
      const client = yield* connect(emulator)
      yield* client.send(...words("tell me a long story"))
      yield* emulator.awaitReceived("contentEnd")
      assert.strictEqual(msIn(client.events), 0)
      yield* TestClock.adjust("1500 millis")
      yield* emulator.awaitSent("audioOutput", 20)
      yield* TestClock.adjust("4 seconds")
      assert.include((yield* client.next("exception")).exception.message, "Timed out waiting for input events")
    })
  )

  it.effect.each<[what: string, options: NovaEmulator.Options, said: RegExp]>([
    ["the session", { sessionLimit: "10 seconds" }, /Model has timed out/],
    ["the input", { inputTimeout: "10 seconds" }, /Timed out waiting/],
    ["the silence", { silenceTimeout: "10 seconds" }, /InternalErrorCode=531/]
  ])("has a limit for %s", ([, options, said]) =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make({ ...quick, ...options })
      const client = yield* connect(emulator)
      yield* client.status
      yield* emulator.awaitReceived("contentStart")
      yield* TestClock.adjust("10 seconds")
      assert.match((yield* client.next("exception")).exception.message, said)
      assert.isTrue((yield* client.closed).isEnded)
    })
  )

  it.effect("of the program responds to its control over HTTP/1", () =>
    Effect.gen(function* () {
      const emulator = yield* providers.bedrock.make(quick)
      const call = (path: string, body?: unknown) =>
        Effect.promise(async () => {
          const response = await fetch(`${emulator.url}/emulator/${path}`, {
            headers: { connection: "close" },
            ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
          })
          return (await response.json()) as unknown
        })
      yield* call("next-reply", { text: "From outside." })
      const client = yield* connect(emulator)
      yield* client.send(...words("hello"))
      yield* turnEnd(client)
      assert.strictEqual(saidIn(client.events), "From outside.")
      const log = (yield* call("log")) as ReadonlyArray<{ readonly kind: string }>
      assert.strictEqual(log[0]?.kind, "opened")
    })
  )

  it.effect("leaves no socket when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const emulator = yield* NovaEmulator.make({ speed: 8, voice: "tones" }).pipe(Scope.provide(scope))
      const client = yield* connect(emulator)
      yield* client.send(...words("tell me a long story"))
      yield* emulator.awaitReceived("contentEnd")
      yield* Scope.close(scope, Exit.void)
      yield* client.closed
      assert.strictEqual(yield* emulator.connections, 0)
      yield* emulator.awaitSockets(0)
    })
  )

  it.effect("is a layer, too", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(NovaEmulator.layer(quick))
      const emulator = Context.get(context, NovaEmulator.NovaEmulator)
      assert.strictEqual(emulator.url, `http://127.0.0.1:${emulator.port}`)
      assert.strictEqual(yield* (yield* connect(emulator)).status, 200)
    })
  )
})
