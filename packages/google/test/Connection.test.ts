import { assert, describe, it } from "@effect/vitest"
import { MISSED_INTERVALS, PING_INTERVAL } from "@effect-bidi/core/adapter/Watchdog"
import type { Command } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as M from "./fixtures/messages.ts"
import { read, ready } from "./support/line.ts"

const note = (text: string): Command => ({ _tag: "Note", text, respond: false })

describe("a connection", () => {
  it.effect("carries a talk in both directions", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      yield* connection.seed([{ _tag: "User", id: "u", parts: ["Hi"] }])
      assert.deepStrictEqual(yield* peer.expect("clientContent"), {
        turns: [{ role: "user", parts: [{ text: "Hi" }] }],
        turnComplete: true
      })
      yield* connection.send({ _tag: "UserMessage", id: "m", parts: ["Hello"] })
      assert.deepStrictEqual(yield* peer.expect("realtimeInput"), { text: "Hello" })
      peer.send(...M.spokenReply)
      const started = yield* reader.next
      assert(started._tag === "ResponseStarted")
      assert.match(started.responseId, /^live_[0-9a-f]{12}_r1$/)
    })
  )

  it.effect("says that there is no history, once, to a model that waits for it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* connection.seed([])
      assert.deepStrictEqual(yield* peer.expect("clientContent"), { turnComplete: true })
      const resumed = yield* ready({}, {}, { resume: "handle_1" })
      yield* resumed.connection.seed([])
      yield* resumed.connection.send({ _tag: "Respond" })
      yield* resumed.peer.expect("realtimeInput")
    })
  )

  it.effect("asks for the reply to a call as it was told to", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ functions: { scheduling: "interrupt" } })
      yield* connection.send({
        _tag: "ToolOutputs",
        outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
      })
      const { functionResponses } = yield* peer.expect("toolResponse")
      assert.deepStrictEqual(functionResponses, [
        { id: "call_1", name: "weather", response: { output: "sunny" }, scheduling: "INTERRUPT" }
      ])
    })
  )

  it.effect("carries sound as it is, and says how fast it is", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ input: { encoding: "pcm", sampleRate: 24_000, channels: 1 } })
      const whole = Uint8Array.from({ length: 100 }, (_, i) => i * 7)
      assert.isTrue(connection.sendAudio(whole.subarray(10, 20)))
      const { audio, ...rest } = yield* peer.expect("realtimeInput")
      assert.deepStrictEqual(rest, {})
      assert.strictEqual(audio.mimeType, "audio/pcm;rate=24000")
      assert.deepStrictEqual(Uint8Array.from(Buffer.from(audio.data, "base64")), whole.slice(10, 20))
    })
  )

  it.effect("knows that a reply to sound is a turn of the user", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      connection.sendAudio(new Uint8Array(640))
      yield* peer.expect("realtimeInput")
      peer.send(M.speech(), M.turnComplete())
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
      for (const tag of ["ResponseStarted", "AudioDelta", "ResponseDone"]) {
        assert.strictEqual((yield* reader.next)._tag, tag)
      }
      // a second of sound, and what was late is new
      connection.sendAudio(new Uint8Array(32_000))
      peer.send(M.heard("Hi"))
      const turn = yield* reader.next
      assert(turn._tag === "UserTurn")
      assert.match(turn.itemId, /_u2$/)
    })
  )

  it.effect("keeps the messages of a command together", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const images = [1, 2, 3].map((n) => ({
        _tag: "ImageInput" as const,
        image: new Uint8Array([n]),
        mimeType: "image/png"
      }))
      yield* Effect.all(
        [connection.send({ _tag: "UserMessage", id: "m", parts: images }), connection.send(note("after"))],
        { concurrency: "unbounded" }
      )
      for (const { image } of images) {
        assert.strictEqual((yield* peer.expect("realtimeInput")).video.data, Buffer.from(image).toString("base64"))
      }
      yield* peer.expect("realtimeInput")
      yield* peer.expect("clientContent")
    })
  )

  const refused: ReadonlyArray<readonly [Command, string]> = [
    [{ _tag: "TurnClear" }, "Unsupported"],
    [
      {
        _tag: "UserMessage",
        id: "m",
        parts: [{ _tag: "ImageInput", image: new Uint8Array([1]), mimeType: "image/webp" }]
      },
      "InvalidRequest"
    ]
  ]

  it.effect.each(refused)("refuses one command, sends nothing of it, and goes on: %j", ([command, reason]) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      assert.strictEqual((yield* Effect.flip(connection.send(command))).reason._tag, reason)
      yield* connection.send(note("still here"))
      yield* peer.expect("clientContent")
    })
  )

  it.effect("survives a message that is no JSON object", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      for (const broken of ['{"serverContent":', "[]", "null", '"text"', ""]) {
        peer.socket.send(broken)
        const problem = yield* reader.next
        assert(problem._tag === "Problem")
        assert.strictEqual(problem.error.reason.code, "malformed_message")
      }
      peer.send(M.words("Hi"))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
    })
  )
})

