import { BidiAgent, BidiError, BidiModel } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { agentWith, reasonOf } from "./support/agent.ts"

const error = (reason: BidiError.Reason) => new BidiError.BidiError({ reason })
const lost = error(new BidiError.ConnectionLost({ message: "gone" }))
const expired = error(new BidiError.SessionExpired({ message: "an hour is over" }))
const auth = error(new BidiError.Auth({ message: "key revoked" }))

/** When each connection was dialed, in seconds. */
const dialed = (model: BidiTest.TestModel) =>
  model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.at / 1000] : []))

const historyOf = (model: BidiTest.TestModel, generation: number) =>
  model.log().flatMap((entry) => (entry._tag === "Seeded" && entry.generation === generation ? entry.history : []))

const commandsOf = (model: BidiTest.TestModel, generation: number): ReadonlyArray<BidiModel.Command> =>
  model.log().flatMap((entry) => (entry._tag === "Command" && entry.generation === generation ? [entry.command] : []))

const every = (seconds: number, times: number) =>
  Schedule.spaced(Duration.seconds(seconds)).pipe(Schedule.upTo({ times }))

describe("a connection that is lost", () => {
  it.effect("is replaced at once, and after that as the schedule says", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        line.generation === 1 || line.generation === 4
          ? line.accept.pipe(Effect.andThen(line.wait("20 seconds")), Effect.andThen(line.drop(lost)))
          : line.generation > 4
            ? line.accept
            : line.refuse(lost)
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [recorder.output], connection: { retry: every(3, 5) } })
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(dialed(model), [0, 20, 23, 26, 46])
      assert.deepStrictEqual(
        recorder.events().map((event) => (event._tag === "ConnectionRestart" ? event.attempt : event._tag)),
        ["ConnectionStart", 1, 2, 3, "ConnectionStart", 1, "ConnectionStart"]
      )
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("again and again without having settled, uses up the schedule", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        line.accept.pipe(Effect.andThen(line.wait("1 second")), Effect.andThen(line.drop(lost)))
      )
      const call = yield* agent.start({ connection: { retry: every(1, 3) } })
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.await)), "ConnectionLost")
      assert.lengthOf(dialed(model), 5)
    })
  )

  it.effect("for good ends the conversation, and fails what waits, with the last error", () =>
    Effect.gen(function* () {
      const busy = error(new BidiError.ServerFault({ message: "overloaded" }))
      const { agent, model } = yield* agentWith((line) =>
        line.generation === 1
          ? Effect.andThen(line.wait("1 second"), line.drop(lost)).pipe(Effect.andThen(Effect.never), (wait) =>
              Effect.andThen(line.accept, wait)
            )
          : line.refuse(busy)
      )
      const call = yield* agent.start({ connection: { retry: every(2, 2) } })
      yield* BidiTest.advance("2 seconds")
      const waiting = yield* Effect.forkChild(call.send("Hello?"))
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(yield* Effect.exit(call.await), Exit.fail(busy))
      assert.deepStrictEqual(yield* Effect.exit(Fiber.join(waiting)), Exit.fail(busy))
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("for a fatal reason is not replaced", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => (line.generation === 1 ? line.drop(lost) : line.refuse(auth)))
      const call = yield* agent.start()
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(yield* Effect.exit(call.await), Exit.fail(auth))
      assert.lengthOf(dialed(model), 2)
    })
  )

  it.effect("because of too many requests waits as long as it was told", () =>
    Effect.gen(function* () {
      const slower = error(new BidiError.RateLimited({ message: "slower", retryAfter: Duration.seconds(30) }))
      const { agent, model } = yield* agentWith((line) => (line.generation === 1 ? line.drop(slower) : line.accept))
      yield* agent.start({ connection: { retry: every(1, 5) } })
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(dialed(model), [0, 30])
    })
  )

  it.effect("is given up when it does not answer in time", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(() => Effect.never)
      const fiber = yield* Effect.forkChild(Effect.exit(agent.run({ connection: { timeout: "3 seconds" } })))
      yield* BidiTest.advance("3 seconds")
      const exit = yield* Fiber.join(fiber)
      assert.strictEqual(reasonOf(exit), "ConnectionLost")
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("is abandoned at once when the conversation is stopped in the middle of a pause", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => (line.generation === 1 ? line.drop(lost) : line.refuse(lost)))
      const call = yield* agent.start({ connection: { retry: every(3600, 5) } })
      yield* BidiTest.advance("1 second")
      yield* call.stop("user_request")
      assert.strictEqual(yield* call.await, "user_request") // without time passing
    })
  )
})

