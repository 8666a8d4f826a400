/**
 * Models that hear nothing for a while, or do not say that they hear; and sessions that say what cannot be.
 */
import { assert, describe, it } from "@effect/vitest"
import { BidiError, ConnectionLost } from "@effect-bidi/core/BidiError"
import type { Command } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import { GeminiLive } from "../src/index.ts"
import { BACKLOG_SECONDS } from "../src/internal/audioBacklog.ts"
import * as M from "./fixtures/messages.ts"
import { read, ready, setup, welcome } from "./support/line.ts"
import { KEY } from "./support/protocol.ts"
import * as Server from "./support/server.ts"

const live25 = { model: "gemini-2.5-flash-native-audio-preview-12-2025" }
const live31 = { model: "gemini-3.1-flash-live-preview" }

const answer: Command = {
  _tag: "ToolOutputs",
  outputs: [{ id: "call_1", name: "weather", result: "sunny", isFailure: false }]
}
const frame = (n: number) => new Uint8Array(640).fill(n)
const data = (message: Server.Json) => Buffer.from(message.audio.data, "base64")[0]

describe("a model that waits for the answer of a tool", () => {
  it.effect.each([live25, live31])("gets what the user says meanwhile behind it, in order: %j", (options) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready(options)
      const reader = yield* read(connection)
      peer.send(M.toolCall(M.call("call_1")))
      for (const tag of ["ResponseStarted", "ToolCalls", "ResponseDone"]) {
        assert.strictEqual((yield* reader.next)._tag, tag)
      }
      const reused = frame(1)
      assert.isTrue(connection.sendAudio(reused))
      reused.fill(9)
      assert.isTrue(connection.sendAudio(frame(2)))
      yield* connection.send(answer)
      assert.isTrue(connection.sendAudio(frame(3)))
      yield* peer.expect("toolResponse")
      for (const n of [1, 2, 3]) assert.strictEqual(data(yield* peer.expect("realtimeInput")), n)
    })
  )

  it.effect("gets the signals of a manual turn where they belong", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ ...live25, turnDetection: "manual" })
      const reader = yield* read(connection)
      peer.send(M.toolCall(M.call("call_1")))
      while ((yield* reader.next)._tag !== "ResponseDone");
      yield* connection.send({ _tag: "TurnStart" })
      connection.sendAudio(frame(1))
      yield* connection.send({ _tag: "TurnCommit" })
      yield* connection.send(answer)
      yield* peer.expect("toolResponse")
      const kinds: Array<string> = []
      for (let i = 0; i < 3; i++) kinds.push(Object.keys(yield* peer.expect("realtimeInput")).join())
      assert.deepStrictEqual(kinds, ["activityStart", "audio", "activityEnd"])
    })
  )

  it.effect("gets it also when the call was taken back", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready(live25)
      const reader = yield* read(connection)
      peer.send(M.toolCall(M.call("call_1")))
      while ((yield* reader.next)._tag !== "ResponseDone");
      connection.sendAudio(frame(1))
      peer.send(M.cancellation("call_1"))
      assert.strictEqual((yield* reader.next)._tag, "ToolCallsCancelled")
      assert.strictEqual(data(yield* peer.expect("realtimeInput")), 1)
    })
  )

  it.effect("gets no more than half a minute of it, and the loss is told", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready(live25)
      const reader = yield* read(connection)
      peer.send(M.toolCall(M.call("call_1")))
      while ((yield* reader.next)._tag !== "ResponseDone");
      const second = (n: number) => new Uint8Array(32_000).fill(n)
      for (let n = 0; n <= BACKLOG_SECONDS; n++) assert.isTrue(connection.sendAudio(second(n)))
      peer.send(M.resumption({}))
      assert.strictEqual((yield* reader.next)._tag, "Resumable")
      const lost = yield* reader.next
      assert(lost._tag === "Problem")
      assert.strictEqual(lost.error.reason.code, "unheard_speech")
      yield* connection.send(answer)
      yield* peer.expect("toolResponse")
      assert.strictEqual(data(yield* peer.expect("realtimeInput")), 1)
    })
  )

  it.effect.each([
    {},
    { functions: { behavior: "blocking" } },
    { ...live25, functions: { behavior: "non_blocking" } }
  ] as const)("and hears meanwhile is not kept from it: %j", (options) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready(options)
      const reader = yield* read(connection)
      peer.send(M.toolCall(M.call("call_1")))
      while ((yield* reader.next)._tag !== "ResponseDone");
      connection.sendAudio(frame(1))
      assert.strictEqual(data(yield* peer.expect("realtimeInput")), 1)
    })
  )
})

