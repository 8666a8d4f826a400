/**
 * Every fault over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TestClock } from "effect/testing"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import { audio, blocksIn, callsIn, clock, event, msIn, of, saidIn, tools, words } from "../support/nova.ts"
import { connect, refused } from "../support/novaClient.ts"
import { tone } from "../support/sound.ts"

const quick: NovaEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const withFaults = (...faults: ReadonlyArray<Fault.Fault>) => NovaEmulator.make({ ...quick, faults })

describe("requests", () => {
  it.effect.each<[status: number, code: string | undefined, error: string]>([
    [400, undefined, "ValidationException"],
    [400, "ServiceQuotaExceededException", "ServiceQuotaExceededException"],
    [403, undefined, "AccessDeniedException"],
    [403, "ExpiredTokenException", "ExpiredTokenException"],
    [403, "UnrecognizedClientException", "UnrecognizedClientException"],
    [429, undefined, "ThrottlingException"],
    [500, undefined, "InternalServerException"],
    [503, undefined, "ServiceUnavailableException"]
  ])("are refused with %d %s", ([status, code, error]) =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const options = code === undefined ? { retryAfterSeconds: 2 } : { code, message: "no" }
      yield* emulator.control.onNextConnection(Fault.refuse(status, options))
      const answer = yield* refused(emulator)
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers["x-amzn-errortype"], error)
      assert.isString(answer.body.message)
      assert.strictEqual(answer.headers["retry-after"], code === undefined ? "2" : undefined)
      assert.strictEqual(yield* (yield* connect(emulator)).status, 200)
    })
  )
})

describe("exceptions", () => {
  it.effect("come as the first frame", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.exception("throttlingException", "Slow down")))
      assert.deepStrictEqual(yield* client.closed, { code: 0, isEnded: true })
      assert.deepStrictEqual(client.events, [{ exception: { type: "throttlingException", message: "Slow down" } }])
    })
  )

  it.effect("come later, of a type that nobody knows", () =>
    Effect.gen(function* () {
      const fault = Fault.exception("strangeException", "?", { at: Fault.afterSent("audioOutput", 3) })
      const emulator = yield* withFaults(fault)
      const client = yield* connect(emulator)
      yield* client.send(...words("hello"))
      assert.isTrue((yield* client.closed).isEnded)
      assert.deepStrictEqual(client.events.at(-1), { exception: { type: "strangeException", message: "?" } })
      assert.strictEqual(of(client.events, "audioOutput").length, 3)
      yield* emulator.awaitSent("strangeException")
    })
  )

  it.effect("leave the stream open, and nothing comes any more", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const fault = Fault.exception("modelStreamErrorException", "x", { leaveOpen: true })
      yield* emulator.control.onNextConnection(fault)
      const client = yield* connect(emulator)
      yield* client.next("exception")
      yield* client.send(...words("hello"))
      const other = yield* connect(emulator)
      yield* other.send(...words("hello"))
      yield* other.next("audioOutput")
      assert.strictEqual(client.events.length, 1)
      assert.isFalse(client.stream.closed)
      assert.strictEqual(yield* emulator.connections, 2)
      client.stream.close()
      yield* emulator.awaitConnections(1)
    })
  )
})

describe("streams", () => {
  it.effect("are mute: not even the headers come", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.mute())
      const client = yield* connect(emulator)
      let isAnswered = false
      client.stream.on("response", () => (isAnswered = true))
      yield* client.send(...words("hello"))
      yield* emulator.awaitReceived("contentEnd")
      client.stream.close()
      yield* client.closed
      assert.isFalse(isAnswered)
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("answer with their headers and then never again", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.mute(Fault.afterReceived("sessionStart")))
      const client = yield* connect(emulator)
      assert.strictEqual(yield* client.status, 200)
      yield* client.send(...words("hello"))
      yield* emulator.awaitReceived("contentEnd")
      assert.deepStrictEqual(yield* emulator.sent(), [])
    })
  )

  it.effect.each([0, 2, 8, 11])("are reset with %d", (code) =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.resetStream(code, Fault.afterSent("audioOutput", 2)))
      const client = yield* connect(emulator)
      yield* client.send(...words("hello"))
      assert.strictEqual((yield* client.closed).code, code)
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("are reset while something is still to be sent, and see a client that goes then", () =>
    Effect.gen(function* () {
      // more than a stream takes before it is read
      const faults = [Fault.resetStream(0, Fault.afterSent("audioOutput"))]
      const emulator = yield* NovaEmulator.make({ ...quick, chunk: "10 seconds", faults })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* connect(emulator)
          yield* client.send(...words("tell me a story"))
          yield* client.closed
        })
      )
      yield* emulator.awaitSockets(0)
    })
  )

  it.effect("are reset before anything was said", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.resetStream(7)))
      assert.deepStrictEqual(yield* client.closed, { code: 7, isEnded: false })
    })
  )

  it.effect("end in order, though nobody has ended the session", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.end(Fault.afterSent("contentEnd", 2))))
      yield* client.send(...words("hello"))
      assert.deepStrictEqual(yield* client.closed, { code: 0, isEnded: true })
      assert.strictEqual(of(client.events, "contentEnd").length, 2)
    })
  )

  it.effect("end in the middle of a frame", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.truncateFrame(Fault.afterSent("audioOutput"))))
      yield* client.send(...words("hello"))
      assert.isTrue((yield* client.closed).isEnded)
      assert.strictEqual(of(client.events, "audioOutput").length, 1)
      assert.deepStrictEqual(Object.keys(client.events.at(-1)!.event), ["audioOutput"])
    })
  )

  it.effect("have a frame that claims more than any client reads, and go on", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* withFaults(Fault.wrongLength(1_200_000_000, Fault.afterSent("audioOutput"))))
      yield* client.send(...words("hello"))
      assert.strictEqual((yield* client.next("corrupt")).corrupt, "A message of 1200000000 bytes is too long.")
      assert.strictEqual(of(client.events, "audioOutput").length, 1)
      assert.isFalse(client.stream.closed)
    })
  )

  it.effect("have a corrupt frame, or one that holds no JSON, and go on", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(
        Fault.malformed(Fault.afterSent("completionStart"), '{"event":'),
        Fault.malformed(Fault.afterSent("completionStart"))
      )
      const client = yield* connect(emulator)
      yield* client.send(...words("hello"))
      assert.deepStrictEqual((yield* client.next("garbage")).garbage, '{"event":')
      assert.match((yield* client.next("corrupt")).corrupt, /checksum/)
      yield* emulator.awaitSent("audioOutput", 10)
    })
  )

  it.effect("lose their connection", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.drop(Fault.afterSent("audioOutput", 2)))
      const client = yield* connect(emulator)
      yield* client.send(...words("hello"))
      assert.isFalse((yield* client.closed).isEnded)
      yield* emulator.awaitSockets(0)
      assert.isTrue(client.session.destroyed)
    })
  )

  it.effect("are told that the connection goes away, and go on or not", () =>
    Effect.gen(function* () {
      const kind = yield* connect(yield* withFaults(Fault.goAway({ at: Fault.afterSent("audioOutput") })))
      yield* kind.send(...words("my name is Ada"))
      assert.strictEqual(yield* kind.goneAway, 0)
      yield* kind.next("usageEvent")
      const unkind = yield* connect(yield* withFaults(Fault.goAway({ code: 11, at: Fault.afterSent("audioOutput") })))
      yield* unkind.send(...words("hello"))
      assert.strictEqual(yield* unkind.goneAway, 11)
      yield* unkind.closed
    })
  )

  it.effect("are half-open: nothing is read and nothing comes, until control.unstall", () =>
    Effect.gen(function* () {
      const emulator = yield* NovaEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* emulator.awaitReceived("contentStart")
      yield* emulator.control.inject(Fault.stall())
      const before = (yield* emulator.received(1)).length
      yield* client.send(...words("my name is Ada"))
      // more than fits into the window
      yield* client.send(...Array.from({ length: 40 }, () => audio(tone(100, 0, 24_000))[0]!))
      const other = yield* connect(emulator)
      yield* other.send(...words("hello"))
      yield* other.next("usageEvent")
      assert.strictEqual((yield* emulator.received(1)).length, before)
      assert.deepStrictEqual(client.events, [])
      assert.isAbove(client.stream.writableLength, 0)
      yield* emulator.control.unstall
      yield* client.next("usageEvent")
      assert.include(blocksIn(client.events)[0]!.text, "Nice to meet you, Ada.")
    })
  )

  it.effect("are late, say things twice, and say what a test wants them to say", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(
        Fault.slow("1 second"),
        Fault.duplicate("toolUse"),
        Fault.push(event("textOutput", { content: "mine" }), Fault.afterSent("completionStart"))
      )
      const client = yield* connect(emulator, { begin: tools(clock) })
      let isAnswered = false
      client.stream.on("response", () => (isAnswered = true))
      yield* client.send(...words("what time is it"))
      yield* emulator.awaitReceived("contentEnd")
      yield* TestClock.adjust("999 millis")
      assert.isFalse(isAnswered)
      yield* Effect.raceFirst(client.next("usageEvent"), Effect.forever(TestClock.adjust("100 millis")))
      assert.strictEqual(of(client.events, "textOutput")[0]!.content, "mine")
      assert.strictEqual(callsIn(client.events).length, 2)
    })
  )

  it.effect("are held, and released; and expire", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.hold(Fault.afterSent("audioOutput", 5)))
      const client = yield* connect(emulator)
      yield* client.send(...words("my name is Ada"))
      yield* emulator.awaitSent("audioOutput", 5)
      yield* emulator.control.release
      yield* client.next("usageEvent")
      assert.strictEqual(saidIn(client.events), "Nice to meet you, Ada.")
      yield* emulator.control.expireIn("1 second")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* client.next("exception")).exception.type, "modelTimeoutException")
    })
  )
})

describe("responses", () => {
  it.effect("fail, are cut, and storm", () =>
    Effect.gen(function* () {
      const failed = yield* connect(yield* withFaults(Fault.failResponse({ afterChunks: 2 })))
      yield* failed.send(...words("hello"))
      assert.strictEqual((yield* failed.next("exception")).exception.type, "modelStreamErrorException")
      const cut = yield* connect(yield* withFaults(Fault.cutResponse("content_filter", 3)))
      yield* cut.send(...words("tell me a story"))
      yield* cut.next("usageEvent")
      assert.strictEqual(msIn(cut.events), 300)
      const storm = yield* connect(yield* withFaults(Fault.toolStorm(20)), { begin: tools(clock) })
      yield* storm.send(...words("hello"))
      yield* storm.next("usageEvent")
      assert.strictEqual(callsIn(storm.events).length, 20)
    })
  )

  it.effect("sound on after they were interrupted", () =>
    Effect.gen(function* () {
      const emulator = yield* withFaults(Fault.lateAudio(3), Fault.hold(Fault.afterSent("audioOutput", 2)))
      const client = yield* connect(emulator)
      yield* client.send(...words("tell me a story"))
      yield* emulator.awaitSent("audioOutput", 2)
      yield* client.send(...audio(tone(200, 8000, 16_000)))
      yield* emulator.awaitSent("audioOutput", 5)
    })
  )
})

it.effect("a fault that this wire cannot have is a defect", () =>
  Effect.gen(function* () {
    const { control } = yield* NovaEmulator.make(quick)
    for (const fault of [Fault.close(1000), Fault.singleMessage, Fault.rejectResumption(), Fault.cancelCalls()]) {
      const exit = yield* Effect.exit(control.onNextConnection(fault))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }
  })
)