describe("nothing is lost", () => {
  it.effect("what is sent in between arrives once, in order", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        line.generation === 1
          ? line.drop(lost)
          : Effect.gen(function* () {
              yield* line.wait("5 seconds")
              yield* line.accept
              while (true) yield* line.next
            })
      )
      const call = yield* agent.start()
      yield* BidiTest.advance("1 second")
      const sends = yield* Effect.forEach(["a", "b", "c"], (text) => Effect.forkChild(call.send(text)))
      yield* BidiTest.advance("10 seconds")
      yield* Fiber.joinAll(sends)
      assert.deepStrictEqual(
        model.commands().flatMap((command) => (command._tag === "UserMessage" ? command.parts : [])),
        ["a", "b", "c"]
      )
      assert.deepStrictEqual(historyOf(model, 2), [])
    })
  )

  it.effect("history is told again, with tool calls, and a question without an answer is asked again", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 1) {
            yield* line.expectText("one")
            yield* line.reply({ text: "first" })
            yield* line.callTools(["unknown", {}])
            yield* line.expect("ToolOutputs")
            yield* line.reply({ text: "second" })
            yield* line.expectText("two")
            return yield* line.drop(lost)
          }
          yield* line.expectText("two")
          yield* line.reply({ text: "third" })
        })
      )
      const call = yield* agent.start()
      yield* call.send("one")
      yield* BidiTest.settle
      yield* call.send("two")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        historyOf(model, 2).map((entry) => entry._tag),
        ["User", "Assistant", "ToolCall", "Assistant"]
      )
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.map(({ role }) => role),
        ["user", "assistant", "assistant", "tool", "assistant", "user", "assistant"]
      )
    })
  )

  it.effect("a reply that was cut by the loss is gone on with", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.reply({ text: " upon a time" }))
          yield* line.reply({ text: "Once", unfinished: true })
          yield* line.drop(lost)
        })
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.advance("1 second")
      assert.deepInclude(historyOf(model, 2).at(-1), { _tag: "Assistant", text: "Once" })
      assert.strictEqual(commandsOf(model, 2)[0]?._tag, "Respond")
      assert.deepInclude(
        recorder.events().find((event) => event._tag === "ConnectionRestart"),
        { turnInterrupted: true }
      )
    })
  )

  it.effect("speech that nobody answered is sent again, the last 2.5 seconds of it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("2 seconds")
          yield* line.hear("first question")
          yield* line.reply({ text: "first answer" })
          yield* line.wait("4 seconds")
          yield* line.drop(lost)
        })
      )
      yield* agent.start({ inputs: [BidiTest.caller(BidiTest.speech("6 seconds"))] })
      yield* BidiTest.advance("6 seconds")
      const audio = (generation: number) =>
        model.log().flatMap((entry) => (entry._tag === "Audio" && entry.generation === generation ? [entry.audio] : []))
      const [first, again] = [audio(1), audio(2)]
      assert.deepStrictEqual(again.slice(0, 125), first.slice(-125))
    })
  )

  it.effect("speech that was answered is not sent again", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("1500 millis")
          yield* line.hear("question")
          yield* line.reply({ text: "answer" })
          yield* line.wait("100 millis")
          yield* line.drop(lost)
        })
      )
      const call = yield* agent.start({ inputs: [BidiTest.caller(BidiTest.speech("1 second"))] })
      yield* BidiTest.advance("1700 millis")
      const again = model
        .log()
        .flatMap((entry) => (entry._tag === "Audio" && entry.generation === 2 ? [entry.audio] : []))
      assert.isTrue(again.flatMap((frame) => [...frame]).every((byte) => byte === 0)) // the silence after a recording
      yield* call.stop()
    })
  )

  it.effect("a tool that finishes while there is no connection is told to the next one", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.callTools(["unknown", {}])
          yield* line.drop(lost)
        })
      )
      yield* agent.start()
      yield* BidiTest.advance("1 second")
      const told = historyOf(model, 2)
      assert.deepInclude(told[0], { _tag: "ToolCall", name: "unknown" })
      assert.isTrue(told[0]?._tag === "ToolCall" && told[0].output !== undefined)
      assert.deepStrictEqual(
        commandsOf(model, 2).map((command) => command._tag),
        ["Respond"]
      )
    })
  )

  it.effect("a tool that still runs is told to the next one as one that does, and its result when there is one", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("slow", { success: Schema.String }))
      const slow = toolkit.toLayer({ slow: () => Effect.as(Effect.sleep("1 minute"), "at last") })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("Take your time.")
          yield* line.callTools(["slow", {}])
          yield* line.wait("1 second")
          yield* line.drop(lost)
        })
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, slow]))
      const call = yield* agent.start()
      yield* call.send("Take your time.")
      yield* BidiTest.advance("2 seconds")
      // a model that does not know of the call would make it again
      assert.deepInclude(historyOf(model, 2).at(-1), {
        _tag: "ToolCall",
        name: "slow",
        output: { result: "Still working on it. The result will follow.", isFailure: false }
      })
      assert.lengthOf(commandsOf(model, 2), 0)
      yield* BidiTest.advance("1 minute")
      const [told] = commandsOf(model, 2)
      assert.isTrue(told?._tag === "Note" && told.respond && told.text.includes("at last"))
      assert.lengthOf(commandsOf(model, 2), 1)
    })
  )

  it.effect("audio that the connection does not take waits for it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.congest(true)
          yield* line.wait("1 second")
          yield* line.congest(false)
        })
      )
      yield* agent.start({ inputs: [BidiTest.caller(BidiTest.speech("800 millis"))] })
      yield* BidiTest.advance("1500 millis")
      assert.lengthOf(
        model.log().filter((entry) => entry._tag === "Audio" && entry.audio.length === 960),
        40
      )
    })
  )
})

