import { assert, describe, it, vi } from "@effect/vitest"
import { MISSED_INTERVALS, PING_INTERVAL } from "@effect-bidi/core/adapter/Watchdog"
import type { Command, Connection } from "@effect-bidi/core/BidiModel"
import type { Entry } from "@effect-bidi/core/Transcript"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { Socket } from "node:net"
import { AUDIO_QUEUE_FRAMES } from "../src/internal/requestBody.ts"
import * as F from "./fixtures/frames.ts"
import { begun, dial, read, ready } from "./support/line.ts"
import * as Server from "./support/server.ts"

// minutes of virtual time, of which every moment is sound on a real connection
vi.setConfig({ testTimeout: 30_000 })

const message = (text: string): Command => ({ _tag: "UserMessage", id: text, parts: [text] })
const history: ReadonlyArray<Entry> = [
  { _tag: "User", id: "u", parts: ["Hi"] },
  { _tag: "Assistant", id: "a", responseId: "r", text: "Hello.", interrupted: false }
]

const tone = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i % 250) + 1)

describe("a connection", () => {
  it.effect("carries a talk in both directions", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      yield* connection.send(message("Hello"))
      const { interactive, role, type } = yield* peer.expect("contentStart")
      assert.deepStrictEqual([type, role, interactive], ["TEXT", "USER", true])
      assert.strictEqual((yield* peer.expect("textInput")).content, "Hello")
      yield* peer.expect("contentEnd")
      peer.send(F.wire(F.completionStart), ...F.reply("1", "Hi.").map(F.wire))
      const tags: Array<string> = []
      while (tags.at(-1) !== "ResponseDone") tags.push((yield* reader.next)._tag)
      assert.deepStrictEqual(tags, [
        "ResponseStarted",
        "TranscriptDelta",
        "TranscriptDelta",
        "AudioDelta",
        "TranscriptDone",
        "ResponseDone"
      ])
    })
  )

  it.effect("tells the past before it listens, also when it was kept waiting for it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* begun()
      yield* TestClock.adjust("10 seconds") // as one does that is to replace another
      yield* connection.seed(history)
      for (const _ of history) {
        assert.strictEqual((yield* peer.expect("contentStart")).type, "TEXT")
        yield* peer.expect("textInput")
        yield* peer.expect("contentEnd")
      }
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
    })
  )

  it.effect("tells the past before it listens, once", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({}, history)
      for (const [role, text] of [
        ["USER", "Hi"],
        ["ASSISTANT", "Hello."]
      ]) {
        const start = yield* peer.expect("contentStart")
        assert.deepStrictEqual([start.role, start.interactive], [role, false])
        assert.strictEqual((yield* peer.expect("textInput")).content, text)
        yield* peer.expect("contentEnd")
      }
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
      yield* peer.sound
      assert.strictEqual(peer.seen().indexOf("audioInput"), 9)
      assert.strictEqual(connection.sendAudio(new Uint8Array(2)), true)
    })
  )

  const begins: ReadonlyArray<readonly [string, (connection: Connection) => unknown]> = [
    ["a command", (connection) => Effect.runFork(connection.send({ _tag: "Respond" }))],
    ["sound", (connection) => connection.sendAudio(new Uint8Array(1024))]
  ]

  it.effect.each(begins)("listens from the first %s on, if nobody tells it the past", ([, begin]) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* begun()
      begin(connection)
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
      yield* TestClock.adjust("1 second")
      while (peer.seen().filter((name) => name === "audioInput").length < 4) yield* Server.turns(1)
      const late = yield* Effect.flip(connection.seed(history))
      assert.strictEqual(late.reason._tag, "ConnectionLost")
      assert.include(late.message, "history came too late")
      // nothing is not too late
      yield* connection.seed([])
    })
  )

  it.effect("listens before the provider gives it up, if nobody tells it the past", () =>
    Effect.gen(function* () {
      const { peer } = yield* begun()
      yield* TestClock.adjust("45 seconds")
      assert.strictEqual((yield* peer.expect("contentStart")).type, "AUDIO")
      yield* peer.sound
    })
  )

  it.effect("sends silence while nothing is said", () =>
    Effect.gen(function* () {
      const { peer } = yield* ready()
      for (let i = 0; i < 30; i++) {
        yield* TestClock.adjust("96 millis")
        const sound = yield* peer.sound
        assert.deepStrictEqual(sound, Buffer.alloc(3072))
      }
    })
  )

  it.effect("sends what is said as it is, and silence again when the microphone is off", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const said = tone(2048)
      for (let i = 0; i < said.length; i += 640) connection.sendAudio(said.subarray(i, i + 640))
      const heard = Buffer.concat([yield* peer.sound, yield* peer.sound])
      assert.deepStrictEqual(heard, Buffer.from(said))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* peer.sound, Buffer.alloc(3072))
    })
  )

  it.effect("keeps the events of a command together between sound", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const outputs = [1, 2].map((n) => ({ id: `call_${n}`, name: "tool", result: n, isFailure: false }))
      for (let i = 0; i < AUDIO_QUEUE_FRAMES; i++) connection.sendAudio(new Uint8Array(1024))
      yield* Effect.all(
        [connection.send({ _tag: "ToolOutputs", outputs }), connection.send(message("x".repeat(3000)))],
        { concurrency: "unbounded" }
      )
      for (let i = 0; i < AUDIO_QUEUE_FRAMES; i++) yield* peer.sound
      const names = peer.seen().slice(3).join(" ")
      assert.include(names, "contentStart toolResult contentEnd contentStart toolResult contentEnd")
      assert.include(names, "contentStart textInput textInput textInput contentEnd")
    })
  )

  it.effect("has nothing to send when it is interrupted", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* connection.send({ _tag: "Interrupt", responseId: "r", items: [] })
      yield* connection.send(message("x"))
      assert.strictEqual((yield* peer.expect("contentStart")).type, "TEXT")
    })
  )

  it.effect("refuses what it cannot do, and goes on", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const image = { _tag: "ImageInput", image: new Uint8Array([1]), mimeType: "image/png" } as const
      const picture = yield* Effect.flip(connection.send({ _tag: "UserMessage", id: "m", parts: ["Look", image] }))
      assert.strictEqual(picture.reason._tag, "Unsupported")
      assert.strictEqual((yield* Effect.flip(connection.send({ _tag: "TurnStart" }))).reason._tag, "Unsupported")
      yield* connection.send(message("still here"))
      yield* peer.expect("contentStart")
      assert.strictEqual((yield* peer.expect("textInput")).content, "still here")
    })
  )

  it.effect("survives what is no event", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      for (const broken of [null, [], {}, { event: 7 }, { event: { textOutput: 7 } }]) {
        peer.write(Server.chunk(broken))
        const problem = yield* reader.next
        assert(problem._tag === "Problem")
        assert.strictEqual(problem.error.reason.code, "malformed_message")
      }
      peer.send(...F.planned("p", "Hi").map(F.wire))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
    })
  )
})

