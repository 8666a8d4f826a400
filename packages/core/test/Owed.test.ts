/** What the model owes when its connection ends, and who is told of it. */
import type { Transcript } from "@effect-bidi/core"
import { BidiAgent, BidiError, BidiEvent, BidiInput, type BidiModel, type BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { agentWith } from "./support/agent.ts"

const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

const historyOf = (model: BidiTest.TestModel, generation: number) =>
  model.log().findLast((entry) => entry._tag === "Seeded" && entry.generation === generation) as
    | { readonly history: Transcript.Transcript }
    | undefined

/** What a connection was told, in few words. */
const told = (model: BidiTest.TestModel, generation: number) =>
  (historyOf(model, generation)?.history ?? []).map((entry) =>
    entry._tag === "User" ? `user: ${entry.parts}` : entry._tag === "Assistant" ? `agent: ${entry.text}` : entry._tag
  )

/** What a connection was asked, in few words. */
const asked = (model: BidiTest.TestModel, generation: number) =>
  model.log().flatMap((entry) => {
    if (entry._tag !== "Command" || entry.generation !== generation) return []
    const { command } = entry
    if (command._tag === "UserMessage") return [`user: ${command.parts}`]
    return [command._tag === "Respond" ? `respond: ${command.instructions ?? ""}` : command._tag]
  })

const errorsIn = (events: ReadonlyArray<BidiEvent.Output>) =>
  events.flatMap((event) => (event._tag === "Error" ? [event.code] : []))

const typing = (...texts: ReadonlyArray<string>) =>
  BidiInput.make("keyboard", Stream.fromIterable(texts.map((text) => BidiEvent.TextInput.make({ text }))))

/** Nobody gets in for so long, ten seconds a try. */
const OUTAGE = { retry: Schedule.spaced("10 seconds") }

/** Plays a script on the first connection, refuses as many as are tried in two minutes, and plays another on the next. */
const outage = (
  before: (line: BidiTest.Line) => Effect.Effect<void>,
  after: (line: BidiTest.Line) => Effect.Effect<unknown>
): BidiTest.Script =>
  Effect.fnUntraced(function* (line) {
    if (line.generation === 1) {
      yield* before(line)
      return yield* line.drop(lost)
    }
    if (line.generation < 14) return yield* line.refuse(lost)
    yield* line.accept
    yield* after(line)
  })

describe("a connection that is lost in the middle of a reply", () => {
  it.effect("does not end a conversation whose inputs have ended, though nothing of it is audible", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          if (line.generation === 1) {
            yield* line.expectText("Tell me a story.")
            yield* line.reply({ text: "Once upon", unfinished: true })
            return yield* line.drop(lost)
          }
          yield* line.expect("Respond")
          yield* line.wait("1 second")
          yield* line.reply({ text: " a time." })
        })
      )
      const recorder = BidiTest.recorder()
      const run = yield* Effect.forkChild(
        agent.run({ inputs: [typing("Tell me a story.")], outputs: [recorder.output] })
      )
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* Fiber.join(run), "complete")
      assert.deepStrictEqual(told(model, 2), ["user: Tell me a story.", "agent: Once upon"])
      assert.deepStrictEqual(
        recorder.events().flatMap((event) => (event._tag === "ResponseComplete" ? [event.stopReason] : [])),
        ["error", "complete"]
      )
    })
  )

  it.effect("is not idle before the rest has come", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation === 1) {
            yield* line.reply({ text: "Once upon", unfinished: true })
            yield* line.wait("1 second")
            return yield* line.drop(lost)
          }
          yield* line.expect("Respond")
          yield* line.reply({ text: " a time.", over: "5 seconds" })
        })
      )
      const call = yield* agent.start()
      yield* BidiTest.settle
      const idle = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("3 seconds")
      assert.isUndefined(idle.pollUnsafe())
      yield* BidiTest.advance("5 seconds")
      assert.isDefined(idle.pollUnsafe())
    })
  )

  it.effect("before it was heard what the user said is not idle until that was heard again", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.nextAudio
          yield* line.emit({ _tag: "SpeechStarted" })
          if (line.generation === 1) return yield* line.drop(lost)
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStopped" }, { _tag: "UserTurn", itemId: "u", respond: true })
          yield* line.wait("1 second")
          yield* line.reply({ text: "I see." })
        })
      )
      const run = yield* Effect.forkChild(agent.run({ inputs: [BidiTest.caller(BidiTest.speech("200 millis"))] }))
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* Fiber.join(run), "complete")
      assert.lengthOf(
        model.log().filter(({ _tag }) => _tag === "Dialed"),
        2
      )
    })
  )
})

