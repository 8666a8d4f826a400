/**
 * Whole conversations: an agent, this package, the SDK and HTTP/2, and on its other end an emulated provider.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type { Output, OutputOf, OutputTag } from "@effect-bidi/core/BidiEvent"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as BidiTools from "@effect-bidi/core/BidiTools"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { NovaSonic } from "../src/index.ts"
import { KEY, keys } from "./support/line.ts"
import { turns } from "./support/server.ts"

// minutes of virtual time, of which every moment is sound on a real connection
vi.setConfig({ testTimeout: 30_000 })

const toolkit = Toolkit.make(BidiTools.currentTime, BidiTools.calculator)

/** A conversation that goes on, and everything that surrounds it. */
const talk = Effect.fnUntraced(function* (options: NovaSonic.Options = {}, emulated: NovaEmulator.Options = {}) {
  const emulator = yield* NovaEmulator.make({
    speed: Number.POSITIVE_INFINITY,
    voice: "tones",
    apiKeys: [KEY.id],
    seed: 1,
    ...emulated
  })
  const speaker = yield* BidiTest.speaker()
  const model = NovaSonic.layer({ region: "us-east-1", credentials: keys, endpoint: emulator.url, ...options })
  const agent = yield* BidiAgent.make({ instructions: "You are Ada.", toolkit }).pipe(
    Effect.provide([model, BidiTools.layer])
  )
  const call = yield* agent.start({ outputs: [speaker.output] })
  const events = yield* Queue.unbounded<Output>()
  yield* call.events.pipe(
    Stream.runForEach((event) => Queue.offer(events, event)),
    Effect.forkScoped({ startImmediately: true })
  )
  /** The next event of this kind; those before it are skipped. */
  const next = <Tag extends OutputTag>(tag: Tag): Effect.Effect<OutputOf<Tag>> =>
    Effect.flatMap(Queue.take(events), (event) =>
      event._tag === tag ? Effect.succeed(event as OutputOf<Tag>) : next(tag)
    )
  /** The next finished words of one side. */
  const words = (role: "user" | "assistant"): Effect.Effect<string> =>
    Effect.flatMap(next("TranscriptStream"), (event) =>
      event.role === role && event.isFinal ? Effect.succeed(event.currentTranscript) : words(role)
    )
  /** What was refused by the provider. */
  const problems = Effect.map(emulator.sent(), (messages) =>
    messages.flatMap(({ event }) => ("exception" in event ? [event.exception] : []))
  )
  return { emulator, speaker, call, next, words, said: words("assistant"), problems }
})

/** A phrase as the microphone hears it, quiet around it. */
const spoken = Effect.fnUntraced(function* (text: string, rate = 16_000) {
  const { pcm } = yield* Voice.tones.speak(text, { speed: 1, voice: "" })
  const whole = Pcm.resample(Pcm.concat([Pcm.silence(200, 24_000), pcm, Pcm.silence(300, 24_000)]), rate)
  const bytes = Pcm.toBytes(whole.samples)
  const size = Audio.bytes(Audio.pcm(rate), "20 millis")
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
    _tag: "AudioInput" as const,
    audio: bytes.subarray(i * size, (i + 1) * size),
    ...Audio.pcm(rate)
  }))
})

/** Says it at the pace of speech, and switches the microphone off. */
const say = Effect.fnUntraced(function* (call: BidiAgent.Call<unknown>, text: string, rate?: number) {
  for (const frame of yield* spoken(text, rate)) {
    yield* call.send(frame)
    yield* TestClock.adjust("20 millis")
    yield* turns(2)
  }
  yield* BidiTest.advance("3 seconds")
})

const texts = (history: { readonly content: ReadonlyArray<{ readonly role: string; readonly content: unknown }> }) =>
  history.content
    .filter(({ role }) => role === "user" || role === "assistant")
    .map(({ content, role }) => {
      const parts = content as ReadonlyArray<{ readonly type: string; readonly text?: string }>
      return `${role}: ${parts.map((part) => part.text ?? part.type).join(" ")}`
    })

