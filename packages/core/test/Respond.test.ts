/** Replies that the application asks for, facts that it tells, and turns in which nothing was said. */
import { BidiError, BidiInput, CurrentConversation, Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { agentWith, reasonOf } from "./support/agent.ts"

const tags = (model: BidiTest.TestModel) => model.commands().map((command) => command._tag)

describe("respond", () => {
  it.effect("asks for a reply to what was said, where no reply follows by itself", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.emit(
            { _tag: "UserTurn", itemId: "u1", respond: false },
            { _tag: "TranscriptDone", role: "user", itemId: "u1", text: "Anybody here?" }
          )
          const { instructions } = yield* line.expect("Respond")
          assert.isUndefined(instructions)
          yield* line.reply({ text: "I am." })
        })
      )
      const call = yield* agent.start()
      yield* BidiTest.advance("1 second")
      yield* call.respond()
      yield* call.awaitIdle
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.map(({ role }) => role),
        ["user", "assistant"]
      )
    })
  )

  it.effect("waits for the floor, and brings its instructions", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Hi")
          yield* line.reply({ text: "Hello there.", over: "2 seconds" })
          assert.deepStrictEqual(yield* line.expect("Respond"), { _tag: "Respond", instructions: "Ask for the name." })
          yield* line.reply({ text: "Who are you?" })
        })
      )
      const call = yield* agent.start()
      yield* call.send("Hi")
      const asked = yield* Effect.forkChild(call.respond({ instructions: "Ask for the name." }))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(tags(model), ["UserMessage"])
      yield* BidiTest.advance("2 seconds")
      yield* Fiber.join(asked)
      yield* call.awaitIdle
      assert.deepStrictEqual(tags(model), ["UserMessage", "Respond"])
    })
  )

  it.effect("is owed to the next connection when this one is lost before it is answered", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          assert.deepInclude(yield* line.expect("Respond"), { instructions: "Greet." })
          if (line.generation === 1) yield* line.drop()
          else yield* line.reply({ text: "Welcome." })
        })
      )
      const call = yield* agent.start()
      yield* call.respond({ instructions: "Greet." })
      yield* BidiTest.advance("1 second")
      yield* call.awaitIdle
      const { content } = yield* call.history
      assert.include(JSON.stringify(content), "Welcome.")
    })
  )

  it.effect("fails after the end", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      yield* call.stop()
      yield* call.await
      assert.strictEqual(reasonOf(yield* Effect.exit(call.respond())), "ConversationEnded")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.note("It rains."))), "ConversationEnded")
    })
  )
})

describe("note", () => {
  it.effect("tells the model a fact without asking for a reply, and is told to the next connection too", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          if (line.generation === 2) return yield* line.next
          const note = yield* line.expect("Note")
          assert.deepStrictEqual(note, { _tag: "Note", text: "The visitor wears a red coat.", respond: false })
          yield* line.wait("1 second")
          yield* line.drop()
        }).pipe(Effect.asVoid)
      )
      const call = yield* agent.start()
      yield* call.note("The visitor wears a red coat.")
      yield* call.awaitIdle // nothing is awaited
      yield* BidiTest.advance("5 seconds")
      const seeds = model.log().flatMap((entry) => (entry._tag === "Seeded" ? [entry.history] : []))
      assert.strictEqual(seeds.length, 2)
      assert.deepStrictEqual(
        seeds[1]!.map(({ _tag }) => _tag),
        ["Note"]
      )
      const notes = yield* Transcript.fromPrompt(yield* call.history)
      assert.deepInclude(notes[0], { _tag: "Note", text: "The visitor wears a red coat." })
    })
  )

  it.effect("is not in the history of a provider that refused it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        line.rejectNext(
          new BidiError.BidiError({
            reason: new BidiError.Unsupported({ feature: "notes", message: "it answers all" })
          })
        )
      )
      const call = yield* agent.start()
      assert.strictEqual(reasonOf(yield* Effect.exit(call.note("It rains."))), "Unsupported")
      assert.deepStrictEqual((yield* call.history).content, [])
    })
  )

  it.effect("says something", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      assert.strictEqual(reasonOf(yield* Effect.exit(call.note(" "))), "InvalidRequest")
    })
  )
})

describe("a turn in which nothing was said", () => {
  const signal = (tag: "TurnStart" | "TurnCommit") => ({ _tag: tag }) as const

  it.effect("is refused when it is committed: nobody speaks to nothing", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => Effect.forever(line.next))
      const call = yield* agent.start()
      yield* call.send(signal("TurnStart"))
      assert.strictEqual(reasonOf(yield* Effect.exit(call.send(signal("TurnCommit")))), "InvalidRequest")
      yield* call.awaitIdle // no reply is awaited
      assert.deepStrictEqual(tags(model), ["TurnStart"])
      // it goes on, and is taken once something was said
      yield* Stream.runForEach(BidiTest.speech("100 millis"), call.send).pipe(
        Effect.provideService(CurrentConversation.CurrentConversation, call),
        Effect.forkChild
      )
      yield* BidiTest.advance("1 second")
      yield* call.send(signal("TurnCommit"))
      assert.deepStrictEqual(tags(model), ["TurnStart", "TurnCommit"])
      assert.strictEqual(reasonOf(yield* Effect.exit(call.send(signal("TurnCommit")))), "InvalidRequest")
    })
  )

  it.effect("is taken when something was written in it", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => Effect.forever(line.next))
      const call = yield* agent.start()
      yield* call.send(signal("TurnStart"))
      yield* call.send("Hi")
      yield* call.send(signal("TurnCommit"))
      assert.deepStrictEqual(tags(model), ["TurnStart", "UserMessage", "TurnCommit"])
    })
  )

  it.effect("does not end the call of somebody who only tapped the button", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => Effect.forever(line.next))
      const recorder = BidiTest.recorder()
      const button = BidiInput.make(
        "button",
        Stream.concat(Stream.make(signal("TurnStart"), signal("TurnCommit")), Stream.never)
      )
      const call = yield* agent.start({ inputs: [button], outputs: [recorder.output] })
      yield* BidiTest.advance("1 second")
      const errors = recorder.events().filter((event) => event._tag === "Error")
      assert.deepStrictEqual(
        errors.map(({ error }) => error.reason._tag),
        ["InvalidRequest"]
      )
      yield* call.send("Still here?")
    })
  )
})