describe("a connection that is lost before the first word of a reply to speech", () => {
  // the sound of it is gone, and its words were never known
  it.effect("has the next one asked for it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: true })
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          yield* line.wait("100 millis")
          yield* line.drop(lost)
        })
      )
      yield* agent.start()
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(asked(model, 2), ["respond: "])
    })
  )

  it.effect("has the next one asked for it, also when another reply was asked for meanwhile", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("look", { success: Schema.String }))
      const model = yield* BidiTest.model((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.callTools(["look", {}])
          yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: true })
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          yield* line.expect("ToolOutputs")
          yield* line.drop(lost)
        })
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(
        Effect.provide([model.layer, toolkit.toLayer({ look: () => Effect.as(Effect.sleep("1 second"), "a fox") })])
      )
      yield* agent.start()
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(asked(model, 2), ["respond: "])
    })
  )
})

describe("an outage that is longer than any patience", () => {
  const tools = Toolkit.make(Tool.make("look", { success: Schema.String }))

  it.effect("forgets no reply to the result of a tool", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        outage(
          (line) =>
            Effect.gen(function* () {
              yield* line.expectText("Look!")
              yield* line.callTools(["look", {}])
              yield* line.expect("ToolOutputs")
            }),
          (line) => Effect.andThen(line.expect("Respond"), line.reply({ text: "A fox." }))
        )
      )
      const agent = yield* BidiAgent.make({ toolkit: tools }).pipe(
        Effect.provide([model.layer, tools.toLayer({ look: () => Effect.succeed("a fox") })])
      )
      const run = yield* Effect.forkChild(agent.run({ inputs: [typing("Look!")], connection: OUTAGE }))
      yield* BidiTest.advance("1 minute")
      assert.isUndefined(run.pollUnsafe())
      yield* BidiTest.advance("2 minutes")
      assert.strictEqual(yield* Fiber.join(run), "complete")
      assert.deepStrictEqual(asked(model, 14), ["respond: "])
    })
  )

  it.effect("forgets nothing that was to be said", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        outage(
          (line) => Effect.asVoid(line.expect("Respond")),
          (line) => line.reply({ text: "Hello." })
        )
      )
      const call = yield* agent.start({ connection: OUTAGE })
      yield* call.say("Hello.")
      const idle = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("1 minute")
      assert.isUndefined(idle.pollUnsafe())
      yield* BidiTest.advance("2 minutes")
      assert.isDefined(idle.pollUnsafe())
      assert.include(asked(model, 14)[0], `Say exactly: "Hello."`)
    })
  )

  it.effect("forgets nothing that was to be said, though the user has typed meanwhile", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        outage(
          (line) => Effect.asVoid(line.expect("Respond")),
          () => Effect.void
        )
      )
      const call = yield* agent.start({ connection: OUTAGE })
      yield* call.say("Hello.")
      yield* Effect.forkChild(call.send("Are you there?"))
      yield* BidiTest.advance("3 minutes")
      assert.deepStrictEqual(asked(model, 14), [
        `respond: Say exactly: "Hello." Say it word for word, and nothing else.`,
        "user: Are you there?"
      ])
    })
  )

  it.effect("forgets no greeting, and protects it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        outage(
          (line) => Effect.asVoid(line.expect("Respond")),
          (line) => Effect.andThen(line.expect("Respond"), line.reply({ text: "Hello.", audio: "5 seconds" }))
        )
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({
        outputs: [speaker.output],
        connection: OUTAGE,
        greeting: { text: "Hello.", interruptible: false }
      })
      yield* BidiTest.advance("1 minute")
      yield* Effect.forkChild(call.send("Who is there?"))
      yield* BidiTest.advance("2 minutes")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(5))
      assert.deepStrictEqual(asked(model, 14), [
        `respond: Say exactly: "Hello." Say it word for word, and nothing else.`,
        "user: Who is there?"
      ])
    })
  )
})

