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
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import * as Prompt from "effect/ai/Prompt"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { GeminiLive } from "../src/index.ts"
import { KEY } from "./support/protocol.ts"

const live31 = { model: "gemini-3.1-flash-live-preview" }
const live25 = { model: "gemini-2.5-flash-native-audio-preview-12-2025" }
const thinker = { model: "gemini-3.8-live-extended-thinking" }

const toolkit = Toolkit.make(BidiTools.currentTime, BidiTools.calculator)

/** A conversation that goes on, and everything that surrounds it. */
const talk = Effect.fnUntraced(function* (
  options: Partial<GeminiLive.MakeOptions> = {},
  emulated: GeminiEmulator.Options = {}
) {
  const emulator = yield* GeminiEmulator.make({
    speed: Number.POSITIVE_INFINITY,
    voice: "tones",
    apiKeys: [KEY],
    seed: 1,
    ...emulated
  })
  const speaker = yield* BidiTest.speaker()
  const model = GeminiLive.layer({ apiKey: Redacted.make(KEY), baseUrl: emulator.url, ...options })
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
  const said = words("assistant")
  /** The next finished words of the agent that are like this. */
  const saying = (like: RegExp): Effect.Effect<string> =>
    Effect.flatMap(said, (text) => (like.test(text) ? Effect.succeed(text) : saying(like)))
  /** What reached the provider, by type. */
  const received = Effect.map(emulator.received(), (messages) => messages.map(({ type }) => type))
  /** How connections ended, by the provider's hand. */
  const closes = Effect.map(emulator.log, (entries) =>
    entries.flatMap((entry) => (entry.kind === "closed" ? [entry.code] : []))
  )
  return { emulator, speaker, call, next, words, said, saying, received, closes }
})

/** A phrase as the microphone hears it, quiet around it. */
const spoken = Effect.fnUntraced(function* (text: string) {
  const { pcm } = yield* Voice.tones.speak(text, { speed: 1, voice: "" })
  const at16 = Pcm.resample(Pcm.concat([Pcm.silence(200, 24_000), pcm, Pcm.silence(700, 24_000)]), 16_000)
  const whole = Pcm.toBytes(at16.samples)
  const size = Audio.bytes(Audio.pcm(16_000), "20 millis")
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => ({
    _tag: "AudioInput" as const,
    audio: whole.subarray(i * size, (i + 1) * size),
    ...Audio.pcm(16_000)
  }))
})

const roles = (history: { readonly content: ReadonlyArray<{ readonly role: string }> }) =>
  history.content.map(({ role }) => role).filter((role) => role !== "system")

