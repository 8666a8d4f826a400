import { assert, describe, it } from "@effect/vitest"
import { MISSED_INTERVALS, PING_INTERVAL } from "@effect-bidi/core/adapter/Watchdog"
import type { Command } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import type { OpenAiRealtime } from "../src/index.ts"
import { CONFIRMATION_TIMEOUT, REPLY_TIMEOUT } from "../src/internal/connect.ts"
import * as F from "./fixtures/frames.ts"
import { read, ready } from "./support/line.ts"

const note = (text: string): Command => ({ _tag: "Note", text, respond: false })

describe("a connection", () => {
  it.effect("carries a talk in both directions", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      yield* connection.seed([{ _tag: "User", id: "item_0", parts: ["Hi"] }])
      assert.strictEqual((yield* peer.expect("conversation.item.create")).item.id, "item_0")
      yield* connection.send({ _tag: "UserMessage", id: "m1", parts: ["Hello"] })
      assert.strictEqual((yield* peer.expect("conversation.item.create")).item.id, "m1")
      yield* peer.expect("response.create")
      peer.send(F.created("resp_1"))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
      // waits for the end of the reply, without the sender waiting for it
      yield* connection.send({ _tag: "Respond" })
      yield* connection.send(note("first"))
      assert.strictEqual((yield* peer.expect("conversation.item.create")).item.content[0].text, "first")
      peer.send(F.done("resp_1"))
      yield* peer.expect("response.create")
    })
  )

  it.effect("carries sound as it is", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const whole = Uint8Array.from({ length: 100 }, (_, i) => i * 7)
      assert.isTrue(connection.sendAudio(whole.subarray(10, 20)))
      const append = yield* peer.expect("input_audio_buffer.append")
      assert.deepStrictEqual(Uint8Array.from(Buffer.from(append.audio, "base64")), whole.slice(10, 20))
      assert.deepStrictEqual(Object.keys(append), ["type", "audio"])
    })
  )

  it.effect("keeps the frames of a command together", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const outputs = [1, 2, 3].map((n) => ({ id: `call_${n}`, name: "tool", result: n, isFailure: false }))
      yield* Effect.all([connection.send({ _tag: "ToolOutputs", outputs }), connection.send(note("after"))], {
        concurrency: "unbounded"
      })
      for (const { id } of outputs) assert.strictEqual((yield* peer.next).item.call_id, id)
      yield* peer.expect("response.create")
      assert.strictEqual((yield* peer.next).item.role, "system")
    })
  )

  it.effect("puts the instructions of a reply behind those the provider has by itself", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* connection.send({ _tag: "Respond", instructions: "Greet." })
      const { response } = yield* peer.expect("response.create")
      assert.deepStrictEqual(response, { instructions: `${F.session.instructions}\n\nGreet.` })
    })
  )

  const detections: ReadonlyArray<readonly [OpenAiRealtime.Options["turnDetection"] & {}, ReadonlyArray<string>]> = [
    [{ type: "server_vad" }, ["SpeechStarted", "SpeechStopped", "UserTurn", "true"]],
    [{ type: "server_vad", createResponse: false }, ["SpeechStarted", "SpeechStopped", "UserTurn", "false"]],
    [{ type: "semantic_vad", interruptResponse: false }, ["SpeechStarted false", "SpeechStopped", "UserTurn", "true"]],
    ["manual", ["UserTurn", "false"]]
  ]

  it.effect.each(detections)("hears what the detection of turns is for: %j", ([turnDetection, expected]) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ turnDetection })
      const reader = yield* read(connection)
      const speech = F.userSpeech.slice(0, 3)
      peer.send(...(turnDetection === "manual" ? speech.slice(2) : speech))
      const seen: Array<string> = []
      while (seen.at(-1) !== "UserTurn") {
        const event = yield* reader.next
        const quiet = event._tag === "SpeechStarted" && event.interrupts === false
        seen.push(quiet ? `${event._tag} false` : event._tag)
        if (event._tag === "UserTurn") assert.strictEqual(String(event.respond), expected.at(-1))
      }
      assert.deepStrictEqual(seen, expected.slice(0, -1))
    })
  )

  const weather = { name: "weather", description: undefined, parameters: { type: "object", properties: {} } }
  const change = (system: string): Command => ({ _tag: "Update", instructions: system, tools: [weather] })

  it.effect("is changed when the provider says so, not before", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* read(connection)
      const changed = yield* Effect.forkChild(connection.send(change("You are Bo.")), { startImmediately: true })
      const update = yield* peer.expect("session.update")
      assert.deepInclude(update.session, { instructions: "You are Bo." })
      yield* peer.caughtUp
      assert.isUndefined(changed.pollUnsafe())
      peer.send({ type: "session.updated", session: { ...F.session, ...update.session } })
      yield* Fiber.join(changed)
      yield* connection.send({ _tag: "Respond", instructions: "Greet." })
      const { response } = yield* peer.expect("response.create")
      assert.deepStrictEqual(response, { instructions: "You are Bo.\n\nGreet." })
    })
  )

  it.effect("is not changed when the provider refuses that, and goes on as it was", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      for (const named of [true, false]) {
        const changed = yield* Effect.forkChild(Effect.flip(connection.send(change("You are Bo."))), {
          startImmediately: true
        })
        const { event_id } = yield* peer.expect("session.update")
        const complaint = { code: "invalid_value", message: "no", param: "session.tools[0].parameters" }
        peer.send(F.error({ ...complaint, event_id: named ? event_id : null }))
        const { reason } = yield* Fiber.join(changed)
        assert.deepInclude(reason, { _tag: "InvalidRequest", option: "session.tools[0].parameters" })
      }
      yield* connection.send({ _tag: "Respond", instructions: "Greet." })
      const { response } = yield* peer.expect("response.create")
      assert.deepStrictEqual(response, { instructions: `${F.session.instructions}\n\nGreet.` })
      peer.send(F.created("resp_1"))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted") // nothing else was told
    })
  )

  it.effect("does not wait for a change whose connection is gone", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* read(connection)
      const changed = yield* Effect.forkChild(Effect.flip(connection.send(change("You are Bo."))))
      yield* peer.expect("session.update")
      peer.socket.terminate()
      assert.strictEqual((yield* Fiber.join(changed)).reason._tag, "ConnectionLost")
    })
  )

  it.effect("refuses a tool that the provider would refuse, by its name, before it is told of it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      yield* read(connection)
      const tools = [weather, { name: "pay.now", description: undefined, parameters: { type: "object" } }]
      const refusal = yield* Effect.flip(connection.send({ _tag: "Update", instructions: undefined, tools }))
      assert.strictEqual(refusal.reason._tag, "InvalidRequest")
      assert.include(refusal.message, "pay.now")
      yield* connection.send(note("still here"))
      yield* peer.expect("conversation.item.create")
    })
  )

  it.effect("asks for a reply once more when nothing comes of it, and is not deaf afterwards", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      yield* connection.send({ _tag: "Respond", instructions: "Say exactly: hello" })
      const { response } = yield* peer.expect("response.create")
      yield* TestClock.adjust(REPLY_TIMEOUT)
      yield* peer.expect("response.cancel")
      assert.deepStrictEqual((yield* peer.expect("response.create")).response, response)
      // what is asked meanwhile waits
      yield* connection.send({ _tag: "UserMessage", id: "m1", parts: ["Hello?"] })
      yield* peer.expect("conversation.item.create")
      yield* TestClock.adjust(REPLY_TIMEOUT)
      const told = yield* reader.next
      assert(told._tag === "NoResponse")
      assert.strictEqual(told.error.reason.code, "no_reply")
      yield* peer.expect("response.cancel")
      yield* peer.expect("response.create")
      peer.send(F.created("resp_1"))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
    })
  )

  it.effect("asks for the reply to a turn when the turn was taken, and not for one to nothing", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ turnDetection: "manual" })
      const reader = yield* read(connection)
      const tap = connection.send({ _tag: "TurnCommit" })
      assert.strictEqual((yield* Effect.flip(tap)).reason._tag, "InvalidRequest")
      yield* connection.send({ _tag: "TurnStart" })
      yield* peer.expect("input_audio_buffer.clear")
      connection.sendAudio(new Uint8Array(4798)) // 99.96 ms
      assert.strictEqual((yield* Effect.flip(tap)).reason._tag, "InvalidRequest")
      connection.sendAudio(new Uint8Array(2))
      const refused = yield* Effect.forkChild(Effect.flip(tap), { startImmediately: true })
      yield* peer.expect("input_audio_buffer.append")
      yield* peer.expect("input_audio_buffer.append")
      yield* peer.expect("input_audio_buffer.commit")
      // the provider counts otherwise
      peer.send(F.error({ code: "input_audio_buffer_commit_empty", message: "buffer too small" }))
      assert.deepInclude((yield* Fiber.join(refused)).reason, { _tag: "InvalidRequest" })
      const taken = yield* Effect.forkChild(tap, { startImmediately: true })
      yield* peer.expect("input_audio_buffer.commit") // no request for a reply before it
      peer.send(F.userSpeech[2]!)
      yield* Fiber.join(taken)
      yield* peer.expect("response.create")
      assert.strictEqual((yield* reader.next)._tag, "UserTurn")
      assert.strictEqual((yield* Effect.flip(tap)).reason._tag, "InvalidRequest") // nothing more was said
    })
  )

  it.effect("does not wait for ever until a turn is taken", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready({ turnDetection: "manual" })
      const reader = yield* read(connection)
      connection.sendAudio(new Uint8Array(9600))
      const taken = yield* Effect.forkChild(Effect.flip(connection.send({ _tag: "TurnCommit" })), {
        startImmediately: true
      })
      yield* peer.expect("input_audio_buffer.append")
      yield* peer.expect("input_audio_buffer.commit")
      yield* TestClock.adjust(CONFIRMATION_TIMEOUT)
      assert.strictEqual((yield* Fiber.join(taken)).reason._tag, "ConnectionLost")
      assert.strictEqual((yield* reader.end).reason.code, "no_answer")
    })
  )

  it.effect("that is lost long after a reply failed is lost, whatever that failed for", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      const error = { type: "insufficient_quota", code: "insufficient_quota", message: "no" }
      peer.send(F.created("resp_1"))
      peer.send(F.done("resp_1", { status: "failed", status_details: { type: "failed", error }, usage: null }))
      yield* reader.next
      assert.deepInclude(yield* reader.next, { _tag: "ResponseDone", stopReason: "error" })
      yield* TestClock.adjust("1 minute")
      peer.socket.terminate()
      assert.strictEqual((yield* reader.end).reason._tag, "ConnectionLost")
    })
  )

  it.effect("does not take a picture that the provider cannot read, and goes on", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const image = { _tag: "ImageInput", image: new Uint8Array([1]), mimeType: "image/webp" } as const
      const refusal = yield* Effect.flip(connection.send({ _tag: "UserMessage", id: "m1", parts: ["Look", image] }))
      assert.strictEqual(refusal.reason._tag, "InvalidRequest")
      assert.include(refusal.message, "image/webp")
      yield* connection.send({ _tag: "Note", text: "still here", respond: false })
      assert.include(JSON.stringify(yield* peer.expect("conversation.item.create")), "still here")
    })
  )

  it.effect("survives a frame that is no JSON", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      for (const broken of ['{"type":"response.output_aud', "[]", "null", "{}", '{"type":7}', '"text"']) {
        peer.socket.send(broken)
        const problem = yield* reader.next
        assert(problem._tag === "Problem")
        assert.strictEqual(problem.error.reason.code, "malformed_message")
      }
      peer.send(F.created("resp_1"))
      assert.strictEqual((yield* reader.next)._tag, "ResponseStarted")
    })
  )
})