describe("a conversation", () => {
  it.effect("in text", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk()
      const start = yield* next("ConnectionStart")
      assert.match(start.connectionId, /^[0-9a-f-]{36}$/)
      yield* call.send("My name is Ada.")
      const usage = yield* next("Usage")
      assert.includeMembers(
        usage.byModality.map(({ modality }) => modality),
        ["text", "audio"]
      )
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      assert.deepStrictEqual(yield* problems, [])
      yield* call.stop()
      yield* call.await
      yield* emulator.awaitConnections(0)
      yield* emulator.awaitSockets(0)
      const received = (yield* emulator.received()).map(({ type }) => type)
      assert.deepStrictEqual(received.slice(-3), ["contentEnd", "promptEnd", "sessionEnd"])
    })
  )

  it.effect.each([8000, 16_000, 24_000])("by voice, with a tool, at %i Hz", (rate) =>
    Effect.gen(function* () {
      const { call, next, problems, said, speaker, words } = yield* talk({
        input: Audio.pcm(rate),
        output: Audio.pcm(rate)
      })
      yield* say(call, "calculate 25 times 48", rate)
      assert.strictEqual(yield* words("user"), "calculate 25 times 48")
      assert.deepStrictEqual((yield* next("ToolUse")).input, { expression: "25 * 48" })
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "tool_use")
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(speaker.heard().length, 1)
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("with several calls at once, answered in one reply", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk()
      yield* call.send("Calculate 1 plus 2 and calculate 3 plus 4")
      yield* next("ToolUse")
      yield* next("ToolUse")
      assert.strictEqual(yield* said, "The answer is 3. The answer is 7.")
      const results = (yield* emulator.received()).filter(({ type }) => type === "toolResult")
      assert.strictEqual(results.length, 2)
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("with a tool that fails", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems } = yield* talk()
      yield* emulator.control.nextReply({ text: "", calls: [{ name: "calculator", arguments: { expression: "1 +" } }] })
      yield* call.send("Calculate")
      assert.isTrue((yield* next("ToolResult")).isFailure)
      const { event } = yield* emulator.awaitReceived("toolResult")
      assert.include(JSON.stringify(event), "error")
      yield* next("ResponseStart")
      assert.deepStrictEqual(yield* problems, [])
    })
  )
})

describe("an interruption", () => {
  it.effect("by speech while the reply is generated and audible: the provider notices", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said, speaker } = yield* talk({}, { speed: 2 })
      yield* call.send("Tell me a long story.")
      yield* BidiTest.advance("3 seconds")
      yield* say(call, "what time is it")
      assert.strictEqual((yield* next("Interruption")).reason, "user_speech")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "interrupted")
      assert.strictEqual(speaker.flushes(), 1)
      assert.strictEqual((yield* next("ToolUse")).name, "current_time")
      yield* BidiTest.advance("10 seconds")
      assert.match(yield* said, /^The time is /)
      yield* emulator.awaitSent("contentEnd")
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect.each([1, 8])(
    "by text while the reply is audible: what was heard is remembered (%i times as fast)",
    (speed) =>
      Effect.gen(function* () {
        const { call, next, problems, said, speaker } = yield* talk({}, { speed })
        yield* call.send("Tell me a long story.")
        yield* BidiTest.advance("4 seconds")
        yield* call.send("What is my name?")
        assert.strictEqual((yield* next("Interruption")).reason, "user_text")
        assert.strictEqual(speaker.flushes(), 1)
        yield* BidiTest.advance("5 seconds")
        assert.match(yield* said, /name/)
        const [, story, question, answer] = texts(yield* call.history)
        const heard = story!.replace("assistant: ", "")
        // some three words in a second
        assert.isAtLeast(heard.split(" ").length, 4)
        assert.isAtMost(heard.split(" ").length, 20)
        assert.strictEqual(question, "user: What is my name?")
        assert.match(answer!, /name/)
        assert.deepStrictEqual(yield* problems, [])
      })
  )
})