describe("a conversation", () => {
  it.effect.each([{}, live31, live25, thinker])("in text: %j", (options) =>
    Effect.gen(function* () {
      const { call, closes, emulator, next, said } = yield* talk(options)
      const start = yield* next("ConnectionStart")
      assert.notStrictEqual(start.connectionId, "")
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      const usage = yield* next("Usage")
      assert.includeMembers(
        usage.byModality.map(({ modality }) => modality),
        ["text", "audio"]
      )
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      assert.deepStrictEqual(yield* closes, [])
      yield* call.stop()
      yield* call.await
      yield* emulator.awaitConnections(0)
    })
  )

  it.effect.each([{}, live31, live25, thinker])("by voice, with a tool: %j", (options) =>
    Effect.gen(function* () {
      const { call, closes, next, received, said, speaker, words } = yield* talk(options)
      for (const frame of yield* spoken("calculate 25 times 48")) yield* call.send(frame)
      assert.match(yield* words("user"), /calculate 25 times 48/)
      const use = yield* next("ToolUse")
      assert.deepStrictEqual(use.input, { expression: "25 * 48" })
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "tool_use")
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(speaker.heard().length, 1)
      assert.strictEqual((yield* received).filter((type) => type === "toolResponse").length, 1)
      assert.deepStrictEqual(roles(yield* call.history), ["user", "assistant", "tool", "assistant"])
      assert.deepStrictEqual(yield* closes, [])
    })
  )

  it.effect.each([{}, { functions: { behavior: "blocking" } }, live31] as const)(
    "with several calls at once, answered together by one reply: %j",
    (options) =>
      Effect.gen(function* () {
        const { call, closes, next, received, said } = yield* talk(options)
        yield* call.send("Calculate 1 plus 2 and calculate 3 plus 4")
        yield* next("ToolUse")
        yield* next("ToolUse")
        assert.strictEqual(yield* said, "The answer is 3. The answer is 7.")
        assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
        assert.strictEqual((yield* received).filter((type) => type === "toolResponse").length, 1)
        assert.deepStrictEqual(yield* closes, [])
      })
  )

  it.effect("with all of a turn in one message", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said, speaker } = yield* talk()
      yield* emulator.control.inject(Fault.singleMessage)
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      yield* next("Usage")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(speaker.heard().length, 1)
    })
  )

  it.effect("with turns of the application, which hold what was said within them", () =>
    Effect.gen(function* () {
      const { call, closes, received, said } = yield* talk({ turnDetection: "manual" })
      for (const frame of yield* spoken("tell me a long story")) yield* call.send(frame)
      yield* call.send({ _tag: "TurnStart" })
      for (const frame of yield* spoken("calculate 25 times 48")) yield* call.send(frame)
      yield* call.send({ _tag: "TurnCommit" })
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.deepStrictEqual(
        (yield* received).filter((type) => type.startsWith("realtimeInput.activity")),
        ["realtimeInput.activityStart", "realtimeInput.activityEnd"]
      )
      // what is remembered is what was heard
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(roles(yield* call.history), ["user", "assistant", "tool", "assistant"])
      yield* call.send("Calculate 1 plus 2")
      assert.strictEqual(yield* said, "The answer is 3.")
      assert.deepStrictEqual(yield* closes, [])
    })
  )

  it.effect("that is longer than a model holds begins with its end", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones", seed: 1 })
      const agent = yield* BidiAgent.make({}).pipe(
        Effect.provide(GeminiLive.layer({ apiKey: Redacted.make(KEY), baseUrl: emulator.url }))
      )
      const history = Array.from({ length: 400 }, (_, n) => [
        { role: "user" as const, content: `${n} ${"x".repeat(1000)}` },
        { role: "assistant" as const, content: `${n} ${"y".repeat(1000)}` }
      ]).flat()
      yield* agent.start({ history: Prompt.make(history) })
      const { event } = yield* emulator.awaitReceived("clientContent")
      const frame = JSON.stringify(event)
      assert.isBelow(frame.length, 200 * 1024)
      assert.include(frame, "399 y")
      assert.notInclude(frame, '"0 x')
    })
  )

  it.effect("about a picture", () =>
    Effect.gen(function* () {
      const { call, emulator, said } = yield* talk()
      yield* call.send([
        { _tag: "ImageInput", image: new Uint8Array([1, 2, 3]), mimeType: "image/png" },
        "What is this?"
      ])
      assert.match(yield* said, /image|picture/i)
      const types = (yield* emulator.received()).map(({ type }) => type)
      assert.deepStrictEqual(types.slice(-2), ["realtimeInput.video", "realtimeInput.text"])
    })
  )

  it.effect("that the provider answers with nothing, and says why", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.failResponse({ code: "BLOCKLIST" }))
      yield* call.send("My name is Ada.")
      assert.strictEqual((yield* next("Error")).error.reason.code, "BLOCKLIST")
      yield* call.send("What is my name?")
      assert.match(yield* said, /Ada/)
    })
  )
})