describe("the end of a connection", () => {
  const closes: ReadonlyArray<readonly [code: number, text: string, reason: string]> = [
    [1000, "", "ConnectionLost"],
    [1001, "", "SessionExpired"],
    [1008, "policy", "ConnectionLost"],
    [1011, "keepalive timeout", "ServerFault"],
    [1013, "", "ServerFault"],
    [4000, "", "ConnectionLost"],
    [3000, "invalid_request_error.invalid_api_key", "Auth"]
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

  it.effect("has a reason: a frame larger than any", () =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.socket.send("x".repeat(17 * 1024 * 1024))
      const error = yield* reader.end
      assert.strictEqual(error.reason.code, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
      yield* server.empty
    })
  )

  it.effect("comes after everything that came before it", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      peer.send(...F.textReply)
      peer.socket.close(1011)
      const reader = yield* read(connection)
      const tags: Array<string> = []
      for (let i = 0; i < 5; i++) tags.push((yield* reader.next)._tag)
      assert.strictEqual(tags.at(-1), "ResponseDone")
      assert.strictEqual((yield* reader.end).reason._tag, "ServerFault")
    })
  )

  it.effect("is told by the error before the close", () =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.send(F.sessionExpired())
      peer.socket.close(1001, "going away")
      assert.strictEqual((yield* reader.end).reason._tag, "SessionExpired")
      yield* server.empty
    })
  )

  it.effect("comes with the expiry, even if the provider forgets to close", () =>
    Effect.gen(function* () {
      const { connection, peer, server } = yield* ready()
      const reader = yield* read(connection)
      peer.send(F.sessionExpired())
      assert.strictEqual((yield* reader.end).reason._tag, "SessionExpired")
      yield* server.empty
    })
  )

  it.effect("is told by an error that did not end it by itself", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.send(F.error({ code: "account_deactivated" }))
      peer.socket.close(1000)
      assert.strictEqual((yield* reader.next)._tag, "Problem")
      assert.strictEqual((yield* reader.end).reason._tag, "Auth")
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
