import { BidiAgent, BidiError, BidiEvent, BidiInput, BidiOutput, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { SessionStore } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { agentWith, reasonOf, said } from "./support/agent.ts"
import { storeOf } from "./support/store.ts"

class Unplugged extends Schema.TaggedError<Unplugged>()("Unplugged", {}) {}

const chat: BidiTest.Script = Effect.fnUntraced(function* (line) {
  while (true) {
    const { parts } = yield* line.expect("UserMessage")
    yield* line.reply({ text: `You said ${parts.join(" ")}`, audio: "2 seconds", over: "1 second" })
  }
})

describe("run", () => {
  it.effect("ends when its inputs have ended and the reply has been heard", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        agent.run({ inputs: [BidiTest.caller("Hi")], outputs: [speaker.output, recorder.output] })
      )
      yield* BidiTest.advance("2 seconds")
      assert.notInclude(
        recorder.events().map((event) => event._tag),
        "ConnectionClose"
      )
      yield* BidiTest.advance("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "complete")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(2))
      assert.deepStrictEqual(said(recorder.events()), ["assistant: You said Hi"])
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("fails with the error of the part that failed, under its own name", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const mic = BidiInput.make("mic", Stream.fail(new Unplugged()))
      const exit = yield* Effect.exit(agent.run({ inputs: [mic], outputs: [recorder.output] }))
      assert.deepStrictEqual(exit, Exit.fail(new Unplugged()))
      assert.deepInclude(recorder.events().at(-1), { _tag: "ConnectionClose", reason: "error" })
    })
  )

  it.effect("fails at once when the model does not let it in", () =>
    Effect.gen(function* () {
      const refused = new BidiError.BidiError({ reason: new BidiError.Auth({ message: "wrong key" }) })
      const { agent, model } = yield* agentWith((line) => line.refuse(refused))
      const exit = yield* Effect.exit(agent.run({ inputs: [BidiTest.caller("Hi")] }))
      assert.deepStrictEqual(exit, Exit.fail(refused))
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("is stopped from a tool, a hook, an output, an input, and while it connects", () =>
    Effect.gen(function* () {
      const stop = Effect.flatMap(CurrentConversation.CurrentConversation, (call) => call.stop("user_request"))
      const { agent } = yield* agentWith(chat)
      const inputs = [BidiTest.caller("Hi")]
      const fromHook = agent.run({ inputs, hooks: [BidiAgent.on("ResponseStart", () => stop)] })
      const fromOutput = agent.run({ inputs, outputs: [BidiOutput.make("out", { handle: () => stop })] })
      const fromInput = agent.run({ inputs: [BidiInput.make("in", Stream.fromEffectDrain(stop))] })
      const silent = (yield* agentWith(() => Effect.void)).agent
      const connecting = silent.run({
        inputs: [],
        outputs: [BidiOutput.makeScoped("out", { open: Effect.as(stop, () => Effect.void) })]
      })
      for (const run of [fromHook, fromOutput, fromInput, connecting]) {
        const fiber = yield* Effect.forkChild(run)
        yield* BidiTest.advance("1 second")
        assert.strictEqual(yield* Fiber.join(fiber), "user_request")
      }
    })
  )

  it.effect("is not started when it was stopped before", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(() => Effect.void)
      const stop = Effect.flatMap(CurrentConversation.CurrentConversation, (call) => call.stop())
      const output = BidiOutput.makeScoped("out", { open: Effect.as(stop, () => Effect.void) })
      const exit = yield* Effect.exit(agent.start({ outputs: [output] }))
      assert.strictEqual(reasonOf(exit), "ConversationEnded")
    })
  )

  it.effect("closes in order when it is interrupted", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        agent.run({ inputs: [BidiInput.make("mic", Stream.never)], outputs: [recorder.output] })
      )
      yield* BidiTest.settle
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(recorder.events().at(-1), { _tag: "ConnectionClose", reason: "interrupted" })
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("gives a recording that ends in mid-sentence the silence that ends a turn", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.wait("1500 millis")
          yield* line.hear("What time is it?")
          yield* line.reply({ text: "Noon.", audio: "1 second" })
        })
      )
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        agent.run({ inputs: [BidiTest.caller(BidiTest.speech("1 second"))], outputs: [recorder.output] })
      )
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "complete")
      assert.deepStrictEqual(said(recorder.events()), ["user: What time is it?", "assistant: Noon."])
      const audio = model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio] : []))
      assert.lengthOf(audio, 50 + 20)
      assert.isTrue(audio.slice(50).every((frame) => frame.length === 4800 && frame.every((byte) => byte === 0)))
    })
  )
})

