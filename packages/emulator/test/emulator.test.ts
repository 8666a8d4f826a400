/**
 * The server and the service, over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Emulator from "@effect-bidi/emulator/Emulator"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { connect, refused } from "./support/client.ts"
import { msIn, of, one, saidIn, userText } from "./support/fold.ts"
import { appends, quiet, tone } from "./support/sound.ts"

const quick: OpenAiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const create = { type: "response.create" }

describe("time", () => {
  it.effect("is the clock's: replies come at their pace, under a clock of the test too", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ speed: 2, latency: "500 millis", voice: "tones" })
      const client = yield* connect(emulator)
      yield* client.send(userText("tell me a long story"), create)
      yield* client.next("response.created")
      assert.strictEqual(msIn(client.events), 0)
      yield* TestClock.adjust("500 millis")
      yield* client.next("response.output_audio.delta")
      yield* TestClock.adjust("1 second")
      yield* emulator.awaitSent("response.output_audio.delta", 21)
      assert.strictEqual(
        (yield* emulator.sent()).filter(({ type }) => type === "response.output_audio.delta").length,
        21
      )
    })
  )

  it.effect("of a session ends it with an error and 1001", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, sessionLimit: "30 minutes" })
      const client = yield* connect(emulator)
      const { session } = yield* client.next("session.created")
      assert.strictEqual(session.expires_at, 1800)
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual((yield* client.next("error")).error.code, "session_expired")
      assert.strictEqual((yield* client.closed).code, 1001)
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("can be cut short for the sessions that are open", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* emulator.control.expireIn("300 millis")
      yield* TestClock.adjust("300 millis")
      assert.strictEqual((yield* client.closed).code, 1001)
      assert.strictEqual((yield* client.next("error")).error.code, "session_expired")
    })
  )

  it.effect("brings a ping every 20 seconds", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      const pinged = yield* Effect.callback<void>((resume) => {
        client.socket.once("ping", () => resume(Effect.void))
      }).pipe(Effect.forkChild({ startImmediately: true }))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(pinged)
    })
  )
})

describe("bad input", () => {
  it.effect("is answered with errors, and the connection goes on", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      client.socket.send(Buffer.alloc(64))
      yield* client.send("not json", '"text"', "{}", '{"type":"nope"}', "\u0000")
      const codes = []
      for (let i = 0; i < 6; i++) codes.push((yield* client.next("error")).error.code)
      assert.deepStrictEqual(codes, [
        "invalid_event",
        "invalid_json",
        "invalid_type",
        "missing_required_parameter",
        "invalid_value",
        "invalid_json"
      ])
      assert.strictEqual(saidIn(yield* client.ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )

  it.effect("too large a message closes with 1009, and only that connection", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, maxPayload: 10_000 })
      const other = yield* connect(emulator)
      const client = yield* connect(emulator)
      yield* client.send("x".repeat(10_001))
      assert.strictEqual((yield* client.closed).code, 1009)
      assert.strictEqual(saidIn(yield* other.ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )

  it.effect("megabytes of sound are no problem", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, transcribe: () => "hello" })
      const client = yield* connect(emulator)
      const minutes = Pcm.concat([tone(500), quiet(120_000)])
      yield* client.send(...appends(minutes, 200_000))
      yield* client.next("response.done")
    })
  )
})

describe("the handshake", () => {
  it.effect.each<[OpenAiEmulator.Options, Parameters<typeof refused>[1], number, string]>([
    [{}, { key: null }, 401, "Missing bearer"],
    [{ apiKeys: ["sk-right"] }, { key: "sk-wrong" }, 401, "Incorrect API key"],
    [{}, { path: "/realtime" }, 400, "model"],
    [{ models: ["gpt-realtime-2.1"] }, { path: "/realtime?model=gpt-1" }, 404, "gpt-1"],
    [{}, { path: "/elsewhere" }, 404, "Invalid URL"]
  ])("with %j, %j is refused", ([options, wish, status, message]) =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, ...options })
      const answer = yield* refused(emulator, wish)
      assert.strictEqual(answer.status, status)
      assert.include((answer.body.error as { message: string }).message, message)
      assert.deepInclude((yield* emulator.log)[0], { kind: "refused", status })
      assert.strictEqual(yield* emulator.connections, 0)
    })
  )

  it.effect("lets the right key and model in", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, apiKeys: ["sk-right"], models: ["gpt-realtime-2.1"] })
      const client = yield* connect(emulator, { key: "sk-right" })
      assert.strictEqual((yield* client.next("session.created")).session.model, "gpt-realtime-2.1")
    })
  )
})

describe("the service", () => {
  it.effect("logs what was received and sent, without its sound unless asked for", () =>
    Effect.gen(function* () {
      for (const audio of [false, true]) {
        const emulator = yield* OpenAiEmulator.make({ ...quick, log: { audio } })
        const client = yield* connect(emulator)
        const [append] = appends(tone(50))
        yield* client.send({ ...append, event_id: "mine" })
        const entry = yield* emulator.awaitReceived("input_audio_buffer.append")
        assert.strictEqual(entry.audioBytes, 2400)
        assert.strictEqual(entry.event.event_id, "mine")
        assert.strictEqual(entry.event.audio, audio ? append!.audio : "<2400 bytes>")
        assert.strictEqual(entry.connection, 1)
        yield* client.ask("my name is Ada")
        yield* client.next("rate_limits.updated")
        const sent = yield* emulator.sent(1)
        assert.deepStrictEqual(
          sent.map(({ type }) => type),
          client.events.map(({ type }) => type)
        )
        assert.strictEqual(sent.reduce((sum, { audioBytes }) => sum + audioBytes, 0) / 48, msIn(client.events))
      }
    })
  )

  it.effect("keeps only so many lines, and counts them all", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, log: { entries: 10 } })
      const client = yield* connect(emulator)
      for (let i = 0; i < 30; i++) yield* client.send({ type: "input_audio_buffer.clear" })
      yield* emulator.awaitReceived("input_audio_buffer.clear", 30)
      assert.isAtMost((yield* emulator.log).length, 10)
    })
  )

  it.effect("shows its log as it grows", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const seen = yield* emulator.entries.pipe(
        Stream.take(3),
        Stream.runCollect,
        Effect.forkChild({ startImmediately: true })
      )
      const client = yield* connect(emulator)
      yield* client.send({ type: "input_audio_buffer.clear" })
      assert.deepStrictEqual(
        (yield* Fiber.join(seen)).map(({ kind }) => kind),
        ["opened", "sent", "received"]
      )
    })
  )

  it.effect("leaves no socket when its scope closes, whatever they were doing", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const emulator = yield* OpenAiEmulator.make({ speed: 8, voice: "tones" }).pipe(Scope.provide(scope))
      const talking = yield* connect(emulator)
      const stalled = yield* connect(emulator)
      yield* talking.send(userText("tell me a long story"), create)
      yield* talking.next("response.created")
      yield* emulator.control.inject({ _tag: "Stall" })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* talking.closed).code, 1006)
      assert.strictEqual((yield* stalled.closed).code, 1006)
      assert.strictEqual(yield* emulator.connections, 0)
      const dead = yield* Effect.callback<string>((resume) => {
        fetch(emulator.url).then(
          () => resume(Effect.succeed("alive")),
          () => resume(Effect.succeed("dead"))
        )
      })
      assert.strictEqual(dead, "dead")
    })
  )

  it.effect("sees clients leave", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const polite = yield* connect(emulator)
      const rude = yield* connect(emulator)
      yield* emulator.awaitConnections(2)
      polite.socket.close(1000, "bye")
      rude.socket.terminate()
      yield* emulator.awaitConnections(0)
      const closes = (yield* emulator.log).filter((entry) => entry.kind === "closed")
      assert.deepStrictEqual(closes.map(({ code, connection, reason }) => [connection, code, reason]).sort(), [
        [1, 1000, "bye"],
        [2, 1006, ""]
      ])
    })
  )

  it.effect("says when its port is taken", () =>
    Effect.gen(function* () {
      const first = yield* OpenAiEmulator.make(quick)
      const error = yield* OpenAiEmulator.make({ ...quick, port: first.port }).pipe(Effect.flip)
      assert.instanceOf(error, Emulator.ListenError)
      assert.strictEqual(error.port, first.port)
    })
  )

  it.effect("is a layer, too", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(OpenAiEmulator.layer(quick))
      const emulator = Context.get(context, OpenAiEmulator.OpenAiEmulator)
      const client = yield* connect(emulator)
      assert.strictEqual((yield* client.next("session.created")).type, "session.created")
      assert.strictEqual(emulator.url, `http://127.0.0.1:${emulator.port}/v1`)
    })
  )

  it.effect("with a seed gives the same names to the same things", () =>
    Effect.gen(function* () {
      const names = Effect.gen(function* () {
        const client = yield* connect(yield* OpenAiEmulator.make({ ...quick, seed: 5 }))
        return (yield* client.ask("hello")).map(({ event_id }) => event_id)
      })
      assert.deepStrictEqual(yield* names, yield* names)
    })
  )
})

it.effect("one response.done for each response.created, over the wire as well", () =>
  Effect.gen(function* () {
    const emulator = yield* OpenAiEmulator.make(quick)
    const client = yield* connect(emulator)
    for (let i = 0; i < 5; i++) {
      yield* client.send(userText("tell me a story"), create)
      yield* client.next("response.created")
      yield* client.send({ type: "response.cancel" })
      yield* client.next("response.done")
    }
    assert.strictEqual(of(client.events, "response.done").length, 5)
    assert.strictEqual(
      one(of(client.events, "response.done").slice(0, 1), "response.done").response.status,
      "cancelled"
    )
  })
)