describe("a connection", () => {
  it.effect("that is silent lives on silence", () =>
    Effect.gen(function* () {
      const { call, emulator, problems, said } = yield* talk()
      yield* BidiTest.advance("170 seconds")
      assert.deepStrictEqual(yield* problems, [])
      assert.strictEqual(yield* emulator.connections, 1)
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect("in which nobody says a word for three minutes is replaced", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("My name is Ada.")
      yield* said
      yield* BidiTest.advance("181 seconds")
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.cause?.reason._tag, "IdleTimeout")
      yield* next("ConnectionStart")
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("is replaced before its eight minutes are over, by one that is open already", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk({}, { silenceTimeout: "1 hour" })
      const { expiresAt } = yield* next("ConnectionStart")
      assert.strictEqual(Duration.toMillis("8 minutes"), Number(expiresAt?.epochMilliseconds))
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* call.send("Calculate 1 plus 2")
      assert.strictEqual(yield* said, "The answer is 3.")
      yield* BidiTest.advance("419 seconds")
      assert.strictEqual(yield* emulator.connections, 1)
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual((yield* next("ConnectionWarning")).timeLeft, Duration.minutes(1))
      assert.strictEqual((yield* next("ConnectionRestart")).reason, "scheduled")
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      yield* emulator.awaitConnections(1)
      const ways = (yield* emulator.log).flatMap(({ connection, kind }) =>
        kind === "opened" || kind === "closed" ? [`${kind} ${connection}`] : []
      )
      assert.deepStrictEqual(ways, ["opened 1", "opened 2", "closed 1"])
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("that lasts to its limit is replaced at once", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("My name is Ada.")
      yield* said
      yield* next("ResponseComplete")
      yield* emulator.control.inject(Fault.expire())
      const restart = yield* next("ConnectionRestart")
      assert.deepStrictEqual([restart.reason, restart.cause?.reason._tag], ["timeout", "SessionExpired"])
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      yield* emulator.awaitConnections(1)
    })
  )

  const losses: ReadonlyArray<readonly [string, (trigger: Fault.Trigger) => Fault.Fault, reason: string]> = [
    ["is dropped", Fault.drop, "ConnectionLost"],
    ["ends", Fault.end, "ConnectionLost"],
    ["is reset", (trigger) => Fault.resetStream(2, trigger), "ConnectionLost"],
    ["breaks in a frame", Fault.truncateFrame, "ConnectionLost"],
    [
      "fails, and is left open",
      (trigger) => Fault.exception("modelStreamErrorException", "no", { at: trigger, leaveOpen: true }),
      "ServerFault"
    ]
  ]

  it.effect.each(losses)(
    "that %s in the middle of a reply is replaced, and the reply gone on with",
    ([, fault, reason]) =>
      Effect.gen(function* () {
        const { call, emulator, next, said } = yield* talk()
        yield* emulator.control.inject(fault(Fault.afterSent("audioOutput")))
        yield* call.send("My name is Ada.")
        const restart = yield* next("ConnectionRestart")
        assert.strictEqual(restart.cause?.reason._tag, reason)
        assert.isTrue(restart.turnInterrupted)
        yield* BidiTest.advance("2 seconds")
        assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
        // the sentence that was cut is said again, whole
        assert.strictEqual(yield* said, "Nice to meet you, Ada.")
        yield* next("ResponseComplete")
        yield* call.send("What is my name?")
        while (!/your name is/i.test(yield* said));
        yield* emulator.awaitConnections(1)
      })
  )

  it.effect("that gets what is no event goes on", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.malformed(undefined, "{no"))
      assert.strictEqual((yield* next("Error")).code, "malformed_message")
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect("to a provider that holds its headers back comes up all the same", () =>
    Effect.gen(function* () {
      const talking = yield* Effect.forkScoped(talk({}, { headers: "first-event" }))
      yield* BidiTest.advance("4 seconds")
      const { call, said } = yield* Fiber.join(talking)
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )
})

describe("all options together", () => {
  it.effect("are taken by a provider that knows them", () =>
    Effect.gen(function* () {
      const { call, problems, said } = yield* talk({
        model: "amazon.nova-2-sonic-v1:0",
        voice: "tiffany",
        input: Audio.pcm(8000),
        output: Audio.pcm(16_000),
        inference: { maxTokens: 2048, topP: 0.5, temperature: 0.1 },
        endpointing: "HIGH",
        toolChoice: "auto"
      })
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.deepStrictEqual(yield* problems, [])
    })
  )
})