describe("the reply to the result of a tool", () => {
  it.effect("is asked for when the user does not speak any more", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("look", { success: Schema.String }))
      const model = yield* BidiTest.model((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Look!")
          yield* line.callTools(["look", {}])
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.wait("9 seconds")
          yield* line.emit({ _tag: "SpeechStopped" }, { _tag: "UserTurn", itemId: "u", respond: false })
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "A fox." })
        })
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(
        Effect.provide([model.layer, toolkit.toLayer({ look: () => Effect.as(Effect.sleep("5 seconds"), "a fox") })])
      )
      const call = yield* agent.start()
      yield* call.send("Look!")
      const idle = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("9 seconds")
      assert.deepStrictEqual(asked(model, 1), ["user: Look!"])
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(asked(model, 1), ["user: Look!", "ToolOutputs"])
      assert.isDefined(idle.pollUnsafe())
    })
  )
})

describe("idle", () => {
  it.effect("does not come while a text interrupts", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Tell me a story.")
          yield* line.reply({ text: "Once upon a time.", audio: "10 seconds" })
          yield* line.expect("Interrupt")
          yield* line.expectText("Another one.")
          yield* line.wait("1 second")
          yield* line.reply({ text: "There was a fox.", audio: "1 second" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const second = Stream.fromEffect(
        Effect.as(Effect.sleep("2 seconds"), BidiEvent.TextInput.make({ text: "Another one." }))
      )
      const run = yield* Effect.forkChild(
        agent.run({
          inputs: [typing("Tell me a story."), BidiInput.make("later", second)],
          outputs: [speaker.output, recorder.output]
        })
      )
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* Fiber.join(run), "complete")
      assert.deepStrictEqual(speaker.played(), Duration.seconds(3))
    })
  )

  it.effect("does not come while a text that is about to be sent waits for the speaker to fall silent", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Tell me a story.")
          yield* line.reply({ text: "Once upon a time.", audio: "10 seconds" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const slow: BidiOutput.BidiOutput = {
        ...speaker.output,
        open: Effect.map(speaker.output.open, (sink) => ({
          ...sink,
          flush: Effect.andThen(sink.flush, Effect.sleep("200 millis"))
        }))
      }
      const call = yield* agent.start({ outputs: [slow] })
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("2 seconds")
      const idle = yield* Effect.forkChild(call.awaitIdle, { startImmediately: true })
      yield* Effect.forkChild(call.send("Another one."))
      yield* BidiTest.advance("10 seconds")
      assert.isUndefined(idle.pollUnsafe()) // the reply to it has not come
    })
  )

  it.effect("comes after the events that led to it were dealt with by whoever reads them", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Hello?")
          yield* line.reply({ text: "Hello." })
        })
      )
      const seen: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const call = yield* agent.start()
          yield* call.events.pipe(
            Stream.runForEach((event) =>
              Effect.andThen(
                Effect.repeat(Effect.yieldNow, { times: 50 }),
                Effect.sync(() => seen.push(event._tag))
              )
            ),
            Effect.forkScoped
          )
          yield* BidiTest.settle
          yield* call.send("Hello?")
          yield* call.awaitIdle
        })
      )
      assert.include(seen, "ResponseComplete")
    })
  )

  it.effect("does not wait for a reader that stalls, nor for one that has stopped", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      yield* Stream.runDrain(Stream.take(call.events, 1))
      yield* call.awaitIdle
      yield* Effect.forkChild(call.interrupt())
      yield* Effect.forkChild(Stream.runForEach(call.events, () => Effect.never))
      yield* call.callTool("none", {})
      const idle = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("1 second")
      assert.isDefined(idle.pollUnsafe())
    })
  )
})