describe("a command that the provider refuses", () => {
  it.effect("fails its send, and nothing else", () =>
    Effect.gen(function* () {
      const webp = error(new BidiError.InvalidRequest({ message: "no webp" }))
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.rejectNext(webp)
          yield* line.expectText("Hello")
          yield* line.reply({ text: "Hi" })
        })
      )
      const call = yield* agent.start()
      const picture = { _tag: "ImageInput", image: new Uint8Array(1), mimeType: "image/webp" } as const
      assert.deepStrictEqual(yield* Effect.exit(call.send(picture)), Exit.fail(webp))
      yield* call.send("Hello")
      yield* BidiTest.settle
      assert.lengthOf((yield* call.history).content, 2)
      assert.lengthOf(dialed(model), 1)
    })
  )
})

describe("a connection that will end", () => {
  const talkative: BidiTest.Script = Effect.fnUntraced(function* (line) {
    yield* line.accept
    while (true) {
      const command = yield* line.next
      if (command._tag === "UserMessage") yield* line.reply({ text: `re: ${command.parts}`, over: "20 seconds" })
    }
  })

  it.effect("is renewed before, with the next one open before it is closed", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(talkative, { lifetime: "10 minutes" })
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output], connection: { renew: { after: "8 minutes" } } })
      yield* call.send("Hi")
      yield* BidiTest.advance("9 minutes")
      assert.deepStrictEqual(dialed(model), [0, 480])
      assert.deepStrictEqual(
        recorder
          .events()
          .map((event) => (event._tag === "ConnectionRestart" ? [event.reason, event.turnInterrupted] : event._tag))
          .slice(-3),
        ["ConnectionWarning", ["scheduled", false], "ConnectionStart"]
      )
      const marks = model
        .log()
        .flatMap(({ _tag, generation }) => (_tag === "Dialed" || _tag === "Closed" ? [`${_tag} ${generation}`] : []))
      assert.deepStrictEqual(marks, ["Dialed 1", "Dialed 2", "Closed 1"])
      assert.lengthOf(historyOf(model, 2), 2)
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("waits for the turn to end, but not for ever", () =>
    Effect.gen(function* () {
      const restart = (wait: Duration.Input) =>
        Effect.gen(function* () {
          const { agent } = yield* agentWith(talkative, { lifetime: "10 minutes" })
          const recorder = BidiTest.recorder()
          const call = yield* agent.start({
            outputs: [recorder.output],
            connection: { renew: { after: "5 minutes", wait } }
          })
          yield* BidiTest.advance("295 seconds")
          yield* call.send("Hi") // the answer takes 20 seconds
          yield* BidiTest.advance("1 minute")
          const events = recorder.events()
          const at = events.findIndex((event) => event._tag === "ConnectionRestart")
          const before = events[at - 1]
          return [events[at], before?._tag === "ResponseComplete" && before.stopReason] as const
        })
      const [patient, finished] = yield* restart("30 seconds")
      assert.deepInclude(patient, { reason: "scheduled", turnInterrupted: false })
      assert.strictEqual(finished, "complete")
      const [hasty, cut] = yield* restart("2 seconds")
      assert.deepInclude(hasty, { reason: "scheduled", turnInterrupted: true })
      assert.strictEqual(cut, "error")
    })
  )

  it.effect("is closed before the next is opened where two are not allowed, and resumed by its handle", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.emit({ _tag: "Resumable", handle: `handle ${line.generation}` })
          if (line.generation > 1) return
          yield* line.wait("1 minute")
          yield* line.emit({ _tag: "Expiring", timeLeft: Duration.seconds(50) })
        }),
        { capabilities: { overlap: false, resumption: true } }
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.advance("2 minutes")
      const marks = model
        .log()
        .flatMap((entry) =>
          entry._tag === "Dialed"
            ? [`dialed with ${entry.setup.resume}`]
            : entry._tag === "Closed"
              ? [`closed ${entry.generation}`]
              : []
        )
      assert.deepStrictEqual(marks, ["dialed with undefined", "closed 1", "dialed with handle 1"])
      assert.deepInclude(
        recorder.events().find((event) => event._tag === "ConnectionWarning"),
        { timeLeft: Duration.seconds(50) }
      )
    })
  )

  it.effect("ends the conversation when it may not be renewed", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        line.accept.pipe(Effect.andThen(line.wait("1 minute")), Effect.andThen(line.drop(expired)))
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output], connection: { renew: false } })
      yield* BidiTest.advance("2 minutes")
      assert.deepStrictEqual(yield* Effect.exit(call.await), Exit.fail(expired))
      assert.deepInclude(recorder.events().at(-1), { _tag: "ConnectionClose", reason: "timeout" })
      assert.lengthOf(dialed(model), 1)
    })
  )

  it.effect("is used on while its successor does not come up, and the standby serves when it is lost", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 2) return yield* line.refuse(lost)
          yield* line.accept
          if (line.generation > 1) return
          yield* Effect.forkChild(line.reply({ text: "a long reply", over: "10 minutes" }))
          yield* line.wait("310 seconds")
          yield* line.drop(lost)
        }),
        { lifetime: "10 minutes" }
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({
        outputs: [recorder.output],
        connection: { renew: { after: "5 minutes", wait: "1 minute" } }
      })
      yield* BidiTest.advance("7 minutes")
      assert.deepStrictEqual(dialed(model), [0, 300, 305]) // and none at 310
      assert.deepStrictEqual(
        recorder
          .events()
          .flatMap((event) => (event._tag.startsWith("Connection") || event._tag === "Error" ? [event._tag] : [])),
        // and the rest of the reply, which the standby never begins, is given up
        ["ConnectionStart", "ConnectionWarning", "Error", "ConnectionRestart", "ConnectionStart", "Error"]
      )
    })
  )
})