describe("an interruption", () => {
  it.effect("by text while the reply is audible: what was heard of it is remembered", () =>
    Effect.gen(function* () {
      const { call, next, said, speaker } = yield* talk()
      yield* call.send("Tell me a long story.")
      const story = yield* said
      yield* next("ResponseComplete")
      yield* BidiTest.advance("2 seconds")
      yield* call.send("What is my name?")
      const interruption = yield* next("Interruption")
      assert.strictEqual(interruption.reason, "user_text")
      assert.deepStrictEqual(interruption.heard, Duration.seconds(2))
      yield* next("ResponseComplete")
      assert.strictEqual(speaker.flushes(), 1)
      const heard = (yield* call.history).content.find((message) => message.role === "assistant")
      assert(heard?.role === "assistant" && heard.content[0]?.type === "text")
      assert.isTrue(story.startsWith(heard.content[0].text) && heard.content[0].text.length < story.length)
    })
  )

  it.effect("by text while the reply is generated: the provider cuts it off, and answers", () =>
    Effect.gen(function* () {
      const { call, closes, emulator, next, saying } = yield* talk()
      yield* emulator.control.inject(Fault.hold(Fault.afterSent("serverContent.modelTurn", 3)))
      yield* call.send("Tell me a long story.")
      const { responseId } = yield* next("ResponseStart")
      yield* emulator.awaitSent("serverContent.modelTurn", 3)
      yield* call.send("What is my name?")
      assert.deepInclude(yield* next("ResponseComplete"), { responseId, stopReason: "interrupted" })
      yield* emulator.awaitSent("serverContent.interrupted")
      yield* emulator.control.release
      yield* saying(/name/)
      assert.deepInclude(yield* next("ResponseComplete"), { stopReason: "complete" })
      assert.deepStrictEqual(yield* closes, [])
    })
  )

  it.effect("by speech while the reply is generated, and what comes with the news is not heard", () =>
    Effect.gen(function* () {
      const { call, emulator, next, speaker, words } = yield* talk()
      yield* emulator.control.inject(
        Fault.audioWithInterruption,
        Fault.hold(Fault.afterSent("serverContent.modelTurn", 3))
      )
      yield* call.send("Tell me a long story.")
      const { responseId } = yield* next("ResponseStart")
      yield* emulator.awaitSent("serverContent.modelTurn", 3)
      const speech = yield* spoken("what time is it")
      for (const frame of speech) yield* call.send(frame)
      assert.deepInclude(yield* next("Interruption"), { responseId, reason: "user_speech" })
      yield* emulator.control.release
      assert.strictEqual(yield* words("user"), "what time is it")
      assert.strictEqual((yield* next("ToolUse")).name, "current_time")
      assert.match(yield* words("assistant"), /^The time is /)
      assert.strictEqual(speaker.flushes(), 1)
    })
  )

  it.effect("by speech while the reply is audible only here: it is not known to the provider", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("Tell me a long story.")
      const { responseId } = yield* next("ResponseComplete")
      yield* BidiTest.advance("1 second")
      yield* emulator.control.inject(Fault.push({ serverContent: { interrupted: true } }))
      const interruption = yield* next("Interruption")
      assert.strictEqual(interruption.responseId, responseId)
      assert.deepStrictEqual(interruption.heard, Duration.seconds(1))
      yield* call.send("What is my name?")
      assert.match(yield* said, /name/)
    })
  )

  it.effect("takes back the call that the model waits for", () =>
    Effect.gen(function* () {
      const { call, emulator, next } = yield* talk(live31)
      yield* emulator.control.inject(Fault.cancelCalls())
      yield* call.send("Calculate 1 plus 2")
      yield* next("ToolUse")
      const result = yield* next("ToolResult")
      assert.isTrue(result.isFailure)
      yield* emulator.awaitSent("toolCallCancellation")
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      assert.notInclude(
        (yield* emulator.received()).map(({ type }) => type),
        "toolResponse"
      )
    })
  )
})