describe("start", () => {
  it.effect("is driven by hand: send, take the events of the reply, send again", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const call = yield* agent.start()
      const reply = call.events.pipe(
        Stream.takeUntil((event) => event._tag === "ResponseComplete"),
        Stream.runCollect
      )
      yield* call.send("one")
      const first = yield* Effect.forkChild(reply)
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(said(yield* Fiber.join(first)), ["assistant: You said one"])
      yield* call.send("two")
      yield* BidiTest.advance("5 seconds") // nobody takes them yet: they wait
      assert.deepStrictEqual(said(yield* reply), ["assistant: You said two"])
      yield* call.stop()
      assert.strictEqual(yield* call.await, "client_disconnect")
      const rest = yield* Stream.runCollect(call.events)
      assert.deepStrictEqual(
        rest.map((event) => event._tag),
        ["ConnectionClose"]
      )
    })
  )

  it.effect("makes one message of texts and pictures", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(() => Effect.never)
      const call = yield* Effect.forkChild(agent.start())
      const { agent: seeing, model: eyes } = yield* agentWith(chat)
      yield* Fiber.interrupt(call)
      const image: BidiEvent.ImageInput = { _tag: "ImageInput", image: new Uint8Array([1]), mimeType: "image/png" }
      const started = yield* seeing.start()
      yield* started.send(["What is this?", image, BidiEvent.TextInput.make({ text: "Be brief." })])
      assert.deepInclude(eyes.commands()[0], { parts: ["What is this?", image, "Be brief."] })
      assert.lengthOf(model.commands(), 0)
    })
  )

  it.effect("waits with what is sent until the model is ready, and keeps its order", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<CurrentConversation.Conversation>()
      const { agent, model } = yield* agentWith((line) => Effect.andThen(line.wait("3 seconds"), line.accept))
      const early = BidiOutput.makeScoped("early", {
        open: Effect.gen(function* () {
          yield* Deferred.succeed(started, yield* CurrentConversation.CurrentConversation)
          return () => Effect.void
        })
      })
      yield* Effect.forkChild(agent.start({ outputs: [early] }))
      yield* BidiTest.settle
      const call = yield* Deferred.await(started)
      const one = yield* Effect.forkChild(call.send("one"))
      const two = yield* Effect.forkChild(call.send("two"))
      const three = yield* Effect.forkChild(call.send("three"))
      yield* BidiTest.advance("1 second")
      assert.isUndefined(one.pollUnsafe())
      yield* Fiber.interrupt(two) // a send that is given up is taken back
      yield* BidiTest.advance("5 seconds")
      yield* Fiber.join(one)
      yield* Fiber.join(three)
      assert.deepStrictEqual(
        model.commands().map((command) => command._tag === "UserMessage" && command.parts[0]),
        ["one", "three"]
      )
    })
  )

  it.effect("refuses what the model cannot take, with a reason", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat, { capabilities: { images: false, manualTurns: false } })
      const call = yield* agent.start()
      const audio = { _tag: "AudioInput", audio: new Uint8Array(4), encoding: "pcm", channels: 1 } as const
      const image = { _tag: "ImageInput", image: new Uint8Array(4), mimeType: "image/png" } as const
      const reasons = yield* Effect.forEach(
        [
          { ...audio, sampleRate: 16_000 },
          image,
          ["Look:", image],
          { _tag: "TurnStart" } as const,
          [],
          "",
          " \n",
          [""]
        ] as const,
        (input) => Effect.map(Effect.flip(call.send(input)), (error) => error.message)
      )
      assert.deepStrictEqual(reasons, [
        "InvalidRequest: audio is pcm 16000 Hz mono, the model takes pcm 24000 Hz mono",
        "test: Unsupported: scripted does not accept images",
        "test: Unsupported: scripted does not accept images",
        'test: Unsupported: scripted detects turns itself. For push to talk, set turnDetection to "manual" if the provider has that option',
        "InvalidRequest: A message needs at least one part",
        "InvalidRequest: A message needs text or an image",
        "InvalidRequest: A message needs text or an image",
        "InvalidRequest: A message needs text or an image"
      ])
    })
  )

  it.effect("fails a send after the end, and one that waits for it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        line.generation > 1
          ? Effect.never
          : Effect.andThen(line.accept, Effect.andThen(line.wait("1 second"), line.drop()))
      )
      const call = yield* agent.start()
      yield* BidiTest.advance("1500 millis") // lost, and the next one does not answer
      const waiting = yield* Effect.forkChild(call.send("Are you there?"))
      yield* BidiTest.settle
      yield* call.stop()
      assert.strictEqual(reasonOf(yield* Effect.exit(Fiber.join(waiting))), "ConversationEnded")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.send("Hello?"))), "ConversationEnded")
      assert.strictEqual(
        reasonOf(
          yield* Effect.exit(
            call.send({
              _tag: "AudioInput",
              audio: new Uint8Array(2),
              encoding: "pcm",
              sampleRate: 24_000,
              channels: 1
            })
          )
        ),
        "ConversationEnded"
      )
    })
  )

  it.effect("lets the agent speak first, once a session", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          const { _tag } = yield* line.next
          yield* line.reply({ text: `${_tag}` })
        })
      )
      const talk = Effect.scoped(
        Effect.gen(function* () {
          const call = yield* agent.start({ greeting: { instructions: "Say hello." }, sessionId: "ada" })
          yield* BidiTest.settle
          if (model.commands().length > 1) yield* call.send("Hi")
          yield* call.stop()
          yield* call.await
        })
      )
      yield* Effect.provide(Effect.andThen(talk, talk), SessionStore.layerMemory)
      assert.deepStrictEqual(model.commands(), [{ _tag: "Respond", instructions: "Say hello." }])
    })
  )
})