describe("a call of two hours over connections of eight minutes", () => {
  it.effect("is one conversation", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          while (true) {
            const command = yield* line.next
            if (command._tag !== "UserMessage") continue
            yield* line.reply({ text: `re ${command.parts}`, audio: "8 seconds", over: "2 seconds" })
          }
        }),
        { limits: { maxDuration: Duration.minutes(8), renewAfter: Duration.minutes(7), history: 40_000 } }
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
      for (let minute = 0; minute < 120; minute++) {
        yield* call.send(`minute ${minute}`)
        yield* BidiTest.advance("1 minute")
      }
      assert.lengthOf(dialed(model), 18)
      const restarts = recorder.events().filter((event) => event._tag === "ConnectionRestart")
      assert.isTrue(restarts.every(({ reason, turnInterrupted }) => reason === "scheduled" && !turnInterrupted))
      assert.strictEqual((yield* call.history).content.length, 240)
      // every reply was heard, and none of it twice
      assert.deepStrictEqual(speaker.played(), Duration.seconds(120 * 8))
      assert.lengthOf(historyOf(model, 18), 2 * 119)
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("tells what a provider does not take of a long history", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          for (let n = 0; n < 5; n++) {
            yield* line.next
            yield* line.reply({ text: "x".repeat(300) })
          }
          yield* line.drop(lost)
        }),
        { limits: { history: 1000 } }
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      for (let n = 0; n < 5; n++) {
        yield* call.send(`question ${n}`)
        yield* BidiTest.settle
      }
      yield* BidiTest.advance("1 second")
      const told = historyOf(model, 2)
      assert.deepStrictEqual(
        told.map((entry) => (entry._tag === "User" ? entry.parts[0] : entry._tag)),
        ["question 3", "Assistant", "question 4", "Assistant"] // whole exchanges
      )
      assert.deepInclude(
        recorder.events().find((event) => event._tag === "HistoryTrimmed"),
        { entries: 6 }
      )
      assert.lengthOf((yield* call.history).content, 10)
    })
  )
})

