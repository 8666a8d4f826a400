/**
 * Every fault over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TestClock } from "effect/testing"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import { at, audio, callsIn, blockingClock, functions, msIn, saidIn, text } from "../support/gemini.ts"
import { providers } from "../../src/internal/program/providers.ts"
import { connect, refused } from "../support/geminiClient.ts"
import { tone } from "../support/sound.ts"

const quick: GeminiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const withFaults = (...faults: ReadonlyArray<Fault.Fault>) => GeminiEmulator.make({ ...quick, faults })
const sound = "serverContent.modelTurn"

describe("handshakes", () => {
  it.effect.each<[status: number, name: string]>([
    [401, "UNAUTHENTICATED"],
    [403, "PERMISSION_DENIED"],
    [429, "RESOURCE_EXHAUSTED"],
    [503, "UNAVAILABLE"]
  ])("are refused with %d", ([status, name]) =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      yield* emulator.control.onNextConnection(Fault.refuse(status, { retryAfterSeconds: 2 }))
      const answer = yield* refused(emulator)
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers["retry-after"], "2")
      assert.strictEqual((answer.body.error as { status: string }).status, name)
      yield* (yield* connect(emulator)).next("setupComplete")
    })
  )
})

describe("connections", () => {
  it.effect("are mute", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.mute())
      const client = yield* connect(emulator)
      yield* emulator.awaitReceived("setup")
      client.socket.close()
      yield* emulator.awaitConnections(0)
      assert.deepStrictEqual(client.events, [])
    })
  )

  it.effect.each([1000, 1007, 1008, 1011])("are closed with %d before they are set up", (code) =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.close(code, "on demand", Fault.afterReceived("setup")))
      const client = yield* connect(emulator)
      assert.deepStrictEqual(yield* client.closed, { code, reason: "on demand" })
      assert.deepStrictEqual(client.events, [])
    })
  )

  it.effect("are dropped after some sound, or end in order", () =>
    Effect.gen(function* () {
      const dropped = yield* connect(yield* withFaults(Fault.drop(Fault.afterSent(sound, 3))))
      yield* dropped.send(text("tell me a story"))
      assert.strictEqual((yield* dropped.closed).code, 1006)
      const ended = yield* connect(yield* withFaults(Fault.end(Fault.afterSent("serverContent.turnComplete"))))
      yield* ended.ask("hello")
      assert.strictEqual((yield* ended.closed).code, 1000)
    })
  )

  it.effect("stall, and continue", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("setupComplete")
      yield* emulator.control.inject(Fault.stall())
      yield* client.send(text("my name is Ada"))
      const other = yield* connect(emulator)
      yield* other.ask("hello")
      assert.strictEqual(client.events.length, 1)
      yield* emulator.control.unstall
      yield* client.next("serverContent.turnComplete")
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
    })
  )

  it.effect("say what cannot be read, say things twice, and are late", () =>
    Effect.gen(function* () {
      const client = yield* connect(
        yield* withFaults(
          Fault.malformed(Fault.afterSent("setupComplete")),
          Fault.duplicate("serverContent.turnComplete"),
          Fault.slow("1 second")
        )
      )
      yield* client.send(text("my name is Ada"))
      yield* Effect.raceFirst(client.next("serverContent.turnComplete"), Effect.forever(TestClock.adjust("100 millis")))
      yield* client.next("serverContent.turnComplete")
      assert.deepStrictEqual(Object.keys(client.events[1]!), ["garbage"])
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
      assert.strictEqual(at(client.events, "serverContent", "turnComplete").length, 2)
    })
  )

  it.effect("say what a test wants them to say", () =>
    Effect.gen(function* () {
      const event = { serverContent: { waitingForInput: true }, usageMetadata: { totalTokenCount: 3 } }
      const client = yield* connect(yield* withFaults(Fault.push(event, Fault.afterSent("setupComplete"))))
      assert.deepStrictEqual(yield* client.next("usageMetadata"), event)
    })
  )

  it.effect("are held, and released", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.hold(Fault.afterSent(sound, 5)))
      const client = yield* connect(emulator)
      yield* client.send(text("my name is Ada"))
      yield* emulator.awaitSent(sound, 5)
      yield* emulator.control.release
      yield* client.next("serverContent.turnComplete")
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
    })
  )
})

describe("sessions", () => {
  it.effect("are told to go, during a call, and go", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.goAway({ timeLeft: "50 seconds", at: Fault.afterSent("toolCall") }))
      const client = yield* connect(emulator, { begin: functions(blockingClock) })
      yield* client.next("setupComplete")
      yield* client.send(text("what time is it"))
      yield* client.next("toolCall")
      yield* Effect.raceFirst(client.next("goAway"), Effect.forever(Effect.yieldNow))
      assert.deepStrictEqual(at(client.events, "goAway"), [{ timeLeft: "50s" }])
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* client.closed).code, 1011)
    })
  )

  it.effect("expire", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("setupComplete")
      yield* emulator.control.expireIn("1 second")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* client.closed, {
        code: 1011,
        reason: "Deadline expired before operation could complete."
      })
    })
  )

  it.effect("refuse a handle, once", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const first = yield* connect(emulator, { begin: { sessionResumption: {} } })
      const { sessionResumptionUpdate } = yield* first.next("sessionResumptionUpdate")
      first.socket.close()
      yield* emulator.awaitConnections(0)
      const begin = { sessionResumption: { handle: sessionResumptionUpdate.newHandle as string } }
      yield* emulator.control.onNextConnection(Fault.rejectResumption("gone"))
      assert.deepStrictEqual(yield* (yield* connect(emulator, { begin })).closed, { code: 1008, reason: "gone" })
      yield* (yield* connect(emulator, { begin })).next("setupComplete")
    })
  )
})

describe("responses", () => {
  it.effect("come in one message", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.singleMessage))
      const messages = (yield* client.ask("my name is Ada")).filter(({ serverContent }) => serverContent !== undefined)
      assert.strictEqual(messages.length, 1)
      assert.isDefined(messages[0]!.usageMetadata)
      assert.isDefined(messages[0]!.goAway)
      assert.isAbove(msIn(messages), 1000)
    })
  )

  it.effect("are interrupted together with sound, and sound on", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(
        Fault.audioWithInterruption,
        Fault.lateAudio(2),
        Fault.hold(Fault.afterSent(sound, 2))
      )
      const client = yield* connect(emulator)
      yield* client.send(text("tell me a story"))
      yield* emulator.awaitSent(sound, 2)
      yield* client.send(...audio(tone(200, 8000, 16_000)))
      const interrupted = yield* client.next("serverContent.interrupted")
      assert.strictEqual(msIn([interrupted]), 100)
      yield* emulator.awaitSent(sound, 5)
    })
  )

  it.effect("fail, are cut, storm, and take their calls back", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.failResponse({ code: "NEED_MORE_INPUT", afterChunks: 1 })))
      assert.strictEqual((yield* client.ask("hello")).at(-1)!.serverContent.turnCompleteReason, "NEED_MORE_INPUT")
      const cut = yield* connect(yield* withFaults(Fault.cutResponse("max_output_tokens", 3)))
      assert.strictEqual(msIn(yield* cut.ask("hello")), 300)
      const begin = functions(blockingClock)
      const storm = yield* connect(yield* withFaults(Fault.toolStorm(20)), { begin })
      yield* storm.send(text("hello"))
      assert.strictEqual(callsIn([yield* storm.next("toolCall")]).length, 20)
      const back = yield* connect(yield* withFaults(Fault.cancelCalls()), { begin })
      assert.strictEqual(at(yield* back.ask("hello"), "toolCallCancellation").length, 1)
    })
  )
})

it.effect("a fault that this provider cannot produce is a defect, wherever it is asked for", () =>
  Effect.gen(function* () {
    const emulator = yield* providers.google.make(quick)
    const { control } = emulator
    const attempts: ReadonlyArray<Effect.Effect<unknown, unknown, never>> = [
      control.inject(Fault.resetStream(0)),
      control.onNextConnection(Fault.truncateFrame()),
      control.onEveryConnection(Fault.exception("x", "y")),
      Effect.scoped(withFaults(Fault.resetStream(0)))
    ]
    for (const attempt of attempts) {
      const exit = yield* Effect.exit(attempt)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }
    const answer = yield* Effect.promise(() =>
      fetch(`${emulator.url}/emulator/faults/next`, { method: "POST", body: JSON.stringify([Fault.resetStream(0)]) })
    )
    assert.strictEqual(answer.status, 400)
    yield* (yield* connect(emulator)).next("setupComplete")
  })
)