describe("a session that has worked", () => {
  it.effect.each(["No turn to complete", "Request contains an invalid argument."])(
    "is resumed when it then calls something invalid, once for it: %s",
    (text) =>
      Effect.gen(function* () {
        for (const [worked, reason] of [
          [true, "ServerFault"],
          [false, "InvalidRequest"]
        ] as const) {
          const { connection, peer } = yield* ready({}, {}, worked ? {} : { resume: "handle_1" })
          const reader = yield* read(connection)
          if (worked) {
            peer.send(M.speech(), M.turnComplete())
            while ((yield* reader.next)._tag !== "ResponseDone");
          }
          peer.socket.close(1007, text)
          const error = yield* reader.end
          assert.deepStrictEqual([error.reason._tag, error.reason.code], [reason, "1007"])
          assert.strictEqual(error.isRetryable, worked)
        }
      })
  )

  it.effect("is not, when it is the key that is not good", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.send(M.speech(), M.turnComplete())
      while ((yield* reader.next)._tag !== "ResponseDone");
      peer.socket.close(1007, "API key expired. Please renew the API key.")
      assert.strictEqual((yield* reader.end).reason._tag, "Auth")
    })
  )
})

describe("speech that is heard and not answered", () => {
  it.effect("is told after ten seconds without a word, no sooner", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.send(M.heard("Hello?"))
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
      assert.strictEqual((yield* reader.next)._tag, "TranscriptDelta")
      yield* TestClock.adjust("9 seconds")
      peer.send(M.heard(" Anybody?"))
      assert.strictEqual((yield* reader.next)._tag, "TranscriptDelta")
      yield* TestClock.adjust("9 seconds")
      peer.send(M.resumption({}))
      assert.strictEqual((yield* reader.next)._tag, "Resumable")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* reader.next)._tag, "TranscriptDone")
      const problem = yield* reader.next
      assert(problem._tag === "Problem")
      assert.strictEqual(problem.error.reason.code, "unanswered_speech")
    })
  )

  it.effect("is asked about where that was wanted", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ unanswered: { after: "3 seconds", nudge: true } })
      const reader = yield* read(connection)
      peer.send(M.heard("Hello?"))
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
      assert.strictEqual((yield* reader.next)._tag, "TranscriptDelta")
      yield* TestClock.adjust("3 seconds")
      assert.include((yield* peer.expect("realtimeInput")).text, "waits for your answer")
      for (const tag of ["TranscriptDone", "Problem"]) assert.strictEqual((yield* reader.next)._tag, tag)
      peer.send(M.speech())
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
    })
  )

  it.effect("is nothing when it is answered", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.send(M.heard("Hello?"), M.speech(), M.turnComplete())
      while ((yield* reader.next)._tag !== "ResponseDone");
      yield* TestClock.adjust("1 minute")
      peer.send(M.resumption({}))
      assert.strictEqual((yield* reader.next)._tag, "Resumable")
    })
  )
})

describe("a key that changes", () => {
  it.effect("is asked for anew for every connection", () =>
    Effect.gen(function* () {
      const server = yield* Server.make()
      let asked = 0
      const apiKey = Effect.sync(() => Redacted.make(`${KEY}-${++asked}`))
      const model = yield* GeminiLive.make({ apiKey, baseUrl: server.url })
      assert.strictEqual(asked, 0)
      for (const n of [1, 2]) {
        const [, { peer }] = yield* Effect.all([model.connect(setup), welcome(server)], { concurrency: "unbounded" })
        assert.include(peer.request.url, `${KEY}-${n}`)
      }
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("that is not to be had is the end of that try", () =>
    Effect.gen(function* () {
      const lost = new BidiError({ reason: new ConnectionLost({ message: "the key server does not answer" }) })
      for (const [failure, reason] of [
        [new Error("no"), "Auth"],
        [lost, "ConnectionLost"]
      ] as const) {
        const model = yield* GeminiLive.make({ apiKey: Effect.fail(failure), baseUrl: "http://127.0.0.1:1" })
        assert.strictEqual((yield* Effect.flip(model.connect(setup))).reason._tag, reason)
      }
      const model = yield* GeminiLive.make({ apiKey: Effect.succeed(Redacted.make("")), baseUrl: "http://127.0.0.1:1" })
      assert.strictEqual((yield* Effect.flip(model.connect(setup))).reason._tag, "InvalidRequest")
    })
  )

  it.effect("does not keep what else is wrong from being told at once", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(GeminiLive.make({ apiKey: Effect.never, baseUrl: "nowhere" }))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "baseUrl")
    })
  )
})