describe("a limit that cannot wait", () => {
  const situations: ReadonlyArray<readonly [name: string, busy: BidiTest.Script, turnInterrupted: boolean]> = [
    ["in the middle of a reply", (line) => line.reply({ text: "a long reply", over: "1 minute" }), true],
    ["in the middle of speech", (line) => line.emit({ _tag: "SpeechStarted" }), true],
    ["in the middle of a tool", (line) => line.callTools(["slow", {}]), true],
    ["while a reply is still audible", (line) => line.reply({ text: "spoken", audio: "1 minute" }), true],
    ["while nobody does anything", () => Effect.void, false]
  ]

  it.effect.each(situations)("is met %s", ([, busy, turnInterrupted]) =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("slow", { success: Schema.String }))
      const slow = toolkit.toLayer({ slow: () => Effect.as(Effect.sleep("1 minute"), "at last") })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("9 seconds")
          yield* busy(line)
        }),
        { lifetime: "1 minute" }
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, slow]))
      yield* agent.start({
        outputs: [speaker.output, recorder.output],
        connection: { renew: { after: "10 seconds", wait: "2 seconds" } }
      })
      yield* BidiTest.advance("13 seconds")
      assert.deepInclude(
        recorder.events().find((event) => event._tag === "ConnectionRestart"),
        { reason: "scheduled", turnInterrupted }
      )
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("is met while the next connection does not come up: the limit then ends the old one", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 2 || line.generation === 3) return yield* Effect.never
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("30 seconds")
          yield* line.drop(expired)
        }),
        { lifetime: "30 seconds" }
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({
        outputs: [recorder.output],
        connection: { timeout: "3 seconds", renew: { after: "20 seconds" } }
      })
      yield* BidiTest.advance("31 seconds")
      const restart = recorder.events().filter((event) => event._tag === "ConnectionRestart")
      assert.lengthOf(restart, 1)
      yield* call.stop()
      yield* call.await
      assert.strictEqual(model.open(), 0)
    })
  )
})

describe("a connection that can be resumed", () => {
  const resumable = { capabilities: { resumption: true, overlap: false } } as const

  it.effect("is not asked again what the provider has answered, though nothing of that was heard", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("one")
          yield* line.reply({ text: "first", audio: "5 seconds" })
          yield* line.expect("Interrupt")
          yield* line.emit({ _tag: "Resumable", handle: "after one" })
          yield* line.expectText("two") // on its way when the handle was given, for all that is known
          yield* line.drop(lost)
        }),
        resumable
      )
      const speaker = yield* BidiTest.speaker()
      const call = yield* agent.start({ outputs: [speaker.output] })
      yield* call.send("one")
      yield* BidiTest.settle
      yield* call.interrupt()
      yield* call.send("two")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        commandsOf(model, 2).map((command) => (command._tag === "UserMessage" ? command.parts[0] : command._tag)),
        ["two"]
      )
      assert.lengthOf(historyOf(model, 2), 0)
    })
  )

  it.effect("is told the result of a call that came while nobody was connected", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("look", { success: Schema.String }))
      const look = toolkit.toLayer({ look: () => Effect.as(Effect.sleep("2 seconds"), "found") })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("one")
          yield* line.callTools(["look", {}])
          yield* line.emit({ _tag: "Resumable", handle: "while it looks" })
          yield* line.wait("1 second")
          yield* line.drop(error(new BidiError.ServerFault({ message: "busy" })))
        }),
        resumable
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, look]))
      const call = yield* agent.start({ connection: { retry: every(5, 1) } })
      yield* call.send("one")
      yield* BidiTest.advance("10 seconds")
      // the provider kept the call, and never had its result
      const calls = historyOf(model, 2).filter((entry) => entry._tag === "ToolCall")
      assert.deepStrictEqual(
        calls.map(({ output }) => output?.result),
        ["found"]
      )
      assert.deepStrictEqual(
        commandsOf(model, 2).map(({ _tag }) => _tag),
        ["Respond"]
      )
    })
  )

  it.effect("is not told again the result of a call that the provider had", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("look", { success: Schema.String }))
      const look = toolkit.toLayer({ look: () => Effect.succeed("found") })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("one")
          yield* line.callTools(["look", {}])
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "first" })
          yield* line.emit({ _tag: "Resumable", handle: "after one" })
          yield* line.drop(lost)
        }),
        resumable
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, look]))
      const call = yield* agent.start()
      yield* call.send("one")
      yield* BidiTest.advance("1 second")
      assert.lengthOf(historyOf(model, 2), 0)
    })
  )

  it.effect("is told only what the provider does not know yet", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("one")
          yield* line.reply({ text: "first" })
          yield* line.emit({ _tag: "Resumable", handle: "after one" })
          yield* line.expectText("two")
          yield* line.reply({ text: "second" })
          yield* line.expectText("three")
          yield* line.drop(lost)
        }),
        resumable
      )
      const call = yield* agent.start()
      for (const text of ["one", "two", "three"]) {
        yield* call.send(text)
        yield* BidiTest.settle
      }
      yield* BidiTest.advance("1 second")
      assert.deepInclude(
        model.log().find((entry) => entry._tag === "Dialed" && entry.generation === 2),
        { setup: { instructions: undefined, tools: [], resume: "after one" } }
      )
      assert.deepStrictEqual(
        historyOf(model, 2).map((entry) => (entry._tag === "User" ? entry.parts[0] : entry._tag)),
        ["two", "Assistant"]
      )
      assert.deepInclude(commandsOf(model, 2)[0], { parts: ["three"] })
    })
  )

  // a handle that comes after the talk so far was sent may be from before it arrived: all of it would be forgotten
  it.effect.each([false, true])("is one by a handle that knows what it was told (a reply before it: %s)", (replies) =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 3) return void (yield* line.accept)
          if (line.generation === 1) {
            yield* line.expectText("one")
            yield* line.reply({ text: "first" })
            return yield* line.drop(lost)
          }
          if (!replies) yield* line.emit({ _tag: "Resumable", handle: "early" })
          yield* line.expectText("two")
          if (replies) {
            yield* line.reply({ text: "second" })
            yield* line.emit({ _tag: "Resumable", handle: "late" })
          }
          yield* line.drop(lost)
        }),
        resumable
      )
      const call = yield* agent.start()
      yield* call.send("one")
      yield* BidiTest.advance("1 second")
      yield* call.send("two")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.setup.resume] : [])),
        [undefined, undefined, replies ? "late" : undefined]
      )
      assert.lengthOf(historyOf(model, 3), replies ? 0 : 2)
    })
  )

  it.effect("and is not let in by its handle, begins anew with all of the history", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.setup.resume !== undefined) {
            return yield* line.refuse(error(new BidiError.InvalidRequest({ message: "unknown handle" })))
          }
          if (line.generation > 1) return void (yield* line.accept)
          yield* line.expectText("one")
          yield* line.reply({ text: "first" })
          yield* line.emit({ _tag: "Resumable", handle: "stale" })
          yield* line.drop(lost)
        }),
        resumable
      )
      const call = yield* agent.start()
      yield* call.send("one")
      yield* BidiTest.advance("1 second")
      assert.lengthOf(historyOf(model, 3), 2)
      assert.lengthOf(dialed(model), 3)
      assert.strictEqual(model.open(), 1)
    })
  )
})