describe("the end of a connection", () => {
  const exceptions: ReadonlyArray<readonly [name: string, message: string, reason: string]> = [
    ["modelTimeoutException", "Model has timed out in processing the request", "SessionExpired"],
    ["validationException", "Timed out waiting for input events", "IdleTimeout"],
    [
      "validationException",
      "InternalErrorCode=531::RST_STREAM closed stream. HTTP/2 error code: NO_ERROR",
      "IdleTimeout"
    ],
    ["validationException", "System instability detected. Please retry your request.", "ServerFault"],
    ["validationException", "Malformed input request", "InvalidRequest"],
    ["throttlingException", "slow", "RateLimited"],
    ["modelStreamErrorException", "no", "ServerFault"],
    ["internalServerException", "no", "ServerFault"],
    ["serviceUnavailableException", "no", "ServerFault"],
    // by the name of the class, as some services do
    ["ModelTimeoutException", "no", "SessionExpired"],
    ["expiredTokenException", "no", "SessionExpired"],
    ["somethingNewException", "no", "ServerFault"]
  ]

  it.effect.each(exceptions)(
    "is told by an exception, although the provider leaves it open: %s %j",
    ([name, said, reason]) =>
      Effect.gen(function* () {
        // as the first thing the provider says, and later
        for (const later of [false, true]) {
          const { connection, peer, server } = yield* ready()
          const reader = yield* read(connection)
          if (later) {
            peer.send(...F.user("u", "Hi").map(F.wire))
            assert.strictEqual((yield* reader.next)._tag, "UserTurn")
            assert.strictEqual((yield* reader.next)._tag, "TranscriptDelta")
          }
          peer.raise(name, said)
          if (later) assert.strictEqual((yield* reader.next)._tag, "TranscriptDone")
          const error = yield* reader.end
          assert.strictEqual(error.reason._tag, reason)
          assert.strictEqual(error.reason.code, name.charAt(0).toUpperCase() + name.slice(1))
          assert.strictEqual(error.reason.message, said)
          yield* server.empty
        }
      })
  )

  const losses: ReadonlyArray<readonly [name: string, (peer: Server.Peer) => void, code?: string]> = [
    ["a clean end", (peer) => peer.stream.end()],
    ["RST_STREAM", (peer) => peer.stream.close(2)],
    ["RST_STREAM without an error", (peer) => peer.stream.close(0)],
    ["the end of the session", (peer) => peer.stream.session?.destroy()],
    ["a reset of the socket", (peer) => void (peer.stream.session!.socket as Socket).resetAndDestroy(), "ECONNRESET"],
    ["GOAWAY with an error", (peer) => peer.stream.session?.goaway(11), "ERR_HTTP2_SESSION_ERROR"],
    ["half a frame", (peer) => void peer.stream.end(Server.chunk({ event: {} }).subarray(0, 20))],
    [
      "a corrupt frame",
      (peer) => {
        const chunk = Server.chunk({ event: {} })
        chunk[chunk.length - 1]! ^= 1
        peer.write(chunk)
      }
    ]
  ]

  it.effect.each(losses)("is a lost connection: %s", ([, end, code]) =>
    Effect.gen(function* () {
      // before the provider has said anything, and later
      for (const later of [false, true]) {
        const { connection, peer, server } = yield* ready()
        const reader = yield* read(connection)
        if (later) {
          peer.send(...F.planned("p", "Hi").map(F.wire))
          yield* reader.next
        }
        end(peer)
        const error = yield* reader.end
        assert.strictEqual(error.reason._tag, "ConnectionLost")
        assert.include(error.message, `127.0.0.1:${server.port}`)
        if (code !== undefined) assert.strictEqual(error.reason.code, code)
        yield* server.empty
      }
    })
  )

  it.effect("does not come with GOAWAY alone", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.stream.session!.goaway(0)
      peer.send(...F.planned("p", "Hi").map(F.wire))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
      yield* connection.send(message("still here"))
      yield* peer.expect("contentStart")
    })
  )

  it.effect("comes after everything that came before it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      peer.send(...F.reply("1", "Hi.").map(F.wire))
      peer.raise("throttlingException", "slow")
      yield* peer.closed
      const reader = yield* read(connection)
      const tags: Array<string> = []
      while (tags.at(-1) !== "ResponseDone") tags.push((yield* reader.next)._tag)
      assert.strictEqual((yield* reader.end).reason._tag, "RateLimited")
    })
  )

  /** A command that cannot leave, because the peer does not read. */
  const stuck = Effect.fnUntraced(function* () {
    const line = yield* ready()
    line.peer.stream.pause()
    const fiber = yield* Effect.forkScoped(Effect.flip(line.connection.send(message("x".repeat(400_000)))), {
      startImmediately: true
    })
    yield* Server.turns(20)
    assert.isUndefined(fiber.pollUnsafe())
    return { ...line, fiber }
  })

  it.effect("comes to nobody's harm while something waits to leave", () =>
    Effect.gen(function* () {
      const { connection, fiber, server } = yield* stuck()
      yield* Fiber.interrupt(fiber)
      assert.isFalse(connection.sendAudio(new Uint8Array(1024)) && false)
      assert.strictEqual(server.sessions.size, 1)
    })
  )
})

