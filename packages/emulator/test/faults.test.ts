/**
 * Every fault over real sockets, and that nothing is left open after it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import { connect, refused } from "./support/client.ts"
import { callsIn, clock, msIn, of, saidIn, update, userText } from "./support/fold.ts"

const quick: OpenAiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const create = { type: "response.create" }
const delta = "response.output_audio.delta"

const withFaults = (...faults: ReadonlyArray<Fault.Fault>) => OpenAiEmulator.make({ ...quick, faults })

describe("handshakes", () => {
  it.effect.each([401, 403, 429, 503])("are refused with %d, once", (status) =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      yield* emulator.control.onNextConnection(Fault.refuse(status, { retryAfterSeconds: 2, message: "not now" }))
      const answer = yield* refused(emulator)
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers["retry-after"], "2")
      assert.deepInclude(answer.body.error as object, { message: "not now", type: "invalid_request_error" })
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      assert.strictEqual(yield* emulator.connections, 1)
    })
  )

  it.effect("are refused until the faults are taken back", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      yield* emulator.control.onEveryConnection(Fault.refuse(503))
      assert.strictEqual((yield* refused(emulator)).status, 503)
      assert.strictEqual((yield* refused(emulator)).status, 503)
      yield* emulator.control.reset
      yield* (yield* connect(emulator)).next("session.created")
    })
  )
})

describe("a clock that is wrong", () => {
  it.effect.each([-7_200_000, 0, 86_400_000])("by %d milliseconds is that of expires_at, and of nothing else", (by) =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({ ...quick, sessionLimit: "60 minutes" })
      yield* emulator.control.onNextConnection(Fault.clockSkew(by))
      const client = yield* connect(emulator)
      const created = yield* client.next("session.created")
      yield* client.send(update({}), userText("hello"), create)
      const updated = yield* client.next("session.updated")
      for (const { session } of [created, updated] as ReadonlyArray<Record<string, any>>) {
        assert.strictEqual(session.expires_at * 1000, 3_600_000 + by)
      }
      yield* client.next("response.done")
      // one that is open keeps its clock
      yield* emulator.control.inject(Fault.clockSkew(1000))
    })
  )
})

describe("connections", () => {
  it.effect("that are mute take everything and answer nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.mute())
      const client = yield* connect(emulator)
      yield* client.send(update({}), userText("hello"), create)
      yield* emulator.awaitReceived("response.create")
      assert.deepStrictEqual(client.events, [])
      assert.deepStrictEqual(yield* emulator.sent(), [])
      client.socket.close()
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("that fall mute in the middle", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.mute(Fault.afterSent(delta, 3)))
      const client = yield* connect(emulator)
      yield* client.send(userText("hello"), create, { type: "input_audio_buffer.clear" })
      yield* emulator.awaitReceived("input_audio_buffer.clear")
      yield* emulator.awaitSent(delta, 3)
      client.socket.close()
      yield* client.closed
      assert.strictEqual(of(client.events, delta).length, 3)
      assert.strictEqual(client.events.at(-1)?.type, delta)
    })
  )

  it.effect.each([1000, 1001, 1007, 1008, 1011, 1013, 3000, 4000])(
    "are closed with %d before anything was said",
    (code) =>
      Effect.gen(function* () {
        const emulator = yield* withFaults(Fault.close(code, "on demand"))
        const client = yield* connect(emulator)
        assert.deepStrictEqual(yield* client.closed, { code, reason: "on demand" })
        assert.deepStrictEqual(client.events, [])
        yield* emulator.awaitConnections(0)
      })
  )

  it.effect("are closed when a client event comes, before it is answered", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.close(1011, "", Fault.afterReceived("response.create", 2)))
      const client = yield* connect(emulator)
      yield* client.ask("hello")
      yield* client.send(create)
      assert.strictEqual((yield* client.closed).code, 1011)
      assert.strictEqual(of(client.events, "response.created").length, 1)
    })
  )

  it.effect("are dropped after some deltas of the next connection only", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const before = yield* connect(emulator)
      yield* before.next("session.created")
      yield* emulator.control.onNextConnection(Fault.drop(Fault.afterSent(delta, 3)))
      const client = yield* connect(emulator)
      yield* client.send(userText("tell me a story"), create)
      assert.deepStrictEqual(yield* client.closed, { code: 1006, reason: "" })
      assert.strictEqual((yield* emulator.sent(2)).filter(({ type }) => type === delta).length, 3)
      assert.strictEqual(saidIn(yield* before.ask("my name is Ada")), "Nice to meet you, Ada.")
      const after = yield* connect(emulator)
      assert.strictEqual(saidIn(yield* after.ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )

  it.effect("are dropped after a time", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.drop(Fault.afterTime("2 seconds")))
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(yield* emulator.connections, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* client.closed).code, 1006)
    })
  )

  it.effect("a reason is cut to what a frame can hold", () =>
    Effect.gen(function* () {
      const { reason } = yield* (yield* connect(yield* withFaults(Fault.close(1011, "é".repeat(100))))).closed
      assert.strictEqual(reason, "é".repeat(61))
    })
  )

  it.effect("a code that no frame can carry is a drop", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.close(1006, "gone"))
      assert.strictEqual((yield* (yield* connect(emulator)).closed).code, 1006)
    })
  )

  it.effect("that stall do not read, write or answer pings, until control.unstall", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      assert.strictEqual(yield* emulator.control.inject(Fault.stall()), 1)
      let pongs = 0
      client.socket.on("pong", () => pongs++)
      client.socket.ping()
      // more than the kernel takes: what is left over shows that nobody reads
      yield* client.send("x".repeat(8_000_000))
      yield* client.send({ type: "input_audio_buffer.clear" })
      // another connection is served meanwhile, so the stalled one had its chance
      const other = yield* connect(emulator)
      yield* other.ask("tell me a story")
      assert.isAbove(client.socket.bufferedAmount, 0)
      assert.strictEqual(pongs, 0)
      assert.strictEqual((yield* emulator.received(1)).length, 0)
      yield* emulator.control.unstall
      yield* client.next("input_audio_buffer.cleared")
      assert.strictEqual(pongs, 1)
      client.socket.terminate()
      other.socket.terminate()
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("send broken frames, and go on", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.malformed(Fault.afterSent("response.created")))
      const client = yield* connect(emulator)
      yield* client.ask("my name is Ada")
      assert.throws(() => JSON.parse(client.events.find(({ type }) => type === "")?.text))
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
    })
  )

  it.effect("send events twice: some, or all", () =>
    Effect.gen(function* () {
      const some = yield* connect(yield* withFaults(Fault.duplicate("response.done")))
      const once = yield* some.ask("my name is Ada")
      yield* some.next("response.done")
      assert.strictEqual(of(once, "response.created").length, 1)
      const [first, second] = of(some.events, "response.done")
      assert.deepStrictEqual(first, second)
      const all = yield* connect(yield* withFaults(Fault.duplicate()))
      yield* all.ask("my name is Ada")
      assert.strictEqual(of(all.events, "session.created").length, 2)
      assert.strictEqual(of(all.events, "response.created").length, 2)
    })
  )

  it.effect("are slow: every event is late, none is lost, and the order stays", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.slow("3 seconds"))
      const client = yield* connect(emulator)
      yield* client.send(userText("my name is Ada"), create)
      yield* emulator.awaitReceived("response.create")
      yield* TestClock.adjust("2999 millis")
      assert.deepStrictEqual(yield* emulator.sent(), [])
      yield* TestClock.adjust("1 millis")
      yield* client.next("session.created")
      // what is said meanwhile is late as well
      yield* Effect.raceFirst(client.next("response.done"), Effect.forever(TestClock.adjust("100 millis")))
      assert.strictEqual(client.events[0]?.type, "session.created")
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
    })
  )

  it.effect("say what a test wants them to say", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* emulator.control.inject(
        Fault.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "item_x" })
      )
      const event = yield* client.next("input_audio_buffer.speech_started")
      assert.strictEqual(event.item_id, "item_x")
      assert.isString(event.event_id)
    })
  )

  it.effect("let the handshake pass and refuse the key afterwards, as the provider does", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(
        Fault.push({ type: "error", error: { type: "invalid_request_error", code: "invalid_api_key", message: "no" } }),
        Fault.close(3000, "invalid_request_error.invalid_api_key")
      )
      const client = yield* connect(emulator)
      assert.strictEqual((yield* client.next("error")).error.code, "invalid_api_key")
      assert.strictEqual((yield* client.closed).code, 3000)
    })
  )
})

describe("sessions", () => {
  it.effect("expire after the first reply", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.expire(Fault.afterSent("response.done")))
      const client = yield* connect(emulator)
      yield* client.ask("hello")
      assert.strictEqual((yield* client.next("error")).error.code, "session_expired")
      assert.strictEqual((yield* client.closed).code, 1001)
    })
  )

  it.effect("are held after some deltas, on demand, and released", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.hold(Fault.afterSent(delta, 5)))
      const client = yield* connect(emulator)
      yield* client.send(userText("tell me a long story"), create)
      yield* emulator.awaitSent(delta, 5)
      // everything else is answered
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* client.next("input_audio_buffer.cleared")
      assert.strictEqual(msIn(client.events), 500)
      yield* client.send({ type: "response.cancel" })
      const { response } = yield* client.next("response.done")
      assert.strictEqual(response.status, "cancelled")
      yield* emulator.control.release
      assert.strictEqual(saidIn(yield* client.ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )

  it.effect("are held from the start, later ones too", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      yield* emulator.control.hold
      const client = yield* connect(emulator)
      yield* client.send(userText("my name is Ada"), create)
      yield* client.next("response.created")
      assert.strictEqual(of(client.events, "response.output_item.added").length, 0)
      yield* emulator.control.release
      yield* client.next("response.done")
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
    })
  )
})

describe("responses", () => {
  it.effect("fail, on open connections and on the next one", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* emulator.control.inject(Fault.failResponse({ code: "rate_limit_exceeded" }))
      yield* client.ask("hello")
      assert.strictEqual(
        of(client.events, "response.done")[0]?.response.status_details.error.code,
        "rate_limit_exceeded"
      )
      yield* emulator.control.onNextConnection(Fault.cutResponse("content_filter"))
      const other = yield* connect(emulator)
      yield* other.ask("hello")
      assert.strictEqual(of(other.events, "response.done")[0]?.response.status, "incomplete")
    })
  )

  it.effect("storm with tool calls", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.toolStorm(50))
      const client = yield* connect(emulator)
      yield* client.send(update({ tools: [clock] }))
      assert.strictEqual(callsIn(yield* client.ask("hello")).length, 50)
    })
  )

  it.effect("sound on after they were cancelled", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.lateAudio(3), Fault.hold(Fault.afterSent(delta, 2)))
      const client = yield* connect(emulator)
      yield* client.send(userText("tell me a story"), create)
      yield* emulator.awaitSent(delta, 2)
      yield* client.send({ type: "response.cancel" }, { type: "input_audio_buffer.clear" })
      yield* client.next("input_audio_buffer.cleared")
      const after = client.events.slice(client.events.findIndex(({ type }) => type === "response.done"))
      assert.strictEqual(of(after, delta).length, 3)
    })
  )
})

describe("odd servers", () => {
  const error = (event: { readonly [key: string]: unknown }) => event.error as { readonly [key: string]: unknown }

  it.effect("swallow an event, as often as they are told to", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.ignoreEvent("response.create"))
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* client.send(userText("hello"), create)
      yield* client.next("conversation.item.done")
      yield* client.send(create)
      yield* client.next("response.done")
      assert.strictEqual(of(client.events, "response.created").length, 1)
      assert.strictEqual(of(client.events, "error").length, 0)
    })
  )

  it.effect("refuse an event, once, and do not say which where they are told not to", () =>
    Effect.gen(function* () {
      const refusal = Fault.refuseEvent("session.update", { param: "session.tools" })
      const emulator = yield* withFaults(refusal, refusal)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* client.send({ event_id: "mine", ...update({ instructions: "Be brief." }) })
      const named = yield* client.next("error")
      assert.deepInclude(error(named), { code: "invalid_value", param: "session.tools", event_id: "mine" })
      yield* emulator.control.inject(Fault.errorsWithoutEventId)
      yield* client.send({ event_id: "mine", ...update({ instructions: "Be brief." }) })
      const unnamed = yield* client.next("error")
      assert.notProperty(error(unnamed), "event_id")
      yield* client.send(update({ instructions: "Be brief." }))
      yield* client.next("session.updated")
    })
  )

  it.effect("name all calls alike", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.toolStorm(3), Fault.sameCallId)
      const client = yield* connect(emulator)
      yield* client.send(update({ tools: [clock] }))
      const calls = of(yield* client.ask("hello"), "response.function_call_arguments.done")
      assert.deepStrictEqual(
        calls.map(({ call_id }) => call_id),
        ["call_0", "call_0", "call_0"]
      )
    })
  )

  it.effect("name all events alike, and replies as in the beta", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.sameEventId, Fault.betaNames)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* client.send(userText("hello"), create)
      yield* client.next("response.done")
      const reply = client.events.slice(1)
      assert.deepStrictEqual([...new Set(reply.map(({ event_id }) => event_id))], ["event_TODO"])
      assert.isAbove(of(reply, "response.audio.delta").length, 0)
      assert.isAbove(of(reply, "response.audio_transcript.delta").length, 0)
      assert.strictEqual(of(reply, delta).length, 0)
    })
  )
})