describe("a connection", () => {
  it.effect("that is told to go is renewed, and its session goes on in the next", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("10 seconds")
      yield* emulator.control.inject(Fault.goAway({ timeLeft: "50 seconds" }))
      assert.deepStrictEqual((yield* next("ConnectionWarning")).timeLeft, Duration.seconds(50))
      assert.deepInclude(yield* next("ConnectionRestart"), { reason: "scheduled", turnInterrupted: false })
      const { connectionId, generation } = yield* next("ConnectionStart")
      assert.strictEqual(generation, 2)
      assert.strictEqual(
        connectionId,
        (yield* emulator.awaitSent("setupComplete")).event.setupComplete!["sessionId" as never]
      )
      // the first one is closed before the second one begins: two at once are refused
      const order = (yield* emulator.log).flatMap((entry) =>
        entry.kind === "closed" || (entry.kind === "received" && entry.type === "setup")
          ? [`${entry.kind} ${entry.connection}`]
          : []
      )
      assert.deepStrictEqual(order, ["received 1", "closed 1", "received 2"])
      const [setup] = yield* emulator.received(2)
      assert.isString((setup!.event.setup as any).sessionResumption.handle)
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      // nothing was told again
      assert.notInclude(
        (yield* emulator.received(2)).map(({ type }) => type),
        "clientContent"
      )
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect.each([{}, live25, live31])("whose handle is refused begins anew, with the history: %j", (options) =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk(options)
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* call.send("Calculate 1 plus 2")
      assert.strictEqual(yield* said, "The answer is 3.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("10 seconds")
      yield* emulator.control.onNextConnection(Fault.rejectResumption())
      yield* emulator.control.inject(Fault.goAway())
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      const [setup, seed, ...rest] = yield* emulator.received(3)
      assert.deepStrictEqual((setup!.event.setup as any).sessionResumption, {})
      assert.include(JSON.stringify(seed?.event.clientContent), "My name is Ada.")
      assert.include(JSON.stringify(seed?.event.clientContent), "calculator")
      assert.deepStrictEqual(rest, [])
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that breaks in the middle of a reply is replaced, and the reply asked for again", () =>
    Effect.gen(function* () {
      const { call, emulator, next, saying } = yield* talk()
      yield* emulator.control.inject(Fault.drop(Fault.afterSent("serverContent.modelTurn", 2)))
      yield* call.send("My name is Ada.")
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.cause?.reason._tag, "ConnectionLost")
      assert.isTrue(restart.turnInterrupted)
      assert.strictEqual((yield* next("ConnectionStart")).generation, 2)
      yield* next("ResponseComplete")
      yield* call.send("What is my name?")
      assert.match(yield* saying(/your name is/i), /Ada/)
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that ends at its limit without a word is replaced", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("10 seconds")
      yield* emulator.control.inject(Fault.expire())
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.reason, "timeout")
      assert.strictEqual(restart.cause?.reason._tag, "SessionExpired")
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      yield* emulator.awaitConnections(1)
    })
  )

  it.effect("that gets a message that is no JSON goes on", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.malformed())
      assert.strictEqual((yield* next("Error")).code, "malformed_message")
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect("to a model that does not exist fails at once, and names it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(talk({ model: "gemini-4-live" }, { models: ["gemini-3.8-live"] }))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "model")
    })
  )

  it.effect("with a key that is not good fails at once", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(talk({ apiKey: Redacted.make("wrong") }))
      assert(error._tag === "BidiError" && error.reason._tag === "Auth")
    })
  )
})

