/**
 * Whole conversations: an agent, this package, the SDK and a socket, and on its other end an emulated provider.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type { Output, OutputOf, OutputTag } from "@effect-bidi/core/BidiEvent"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as BidiTools from "@effect-bidi/core/BidiTools"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { OpenAiRealtime } from "../src/index.ts"
import { KEY } from "./support/protocol.ts"

/** A conversation that goes on, and everything that surrounds it. */
const talk = Effect.fnUntraced(function* (
  options: Partial<OpenAiRealtime.MakeOptions> = {},
  emulated: OpenAiEmulator.Options = {}
) {
  const emulator = yield* OpenAiEmulator.make({
    speed: Number.POSITIVE_INFINITY,
    voice: "tones",
    apiKeys: [KEY],
    seed: 1,
    ...emulated
  })
  const speaker = yield* BidiTest.speaker()
  const model = OpenAiRealtime.layer({ apiKey: Redacted.make(KEY), baseUrl: emulator.url, ...options })
  const agent = yield* BidiAgent.make({ instructions: "You are Ada.", toolkit: BidiTools.toolkit }).pipe(
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
  /** The next finished words of the agent. */
  const said: Effect.Effect<string> = Effect.flatMap(next("TranscriptStream"), (event) =>
    event.role === "assistant" && event.isFinal ? Effect.succeed(event.currentTranscript) : said
  )
  /** The next finished words of the agent that are like this. */
  const saying = (like: RegExp): Effect.Effect<string> =>
    Effect.flatMap(said, (text) => (like.test(text) ? Effect.succeed(text) : saying(like)))
  /** What reached the provider, by type. */
  const received = Effect.map(emulator.received(), (messages) => messages.map(({ type }) => type))
  const problems = Effect.map(emulator.sent(), (messages) =>
    messages.filter(({ type }) => type === "error").map(({ event }) => (event.error as { code: string }).code)
  )
  return { emulator, speaker, call, next, said, saying, received, problems }
})

/** A phrase as the microphone hears it, quiet around it. */
const spoken = Effect.fnUntraced(function* (text: string) {
  const { pcm } = yield* Voice.tones.speak(text, { speed: 1, voice: "" })
  const whole = Pcm.toBytes(Pcm.concat([Pcm.silence(200, 24_000), pcm, Pcm.silence(700, 24_000)]).samples)
  const size = Audio.bytes(Audio.pcm(24_000), "20 millis")
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => ({
    _tag: "AudioInput" as const,
    audio: whole.subarray(i * size, (i + 1) * size),
    ...Audio.pcm(24_000)
  }))
})