describe("a connection that is accepted", () => {
  /** A model of which the connections with these numbers do not take the talk so far. */
  const deafTo = (deaf: ReadonlyArray<number>, script: BidiTest.Script) =>
    Effect.gen(function* () {
      const scripted = yield* BidiTest.model(script)
      const layer = Layer.effect(
        BidiModel.BidiModel,
        Effect.map(BidiModel.BidiModel, (model) => ({
          ...model,
          connect: (setup: BidiModel.Setup) =>
            Effect.map(model.connect(setup), (connection) =>
              deaf.includes(Number(connection.id.split("-")[1]))
                ? { ...connection, seed: () => Effect.never }
                : connection
            )
        }))
      ).pipe(Layer.provide(scripted.layer))
      return { model: scripted, agent: yield* BidiAgent.make({}).pipe(Effect.provide(layer)) }
    })

  it.effect("but does not take the talk so far, is given up in time", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* deafTo([1], (line) => line.accept)
      const run = yield* Effect.forkChild(Effect.exit(agent.run({ connection: { timeout: "3 seconds" } })))
      yield* BidiTest.advance("3 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(run)), "ConnectionLost")
      assert.strictEqual(model.open(), 0)
    })
  )

  it.effect("but does not take the talk so far, is followed by another", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* deafTo([2], (line) =>
        line.generation === 1 ? Effect.andThen(line.accept, line.drop(lost)) : line.accept
      )
      yield* agent.start({ connection: { retry: every(1, 3), timeout: "3 seconds" } })
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(dialed(model), [0, 0, 4])
      assert.strictEqual(model.open(), 1)
    })
  )
})

describe("a conversation that may not connect again", () => {
  const ends: ReadonlyArray<readonly [reason: BidiError.BidiError, close: string]> = [
    [lost, "error"],
    [expired, "timeout"],
    [error(new BidiError.ServerFault({ message: "down" })), "error"],
    [error(new BidiError.RateLimited({ message: "slower" })), "error"]
  ]

  it.effect.each(ends)("ends with its only connection, for whatever reason that ends", ([reason, close]) =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        (line) => line.accept.pipe(Effect.andThen(line.wait("1 minute")), Effect.andThen(line.drop(reason))),
        { lifetime: "20 seconds" }
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({
        outputs: [recorder.output],
        connection: { reconnect: false, renew: { after: "10 seconds" } }
      })
      yield* BidiTest.advance("2 minutes")
      assert.deepStrictEqual(yield* Effect.exit(call.await), Exit.fail(reason))
      assert.deepStrictEqual(
        recorder.events().map((event) => (event._tag === "ConnectionClose" ? event.reason : event._tag)),
        ["ConnectionStart", "ConnectionWarning", close]
      )
      assert.lengthOf(dialed(model), 1)
    })
  )
})