describe("what the real service was seen to do", () => {
  const events = (call: { readonly history: Effect.Effect<Prompt.Prompt> }) =>
    Effect.map(call.history, ({ content }) => JSON.stringify(content))

  it.effect("text instead of speech is an error, and nothing that was said", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.writtenText({ instead: true }))
      yield* call.send("My name is Ada.")
      assert.strictEqual((yield* next("Reasoning")).delta, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "error")
      assert.strictEqual((yield* next("Error")).code, "text_only_turn")
      assert.notInclude(yield* events(call), "Nice to meet you")
      yield* call.send("What is my name?")
      assert.match(yield* said, /name/)
    })
  )

  it.effect("text beside speech is no caption", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* emulator.control.inject(Fault.writtenText({ instead: false }))
      yield* call.send("My name is Ada.")
      yield* next("Reasoning")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
    })
  )

  it.effect("thoughts are told where they are asked for", () =>
    Effect.gen(function* () {
      const { call, next, said } = yield* talk({ ...live31, thinking: { thoughts: true } })
      yield* call.send("My name is Ada.")
      assert.include((yield* next("Reasoning")).delta, "**Answering**")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect.each([undefined, "NEED_MORE_INPUT", "RESPONSE_REJECTED"])(
    "silence is an error, with its reason: %s",
    (code) =>
      Effect.gen(function* () {
        const { call, emulator, next, said } = yield* talk(live31)
        yield* emulator.control.inject(
          code === undefined ? Fault.cutResponse("max_output_tokens", 0) : Fault.failResponse({ code, afterChunks: 0 })
        )
        for (const frame of yield* spoken("what time is it")) yield* call.send(frame)
        assert.strictEqual((yield* next("ResponseComplete")).stopReason, "error")
        assert.strictEqual((yield* next("Error")).code, code ?? "empty_turn")
        yield* call.awaitIdle
        assert.notInclude(roles(yield* call.history), "assistant")
        yield* call.send("My name is Ada.")
        assert.strictEqual(yield* said, "Nice to meet you, Ada.")
      })
  )

  it.effect.each(["turn", "inside", "top"] as const)(
    "work in the background ends with the news that it has: %s",
    (where) =>
      Effect.gen(function* () {
        const { call, emulator, next, said } = yield* talk()
        yield* emulator.control.inject(Fault.background(where))
        yield* call.send("My name is Ada.")
        assert.strictEqual(yield* said, "Nice to meet you, Ada.")
        assert.strictEqual((yield* next("ResponseComplete")).stopReason, "complete")
      })
  )

  it.effect.each([
    [{}, false],
    [{}, true],
    [live25, false],
    [live31, true]
  ] as const)("calls in content are executed, once: %j", ([options, also]) =>
    Effect.gen(function* () {
      const { call, closes, emulator, next, received, said } = yield* talk(options)
      yield* emulator.control.inject(Fault.callsAsParts({ also }))
      yield* call.send("Calculate 25 times 48")
      assert.strictEqual((yield* next("ToolUse")).name, "calculator")
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.strictEqual((yield* received).filter((type) => type === "toolResponse").length, 1)
      assert.deepStrictEqual(yield* closes, [])
    })
  )

  it.effect.each([{}, live31])("speech that is heard and not answered is an error: %j", (options) =>
    Effect.gen(function* () {
      const { call, emulator, next, said, words } = yield* talk(options)
      yield* emulator.control.inject(Fault.noReply)
      for (const frame of yield* spoken("what time is it")) yield* call.send(frame)
      yield* emulator.awaitSent("serverContent.inputTranscription")
      while ((yield* next("TranscriptStream")).currentTranscript !== "what time is it");
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* words("user"), "what time is it")
      assert.strictEqual((yield* next("Error")).code, "unanswered_speech")
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you, Ada.")
    })
  )

  it.effect("bursts of words are neither glued nor doubled", () =>
    Effect.gen(function* () {
      const { call, emulator, said, words } = yield* talk(live31)
      yield* emulator.control.nextTranscript("My name is Ada. What is my name?")
      yield* emulator.control.nextReply({ text: "I know that. You are called Ada.", calls: [] })
      yield* emulator.control.inject(Fault.transcriptBursts)
      for (const frame of yield* spoken("what time is it")) yield* call.send(frame)
      assert.strictEqual(yield* words("user"), "My name is Ada. What is my name?")
      assert.strictEqual(yield* said, "I know that. You are called Ada.")
    })
  )

  it.effect("words behind the end of their turn are said, and leave nobody waiting", () =>
    Effect.gen(function* () {
      const { call, emulator, said } = yield* talk()
      yield* emulator.control.inject(Fault.lateTranscript)
      yield* call.send("My name is Ada.")
      assert.strictEqual(yield* said, "Nice to meet you,")
      assert.strictEqual(yield* said, "Ada.")
      const rest = yield* Effect.forkScoped(call.awaitIdle, { startImmediately: true })
      yield* BidiTest.advance("10 seconds")
      assert.isDefined(rest.pollUnsafe())
    })
  )

  it.effect("a live 1007 resumes the session on its handle, once for what caused it", () =>
    Effect.gen(function* () {
      const { call, emulator, next, said } = yield* talk()
      yield* call.send("My name is Ada.")
      yield* next("ResponseComplete")
      const invalid = "Request contains an invalid argument."
      yield* BidiTest.advance("10 seconds")
      yield* emulator.control.inject(Fault.close(1007, invalid))
      const passing = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.raceFirst(effect, Effect.forever(BidiTest.advance("1 second")))
      const restart = yield* next("ConnectionRestart")
      assert.strictEqual(restart.cause?.reason._tag, "ServerFault")
      assert.strictEqual((yield* passing(next("ConnectionStart"))).generation, 2)
      const [setup] = yield* emulator.received(2)
      assert.isString((setup!.event.setup as any).sessionResumption.handle)
      yield* call.send("What is my name?")
      assert.strictEqual(yield* said, "Your name is Ada.")
      yield* next("ResponseComplete")
      yield* BidiTest.advance("10 seconds")
      // asked again, it is refused again: that is what ends the talk
      yield* emulator.control.inject(Fault.close(1007, invalid, Fault.afterReceived("realtimeInput.text")))
      yield* emulator.control.onNextConnection(Fault.close(1007, invalid, Fault.afterReceived("realtimeInput.text")))
      const ended = yield* Effect.forkScoped(Effect.flip(call.await), { startImmediately: true })
      yield* Effect.ignore(call.send("Calculate 1 plus 2"))
      const error = yield* passing(Fiber.join(ended))
      assert(error._tag === "BidiError")
      assert.deepStrictEqual([error.reason._tag, error.reason.code], ["InvalidRequest", "1007"])
    })
  )

  it.effect.each([live31, { ...live31, model: "gemini-3.8-live" }])(
    "an ear that tells of speech, and one that does not: %j",
    (options) =>
      Effect.gen(function* () {
        const { call, next, said } = yield* talk(options)
        for (const frame of yield* spoken("what time is it")) yield* call.send(frame)
        if (options.model === live31.model) {
          assert.strictEqual((yield* next("UserSpeech")).phase, "started")
          assert.strictEqual((yield* next("UserSpeech")).phase, "stopped")
        }
        assert.match(yield* said, /^The time is /)
      })
  )
})