describe("a conversation", () => {
  it.effect("in text", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk({ modality: "text" })
      const start = yield* next("ConnectionStart")
      assert.match(start.connectionId, /^sess_/)
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("Usage")).byModality[0]?.modality, "text")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      assert.deepStrictEqual(yield* problems, [])
      yield* call.stop()
      yield* call.await
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect("by voice, with a tool", () =>
    Effect.gen(function* () {
      const { call, next, problems, received, said, speaker } = yield* talk()
      for (const frame of yield* spoken("calculate 25 times 48")) yield* call.send(frame)
      assert.strictEqual((yield* next("UserSpeech")).phase, "started")
      assert.strictEqual((yield* next("UserSpeech")).phase, "stopped")
      const use = yield* next("ToolUse")
      assert.deepStrictEqual(use.input, { expression: "25 * 48" })
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "tool_use")
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(speaker.heard().length, 1)
      // the calls of one reply are answered by one reply
      assert.strictEqual((yield* received).filter((type) => type === "response.create").length, 1)
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("with several calls at once, answered together", () =>
    Effect.gen(function* () {
      const { call, next, problems, received, said } = yield* talk({ modality: "text" })
      yield* call.send("Calculate 1 plus 2 and calculate 3 plus 4")
      yield* next("ToolUse")
      yield* next("ToolUse")
      assert.strictEqual(yield* said, "The answer is 3. The answer is 7.")
      assert.strictEqual((yield* received).filter((type) => type === "response.create").length, 2)
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("that is interrupted while the reply is audible: cut where it was heard", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said, speaker } = yield* talk()
      yield* call.send("Tell me a long story.")
      const story = yield* said
      yield* next("ResponseComplete")
      yield* BidiTest.advance("2 seconds")
      yield* call.send("What is my name?")
      const interruption = yield* next("Interruption")
      assert.strictEqual(interruption.reason, "user_text")
      const { event } = yield* emulator.awaitReceived("conversation.item.truncate")
      assert.strictEqual(event.audio_end_ms, 2000)
      yield* emulator.awaitSent("conversation.item.truncated")
      yield* next("ResponseComplete")
      assert.strictEqual(speaker.flushes(), 1)
      const [, heard] = (yield* call.history).content.filter((message) => message.role !== "system")
      assert(heard?.role === "assistant" && heard.content[0]?.type === "text")
      assert.isTrue(story.startsWith(heard.content[0].text) && heard.content[0].text.length < story.length)
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("that is interrupted while the reply is generated: cancelled, and the next one waits for that", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk()
      yield* emulator.control.hold
      yield* call.send("Tell me a long story.")
      yield* next("ResponseStart")
      yield* call.send("What is my name?")
      yield* emulator.awaitReceived("response.cancel")
      yield* emulator.control.release
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "interrupted")
      assert.match(yield* said, /name/)
      yield* next("ResponseComplete")
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("that the user talks into: the provider cancels, nobody complains", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("Tell me a long story.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("1 second")
      for (const frame of yield* spoken("what time is it")) yield* call.send(frame)
      assert.strictEqual((yield* next("Interruption")).reason, "user_speech")
      assert.strictEqual((yield* emulator.awaitReceived("conversation.item.truncate")).event.audio_end_ms, 1000)
      assert.strictEqual((yield* next("ToolUse")).name, "current_time")
      assert.match(yield* said, /^The time is /)
    })
  )

  it.effect("with turns of the application, which hold what was said within them", () =>
    Effect.gen(function* () {
      const { call, problems, received, said } = yield* talk({ turnDetection: "manual" })
      for (const frame of yield* spoken("tell me a long story")) yield* call.send(frame)
      yield* call.send({ _tag: "TurnStart" })
      for (const frame of yield* spoken("calculate 25 times 48")) yield* call.send(frame)
      yield* call.send({ _tag: "TurnCommit" })
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.deepStrictEqual(
        (yield* received).filter((type) => type.startsWith("input_audio_buffer") && !type.endsWith("append")),
        ["input_audio_buffer.clear", "input_audio_buffer.commit"]
      )
      assert.deepStrictEqual(yield* problems, [])
    })
  )

  it.effect("with somebody who only taps the button, to whom nothing is said", () =>
    Effect.gen(function* () {
      const { call, received, said } = yield* talk({ turnDetection: "manual" })
      yield* call.send({ _tag: "TurnStart" })
      for (const frame of (yield* spoken("hello")).slice(0, 4)) yield* call.send(frame)
      const tap = yield* Effect.flip(call.send({ _tag: "TurnCommit" }))
      assert.strictEqual(tap.reason._tag, "InvalidRequest")
      assert.notInclude(yield* received, "response.create")
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect("whose reply was refused, and whose connection is lost after that", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk({ modality: "text" })
      yield* emulator.control.inject(Fault.failResponse({ type: "invalid_request_error", code: "invalid_value" }))
      yield* call.send("My name is Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "error")
      assert.strictEqual((yield* next("Error")).error.reason._tag, "InvalidRequest")
      yield* emulator.control.inject(Fault.drop())
      yield* next("ConnectionRestart")
      yield* next("ConnectionStart")
      yield* call.send("My name is Bo.")
      assert.match(yield* said, /^Nice to meet you/)
    })
  )

  it.effect("whose words nobody can make out is no fault of the server, and is answered", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.failTranscription())
      for (const frame of yield* spoken("calculate 25 times 48")) yield* call.send(frame)
      assert.strictEqual((yield* next("Error")).error.reason._tag, "InvalidRequest")
      assert.strictEqual(yield* said, "The answer is 1200.")
    })
  )

  it.effect("with a server that speaks the beta of the protocol says so", () =>
    Effect.gen(function* () {
      const { call, emulator, next } = yield* talk()
      yield* emulator.control.inject(Fault.betaNames)
      yield* call.send("My name is Ada.")
      assert.strictEqual((yield* next("Error")).code, "beta_events")
    })
  )

  it.effect("that outlives its session", () =>
    Effect.gen(function* () {
      const { call, emulator, next, problems, said } = yield* talk({ modality: "text" })
      yield* call.send("My name is Ada.")
      yield* said
      yield* next("ResponseComplete")
      yield* emulator.control.inject(Fault.expire())
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.reason, "timeout")
      assert.strictEqual(restart.cause?.reason._tag, "SessionExpired")
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      assert.deepStrictEqual(yield* problems, ["session_expired"])
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that moves to the next session before the first one ends", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk({ modality: "text" }, { sessionLimit: "40 seconds" })
      const { expiresAt } = yield* next("ConnectionStart")
      assert.isDefined(expiresAt)
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* call.send("Calculate 1 plus 2")
      assert.strictEqual(yield* said, "The answer is 3.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("30 seconds")
      assert.strictEqual((yield* next("ConnectionRestart")).reason, "scheduled")
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      const replayed = yield* emulator.received(2)
      assert.includeMembers(
        replayed.map(({ event }) => (event.item as { type?: string } | undefined)?.type),
        ["message", "function_call", "function_call_output"]
      )
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that loses its connection in the middle of a reply", () =>
    Effect.gen(function* () {
      const { call, emulator, next, saying } = yield* talk({ modality: "text" })
      yield* emulator.control.inject(Fault.drop(Fault.afterSent("response.output_text.delta", 1)))
      yield* call.send("My name is Ada.")
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.cause?.reason._tag, "ConnectionLost")
      assert.isTrue(restart.turnInterrupted)
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      // the reply that was owed is asked for again
      yield* emulator.awaitReceived("response.create", 2)
      yield* next("ResponseComplete")
      yield* call.send("What is my name?")
      assert.match(yield* saying(/your name is/i), /Ada/)
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that is given a reply that fails", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk({ modality: "text" })
      yield* emulator.control.inject(Fault.failResponse({ code: "rate_limit_exceeded", type: "tokens" }))
      yield* call.send("My name is Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "error")
      assert.strictEqual((yield* next("Error")).error.reason._tag, "RateLimited")
      yield* call.send("What is my name?")
      assert.match(yield* said, /Your name is Ada\.$/)
    })
  )

  it.effect.each(["pcmu", "pcma"] as const)("over the telephone: %s", (format) =>
    Effect.gen(function* () {
      const telephone = { encoding: format, sampleRate: 8000, channels: 1 } as const
      const { call, next, problems, speaker } = yield* talk({ input: telephone, output: telephone })
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(speaker.heard().length, 1)
      assert.deepStrictEqual(yield* problems, [])
    })
  )
})

describe("all options together", () => {
  it.effect("are taken by a provider that knows them", () =>
    Effect.gen(function* () {
      const { call, problems, said } = yield* talk({
        model: "gpt-realtime-2",
        voice: "cedar",
        modality: "text",
        turnDetection: {
          type: "server_vad",
          threshold: 0.4,
          prefixPadding: "200 millis",
          silence: "600 millis",
          idleTimeout: "10 seconds",
          createResponse: true,
          interruptResponse: true
        },
        transcription: {
          model: "gpt-live-transcribe",
          language: "en",
          languages: ["en"],
          keywords: ["Ada"],
          prompt: "x"
        },
        noiseReduction: { type: "near_field", strength: 0.5 },
        speed: 1.25,
        toolChoice: "auto",
        parallelToolCalls: false,
        maxOutputTokens: 4096,
        reasoningEffort: "low",
        truncation: { retentionRatio: 0.8, postInstructions: 8000 }
      })
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.deepStrictEqual(yield* problems, [])
    })
  )
})