describe("what is told of the next try", () => {
  const restarts = (recorder: BidiTest.Recorder) =>
    recorder
      .events()
      .flatMap((event) =>
        event._tag === "ConnectionRestart" ? [[event.attempt, Duration.toSeconds(event.delay!)]] : []
      )

  it.effect("is when it comes; one that is never made is not announced", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        line.generation === 1 ? Effect.andThen(line.accept, line.drop(lost)) : line.refuse(lost)
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output], connection: { retry: every(2, 3) } })
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.await)), "ConnectionLost")
      assert.deepStrictEqual(restarts(recorder), [
        [1, 0],
        [2, 2],
        [3, 2],
        [4, 2]
      ])
      assert.lengthOf(dialed(model), 1 + 4)
    })
  )

  it.effect("is nothing, when the first error asks for patience and there are no tries", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.andThen(line.accept, line.drop(error(new BidiError.ServerFault({ message: "down" }))))
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output], connection: { retry: every(1, 0) } })
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.await)), "ServerFault")
      assert.deepStrictEqual(restarts(recorder), [])
    })
  )

  const asked: ReadonlyArray<
    readonly [retryAfter: Duration.Input, maxRetryAfter: Duration.Input | undefined, waits: number]
  > = [
    ["30 seconds", undefined, 30],
    ["1 hour", undefined, 60],
    ["1 hour", "20 seconds", 20],
    ["10 minutes", "1 hour", 600],
    ["1 hour", 0, 1]
  ]

  it.effect.each(asked)("is what a provider asked for, up to a cap that can be set", ([after, maxRetryAfter, waits]) =>
    Effect.gen(function* () {
      const retryAfter = Duration.fromInputUnsafe(after)
      const slower = error(new BidiError.RateLimited({ message: "slower", retryAfter }))
      const { agent, model } = yield* agentWith((line) => (line.generation === 1 ? line.drop(slower) : line.accept))
      const recorder = BidiTest.recorder()
      yield* agent.start({
        outputs: [recorder.output],
        connection: { retry: every(1, 5), ...(maxRetryAfter === undefined ? {} : { maxRetryAfter }) }
      })
      yield* BidiTest.advance("2 hours")
      assert.deepStrictEqual(restarts(recorder), [[1, waits]])
      assert.deepStrictEqual(dialed(model), [0, waits])
    })
  )

  it.effect("counts for a connection that is to follow another, too", () =>
    Effect.gen(function* () {
      const slower = error(new BidiError.RateLimited({ message: "slower", retryAfter: Duration.seconds(30) }))
      const { agent, model } = yield* agentWith((line) => (line.generation === 2 ? line.refuse(slower) : line.accept), {
        lifetime: "10 minutes"
      })
      yield* agent.start({ connection: { renew: { after: "5 minutes" } } })
      yield* BidiTest.advance("6 minutes")
      assert.deepStrictEqual(dialed(model), [0, 300, 330])
    })
  )
})