describe("a request for a reply that is swallowed", () => {
  it.effect("is given up after thirty seconds with a connection, and the application is told before it is idle", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => Effect.asVoid(line.expect("UserMessage")))
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* call.send("Hello?")
      const told = yield* Effect.forkChild(Effect.map(call.awaitIdle, () => errorsIn(recorder.events())))
      yield* BidiTest.advance("29 seconds")
      assert.deepStrictEqual(errorsIn(recorder.events()), [])
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(yield* Fiber.join(told), ["Unanswered"])
    })
  )

  it.effect("is told of though nobody waits, and is not asked again by a later connection", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("1 minute")
          yield* line.drop(lost)
        })
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* call.send("Hello?")
      yield* BidiTest.advance("2 minutes")
      assert.deepStrictEqual(errorsIn(recorder.events()), ["Unanswered"])
      assert.deepStrictEqual(told(model, 2), ["user: Hello?"])
      assert.deepStrictEqual(asked(model, 2), [])
    })
  )
})

describe("a turn of the user is not asked again", () => {
  const done = (stopReason: BidiEvent.ResponseComplete["stopReason"], error?: BidiError.BidiError) =>
    [
      { _tag: "ResponseStarted", responseId: "r" },
      { _tag: "ResponseDone", responseId: "r", stopReason, ...(error === undefined ? {} : { error }) }
    ] as const

  const replies: ReadonlyArray<readonly [name: string, reply: ReadonlyArray<BidiModel.ModelEvent>]> = [
    ["was answered by nothing", done("complete")],
    ["had a reply that failed", done("error", lost)],
    ["had a reply that the provider cut off", done("interrupted")],
    ["will have no reply, as the provider says", [{ _tag: "NoResponse", error: lost }]]
  ]

  it.effect.each(replies)("when it %s", ([, reply]) =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.expectText("Hm.")
          yield* line.emit(...reply)
          yield* line.wait("1 second")
          yield* line.drop(lost)
        })
      )
      const call = yield* agent.start()
      yield* call.send("Hm.")
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(told(model, 2), ["user: Hm."])
      assert.deepStrictEqual(asked(model, 2), [])
    })
  )

  it.effect("when it wanted none", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: false })
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: "u", text: "Only thinking aloud." })
          yield* line.wait("1 second")
          yield* line.drop(lost)
        })
      )
      yield* agent.start()
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(told(model, 2), ["user: Only thinking aloud."])
      assert.deepStrictEqual(asked(model, 2), [])
    })
  )

  it.effect("when it was said into a reply; unless that was cut off by it", () =>
    Effect.gen(function* () {
      const after = (cut: boolean) =>
        Effect.gen(function* () {
          const { agent, model } = yield* agentWith((line) =>
            Effect.gen(function* () {
              yield* line.accept
              if (line.generation > 1) return
              yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
              yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: false })
              yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: "u", text: "Mhm." })
              if (cut) yield* line.emit({ _tag: "Interrupted", responseId: "r" })
              yield* line.emit({ _tag: "ResponseDone", responseId: "r", stopReason: "complete" })
              yield* line.drop(lost)
            })
          )
          yield* agent.start()
          yield* BidiTest.advance("10 seconds")
          return asked(model, 2)
        })
      assert.deepStrictEqual(yield* after(false), [])
      assert.deepStrictEqual(yield* after(true), ["user: Mhm."])
    })
  )
})