describe("a session", () => {
  const messages = (prompt: Prompt.Prompt) =>
    prompt.content.map((message) => {
      const parts: ReadonlyArray<Prompt.Part> = typeof message.content === "string" ? [] : message.content
      return `${message.role}: ${parts.map((part) => (part.type === "text" ? part.text : part.type)).join("|")}`
    })

  it.effect("goes on where it ended", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      const talk = (text: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            const call = yield* agent.start({ sessionId: "ada" })
            yield* call.send(text)
            yield* BidiTest.advance("10 seconds")
            return messages(yield* call.history)
          })
        )
      const [, history] = yield* Effect.all([talk("one"), talk("two")]).pipe(Effect.provide(SessionStore.layerMemory))
      assert.deepStrictEqual(history, ["user: one", "assistant: You said one", "user: two", "assistant: You said two"])
      const seeded = model.log().flatMap((entry) => (entry._tag === "Seeded" ? [entry.history.map((e) => e._tag)] : []))
      assert.deepStrictEqual(seeded, [[], ["User", "Assistant"]])
    })
  )

  it.effect("is forgotten by default", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      for (const text of ["one", "two"]) {
        yield* Effect.scoped(Effect.flatMap(agent.start({ sessionId: "ada" }), (call) => call.send(text)))
      }
      const seeded = model.log().flatMap((entry) => (entry._tag === "Seeded" ? [entry.history.length] : []))
      assert.deepStrictEqual(seeded, [0, 0])
    })
  )

  it.effect("can be given what was said elsewhere", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      const history = Prompt.make([
        { role: "user", content: "I am Ada." },
        { role: "assistant", content: "Hello Ada." }
      ])
      const call = yield* agent.start({ history })
      assert.deepStrictEqual(messages(yield* call.history), ["user: I am Ada.", "assistant: Hello Ada."])
      assert.isTrue(model.log().some((entry) => entry._tag === "Seeded" && entry.history.length === 2))
    })
  )

  it.effect("ends with the store's error when the store fails, and with how much is missing", () =>
    Effect.gen(function* () {
      const full = new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "disk full" }) })
      const broken = storeOf(() => Effect.fail(full)).layer
      const { agent } = yield* agentWith(chat)
      const exit = yield* Effect.gen(function* () {
        const call = yield* agent.start({ sessionId: "ada" })
        const sent = yield* Effect.forkChild(call.send("Hi"))
        yield* BidiTest.advance("1 minute")
        assert.strictEqual(reasonOf(yield* Fiber.await(sent)), "ConversationEnded")
        return yield* Effect.exit(call.await)
      }).pipe(Effect.provide(broken))
      const error = Option.getOrThrow(Exit.findErrorOption(exit))
      assert.deepInclude(error.reason, { _tag: "StoreFailed", entries: 2 })
      assert.include(error.message, "disk full")
    })
  )
})

describe("an output that is too slow", () => {
  const stuck = (strategy: "sliding" | "dropping" | "fail") =>
    BidiOutput.make("stuck", { mailbox: { capacity: 2, strategy }, handle: () => Effect.never })

  it.effect("slows nobody down", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        agent.run({
          inputs: [BidiTest.caller("Hi")],
          outputs: [stuck("sliding"), stuck("dropping"), recorder.output],
          hooks: [BidiAgent.on("TranscriptStream", () => Effect.never)]
        })
      )
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* Fiber.join(fiber), "complete")
      assert.deepStrictEqual(said(recorder.events()), ["assistant: You said Hi"])
    })
  )

  it.effect("ends the conversation when it may lose nothing", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ inputs: [BidiTest.caller("Hi")], outputs: [stuck("fail")] }))
      )
      yield* BidiTest.advance("1 minute")
      const exit = yield* Fiber.join(fiber)
      assert.strictEqual(reasonOf(exit), "ConsumerTooSlow")
    })
  )
})