describe("a message that is too large for the provider", () => {
  const tooLarge = error(new BidiError.ConnectionLost({ message: "the connection was closed (1009)", code: "1009" }))
  const isLarge = (command: BidiModel.Command) => JSON.stringify(command).length > 1000
  const knows = (line: BidiTest.Line) => JSON.stringify(line.history()).length > 1000

  /** Closes for every message that is too large, answers the others. */
  const strict: BidiTest.Script = Effect.fnUntraced(function* (line) {
    yield* line.accept
    yield* line.wait("10 millis")
    if (knows(line)) return yield* line.drop(tooLarge)
    while (true) {
      const command = yield* line.next
      if (isLarge(command)) {
        yield* line.wait("20 millis") // has to be read first
        return yield* line.drop(tooLarge)
      }
      if (command._tag === "UserMessage" && command.parts[0] === "work") yield* line.callTools(["work", {}])
      else if (command._tag !== "Interrupt" && command._tag !== "Update")
        yield* line.reply({ text: `re ${command._tag}` })
    }
  })

  const played = Effect.gen(function* () {
    const toolkit = Toolkit.make(Tool.make("work", { success: Schema.String }))
    const model = yield* BidiTest.model(strict)
    const agent = yield* BidiAgent.make({ toolkit }).pipe(
      Effect.provide([model.layer, toolkit.toLayer({ work: () => Effect.succeed("x".repeat(5000)) })])
    )
    const recorder = BidiTest.recorder()
    const call = yield* agent.start({ outputs: [recorder.output] })
    const errors = () => recorder.events().flatMap((event) => (event._tag === "Error" ? [event.error.reason] : []))
    return { call, errors, model }
  })

  it.effect("is not sent on a third connection, and the talk goes on", () =>
    Effect.gen(function* () {
      const { call, errors, model } = yield* played
      yield* call.send("before")
      yield* BidiTest.advance("1 second")
      yield* call.send("x".repeat(2000))
      const behind = yield* Effect.forkChild(call.send("behind"))
      yield* BidiTest.advance("1 minute")
      yield* Fiber.join(behind)
      assert.lengthOf(dialed(model), 3)
      assert.strictEqual(model.open(), 1)
      assert.lengthOf(errors(), 1)
      assert.deepInclude(errors()[0], { _tag: "InvalidRequest", code: "1009" })
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.flatMap((message) =>
          message.role === "user" ? message.content.map((part) => part.type === "text" && part.text) : []
        ),
        ["before", "behind"]
      )
      yield* call.send("after")
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(dialed(model), 3)
    })
  )

  it.effect("does not take the rest of a reply with it that was cut off by the same end", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 1) {
            yield* line.holdUpdates
            yield* line.expectText("Tell me a story.")
            yield* line.expect("Update")
            yield* line.reply({ text: "Once upon", unfinished: true })
            yield* line.wait("20 millis") // has to be read first
            yield* line.confirmUpdate
          }
          if (line.generation > 2) return yield* line.accept
          yield* line.expect("UserMessage")
          yield* line.wait("20 millis")
          yield* line.drop(tooLarge)
        })
      )
      const call = yield* agent.start()
      yield* call.send("Tell me a story.")
      // what comes behind a change is sent when that is confirmed: into the reply
      const changed = yield* Effect.forkChild(call.update({ instructions: "Be brief." }))
      const large = yield* Effect.forkChild(call.send("x".repeat(2000)))
      yield* BidiTest.advance("1 minute")
      yield* Fiber.join(changed)
      yield* Fiber.join(large)
      const third = model
        .log()
        .flatMap((entry) => (entry._tag === "Command" && entry.generation === 3 ? [entry.command] : []))
      assert.lengthOf(third, 1)
      assert.match((third[0] as { instructions?: string }).instructions ?? "", /^The connection was renewed/)
    })
  )

  it.effect("is told to whoever still waits for it to be sent", () =>
    Effect.gen(function* () {
      const scripted = yield* BidiTest.model((line) => line.accept)
      // the peer closes while the message is being written
      const layer = Layer.effect(
        BidiModel.BidiModel,
        Effect.map(BidiModel.BidiModel, (model) => ({
          ...model,
          connect: (setup: BidiModel.Setup) =>
            Effect.gen(function* () {
              const connection = yield* model.connect(setup)
              const closed = yield* Deferred.make<never, BidiError.BidiError>()
              return {
                ...connection,
                send: (command: BidiModel.Command) =>
                  isLarge(command)
                    ? Effect.andThen(Deferred.fail(closed, tooLarge), Effect.fail(lost))
                    : connection.send(command),
                listen: (take: Parameters<typeof connection.listen>[0]) =>
                  Effect.raceFirst(connection.listen(take), Deferred.await(closed))
              }
            })
        }))
      ).pipe(Layer.provide(scripted.layer))
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(layer))
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      const send = yield* Effect.forkChild(Effect.exit(call.send("x".repeat(2000))))
      const behind = yield* Effect.forkChild(call.send("behind"))
      yield* BidiTest.advance("1 minute")
      const error = yield* Effect.flip(Effect.flatten(Fiber.join(send)))
      assert.deepInclude(error.reason, { _tag: "InvalidRequest", code: "1009" })
      yield* Fiber.join(behind)
      assert.lengthOf(dialed(scripted), 3)
      // and nothing else: what was behind it is never answered here
      assert.isTrue(recorder.events().every((event) => event._tag !== "Error" || event.code === "Unanswered"))
      assert.lengthOf((yield* call.history).content, 1)
    })
  )

  it.effect("is not told any more where it is the result of a tool", () =>
    Effect.gen(function* () {
      const { call, errors, model } = yield* played
      yield* call.send("work")
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(dialed(model), 3)
      assert.strictEqual(model.open(), 1)
      assert.deepInclude(errors()[0], { _tag: "InvalidRequest", code: "1009" })
      assert.include(JSON.stringify(historyOf(model, 3)), "too large to send")
      yield* call.send("after")
      yield* BidiTest.advance("1 minute")
      assert.lengthOf(dialed(model), 3)
    })
  )
})