// The reply to the first was on its way when the second was sent: the second is what cut it off, and has its own to come.
describe("a message that was sent before the reply to another was heard of", () => {
  const crossing = (then: BidiTest.Script) =>
    Effect.gen(function* () {
      const scripted = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.expectText("one")
          yield* line.expectText("two")
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r1" })
          yield* line.emit({ _tag: "Interrupted", responseId: "r1" })
          yield* line.emit({ _tag: "ResponseDone", responseId: "r1", stopReason: "interrupted" })
          yield* then(line)
        })
      )
      const call = yield* scripted.agent.start()
      yield* call.send("one")
      yield* call.send("two")
      return { ...scripted, call }
    })

  it.effect("is owed a reply when that is cut off by it", () =>
    Effect.gen(function* () {
      const { call } = yield* crossing((line) =>
        Effect.andThen(line.wait("5 seconds"), line.reply({ text: "To the second." }))
      )
      const waiting = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("4 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* BidiTest.advance("2 seconds")
      assert.isDefined(waiting.pollUnsafe())
    })
  )

  it.effect("is asked again when the connection is lost then", () =>
    Effect.gen(function* () {
      const { model } = yield* crossing((line) => Effect.andThen(line.wait("1 second"), line.drop(lost)))
      yield* BidiTest.advance("5 seconds")
      assert.include(asked(model, 2), "user: two")
    })
  )
})

describe("an interruption while nobody is connected", () => {
  const story = outage(
    (line) =>
      Effect.gen(function* () {
        yield* line.expectText("Tell me a story.")
        yield* line.reply({ text: "Once upon", unfinished: true })
      }),
    () => Effect.void
  )

  it.effect("by text cuts off what the model would go on with", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(story)
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output], connection: OUTAGE })
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("5 seconds")
      yield* Effect.forkChild(call.send("Stop"))
      yield* BidiTest.advance("3 minutes")
      assert.deepStrictEqual(told(model, 14), ["user: Tell me a story.", "agent: Once upon"])
      assert.deepStrictEqual(asked(model, 14), ["user: Stop"])
      assert.deepStrictEqual(
        recorder.events().flatMap((event) => (event._tag === "Interruption" ? [event.reason] : [])),
        ["user_text"]
      )
    })
  )

  it.effect("by hand leaves nothing to be asked for, and the conversation idle", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(story)
      const call = yield* agent.start({ connection: OUTAGE })
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("5 seconds")
      yield* call.interrupt()
      yield* call.awaitIdle
      yield* BidiTest.advance("3 minutes")
      assert.deepStrictEqual(told(model, 14), ["user: Tell me a story.", "agent: Once upon"])
      assert.deepStrictEqual(asked(model, 14), [])
    })
  )

  it.effect("takes back what was to be said, but no question of the user", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        outage(
          (line) => Effect.andThen(line.expect("Respond"), Effect.asVoid(line.expect("UserMessage"))),
          () => Effect.void
        )
      )
      const call = yield* agent.start({ connection: OUTAGE })
      yield* call.say("Hello.")
      yield* call.send("Who are you?")
      yield* BidiTest.advance("5 seconds")
      yield* call.interrupt()
      yield* BidiTest.advance("3 minutes")
      assert.deepStrictEqual(asked(model, 14), ["user: Who are you?"])
    })
  )
})