describe("all options together", () => {
  const common: Partial<GeminiLive.MakeOptions> = {
    voice: "Kore",
    input: Audio.pcm(16_000),
    turnDetection: {
      startSensitivity: "high",
      endSensitivity: "low",
      prefixPadding: "20 millis",
      silence: "600 millis",
      interruptResponse: true
    },
    turnCoverage: "activity",
    temperature: 0.8,
    topP: 0.9,
    topK: 40,
    maxOutputTokens: 8000,
    mediaResolution: "low",
    compression: { triggerTokens: 100_000, targetTokens: 50_000 }
  }
  const hints = { transcription: { input: { languages: ["en-US"], vocabulary: ["Ada"] } } }

  it.effect.each([
    { ...common, ...hints, language: "en-US", functions: { behavior: "non_blocking", scheduling: "interrupt" } },
    { ...common, ...hints, ...thinker, thinking: { level: "high" } },
    { ...common, ...live31, thinking: { level: "minimal" }, language: "en-US" },
    { ...common, ...live25, thinking: { budget: 0 }, affectiveDialog: true, proactivity: { audio: true, video: true } }
  ] as ReadonlyArray<Partial<GeminiLive.MakeOptions>>)("are taken by a provider that knows them: %j", (options) =>
    Effect.gen(function* () {
      const { call, closes, said } = yield* talk(options)
      yield* call.send("Calculate 25 times 48")
      assert.strictEqual(yield* said, "The answer is 1200.")
      assert.deepStrictEqual(yield* closes, [])
    })
  )
})