describe("a connection that is closed", () => {
  const closing = Effect.fnUntraced(function* (options: Server.Options, prepare: (peer: Server.Peer) => void) {
    const server = yield* Server.make(options)
    const scope = yield* Scope.make()
    const [connection, peer] = yield* Effect.all([Scope.provide(dial(server.url), scope), server.accept], {
      concurrency: "unbounded"
    })
    yield* connection.seed([])
    yield* peer.sound
    prepare(peer)
    yield* Scope.close(scope, Exit.void)
    yield* server.empty
    return peer
  })

  it.effect("waits for nobody who does not end it", () =>
    Effect.gen(function* () {
      const peer = yield* closing({ polite: false }, () => {})
      assert.deepStrictEqual(peer.seen().slice(-4), ["contentEnd", "promptEnd", "sessionEnd", "end"])
    })
  )

  it.effect("waits for nobody who does not read", () => closing({}, (peer) => peer.stream.pause()))

  it.effect("waits for nobody who still talks", () =>
    Effect.gen(function* () {
      const peer = yield* closing({}, (peer) => {
        for (let i = 0; i < 200; i++) peer.send(...F.sound(`a${i}`).map(F.wire))
      })
      assert.deepStrictEqual(peer.seen().slice(-4), ["contentEnd", "promptEnd", "sessionEnd", "end"])
    })
  )

  it.effect("is closed although it is over", () =>
    Effect.gen(function* () {
      const { server } = yield* Effect.scoped(
        Effect.gen(function* () {
          const line = yield* ready()
          const reader = yield* read(line.connection)
          line.peer.raise("throttlingException", "slow")
          yield* reader.end
          yield* line.server.empty
          return line
        })
      )
      assert.strictEqual(server.sessions.size, 0)
    })
  )
})

describe("the watchdog", () => {
  it.effect("gives up a peer that takes nothing any more", () =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.stream.pause()
      while (!(yield* refuses(connection)));
      for (let i = 0; i <= MISSED_INTERVALS; i++) {
        yield* TestClock.adjust(PING_INTERVAL)
        yield* Server.turns(4)
      }
      const error = yield* reader.end
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.strictEqual(error.reason.code, "dead_peer")
      assert.include(error.message, `127.0.0.1:${server.port}`)
      yield* server.empty
    })
  )

  it.effect("is content with a peer that takes what comes", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      for (let i = 0; i < 6; i++) {
        yield* TestClock.adjust("20 seconds")
        yield* peer.sound
      }
      yield* connection.send(message("still open"))
      yield* peer.expect("contentStart")
    })
  )
})

// Whether sound is refused, and still is when the event loop has gone round a few times.
const refuses = Effect.fnUntraced(function* (connection: Connection) {
  for (let i = 0; i < 20; i++) {
    if (connection.sendAudio(new Uint8Array(1024))) return false
    yield* Server.turns(1)
  }
  return true
})