describe("a connection that is lost while the words of the user come in", () => {
  const words = (delta: string) => ({ _tag: "TranscriptDelta", role: "user", itemId: "u", delta }) as const

  it.effect("has the speech sent again, and half of the words told to nobody", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("500 millis")
          yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: true }, words("When does"), words(" the tr"))
          yield* line.wait("100 millis")
          yield* line.drop(lost)
        })
      )
      const call = yield* agent.start({ inputs: [BidiTest.caller(BidiTest.speech("500 millis"))] })
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(told(model, 2), [])
      assert.deepStrictEqual(asked(model, 2), [])
      const again = model.log().filter((entry) => entry._tag === "Audio" && entry.generation === 2)
      assert.isAtLeast(again.length, 20)
      assert.deepStrictEqual((yield* call.history).content, [])
    })
  )

  // the sound of a turn is not kept once it has a reply, or once its words are known: nothing asks by itself any more
  const gone: ReadonlyArray<readonly [string, (line: BidiTest.Line) => Effect.Effect<unknown>]> = [
    [
      "a reply without words, while another is owed to a tool",
      (line) =>
        Effect.gen(function* () {
          yield* line.callTools(["slow", {}])
          yield* line.wait("500 millis")
          yield* line.emit(
            { _tag: "UserTurn", itemId: "u", respond: true },
            { _tag: "ResponseStarted", responseId: "r" }
          )
          yield* line.expect("ToolOutputs")
        })
    ],
    [
      "words, though none were understood",
      (line) =>
        Effect.andThen(
          line.wait("500 millis"),
          line.emit(
            { _tag: "UserTurn", itemId: "u", respond: true },
            { _tag: "TranscriptDone", role: "user", itemId: "u", text: "" }
          )
        )
    ]
  ]
  for (const [what, before] of gone) {
    it.effect(`has the reply asked for, where the speech had ${what}`, () =>
      Effect.gen(function* () {
        const model = yield* BidiTest.model((line) =>
          Effect.gen(function* () {
            yield* line.accept
            if (line.generation > 1) return
            yield* before(line)
            yield* line.wait("100 millis")
            yield* line.drop(lost)
          })
        )
        const toolkit = Toolkit.make(Tool.make("slow", { success: Schema.String }))
        const handlers = toolkit.toLayer({ slow: () => Effect.as(Effect.sleep("1 second"), "done") })
        const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
        yield* agent.start({ inputs: [BidiTest.caller(BidiTest.speech("500 millis"), BidiTest.pause("1 minute"))] })
        yield* BidiTest.advance("5 seconds")
        assert.deepStrictEqual(asked(model, 2), ["respond: "])
      })
    )
  }

  it.effect("keeps the words of speech that had a reply already", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: true }, words("When does it leave?"))
          yield* line.reply({ text: "At", unfinished: true })
          yield* line.drop(lost)
        })
      )
      yield* agent.start()
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(told(model, 2), ["user: When does it leave?", "agent: At"])
      assert.lengthOf(asked(model, 2), 1)
    })
  )
})

describe("a text that the provider refuses", () => {
  const error = new BidiError.BidiError({ reason: new BidiError.InvalidRequest({ message: "not such a text" }) })

  it.effect("after it was sent is no part of the history, and is not sent again", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          if (line.generation > 1) return yield* line.accept
          const { id } = yield* line.expect("UserMessage")
          yield* line.emit({ _tag: "Refused", id, error }, { _tag: "NoResponse", error })
          yield* line.wait("1 second")
          yield* line.drop(lost)
        })
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* call.send("\u{1F4A3}")
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual([told(model, 2), asked(model, 2)], [[], []])
      assert.deepStrictEqual((yield* call.history).content, [])
      assert.include(errorsIn(recorder.events()), "InvalidRequest")
    })
  )

  it.effect("when it is asked again is not asked a third time", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          if (line.generation === 1) {
            yield* line.expectText("Hm.")
            return yield* line.drop(lost)
          }
          if (line.generation > 2) return yield* line.accept
          yield* line.rejectNext(error)
          yield* line.wait("5 seconds")
          yield* line.drop(lost)
        })
      )
      const call = yield* agent.start()
      yield* call.send("Hm.")
      yield* BidiTest.advance("1 second")
      yield* call.awaitIdle
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual([told(model, 3), asked(model, 3)], [[], []])
    })
  )
})