describe("the end of a connection", () => {
  const closes: ReadonlyArray<readonly [code: number, text: string, reason: string]> = [
    [1000, "", "ConnectionLost"],
    [1001, "", "ConnectionLost"],
    [1007, "Request contains an invalid argument.", "InvalidRequest"],
    [1007, "API key expired. Please renew the API key.", "Auth"],
    [1008, "Operation is not implemented, or supported, or enabled.", "ServerFault"],
    [1011, "Internal error encountered.", "ServerFault"],
    [1011, "Deadline expired before operation could complete.", "SessionExpired"],
    [1011, "You exceeded your current quota", "Quota"],
    [4000, "", "ConnectionLost"]
  ]

  it.effect.each(closes)("has a reason: %i %j", ([code, text, reason]) =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.socket.close(code, text)
      const error = yield* reader.end
      assert.deepStrictEqual([error.reason._tag, error.reason.code], [reason, String(code)])
      yield* server.empty
    })
  )

  it.effect("is that of an ordinary session, also for one that was resumed", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({}, {}, { resume: "handle_1" })
      const reader = yield* read(connection)
      peer.socket.close(1007, "Request contains an invalid argument.")
      assert.strictEqual((yield* reader.end).reason._tag, "InvalidRequest")
    })
  )

  it.effect("has a reason: a message larger than any", () =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.socket.send("x".repeat(17 * 1024 * 1024))
      const error = yield* reader.end
      assert.strictEqual(error.reason.code, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
      yield* server.empty
    })
  )

  it.effect.each([
    [1000, ""],
    [1011, "Deadline expired before operation could complete."],
    [1008, "Connection aborted because the client failed to close the connection after receiving a GoAway"],
    [1006, "drop"]
  ] as const)("is what was announced: %i %j", ([code, text]) =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.send(M.goAway("50s"))
      assert.strictEqual((yield* reader.next)._tag, "Expiring")
      if (code === 1006) peer.socket.terminate()
      else peer.socket.close(code, text)
      assert.strictEqual((yield* reader.end).reason._tag, "SessionExpired")
      yield* server.empty
    })
  )

  it.effect("comes after everything that came before it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      peer.send(...M.spokenReply)
      peer.socket.close(1011)
      const reader = yield* read(connection)
      const tags: Array<string> = []
      for (let i = 0; i < 8; i++) tags.push((yield* reader.next)._tag)
      assert.deepStrictEqual(tags.slice(-2), ["ResponseDone", "Usage"])
      assert.strictEqual((yield* reader.end).reason._tag, "ServerFault")
    })
  )
})

it.effect("gives up a peer that no longer answers pings", () =>
  Effect.gen(function* () {
    const { connection, peer, server } = yield* ready({}, { autoPong: false })
    const reader = yield* read(connection)
    // the first interval is that of the handshake
    for (let i = 0; i <= MISSED_INTERVALS; i++) {
      yield* peer.pinged
      yield* TestClock.adjust(PING_INTERVAL)
    }
    const { message, reason } = yield* reader.end
    assert.deepStrictEqual([reason._tag, reason.code], ["ConnectionLost", "dead_peer"])
    assert.include(message, `127.0.0.1:${server.port}`)
    yield* server.empty
  })
)
