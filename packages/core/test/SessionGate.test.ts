/**
 * Nobody learns of what the log does not know; the voice waits for nothing. A store that blinks does not end a call, one
 * that is taken over does.
 */
import { BidiAgent, BidiError, type BidiEvent, SessionStore } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { agentWith, reasonOf } from "./support/agent.ts"
import { storeOf } from "./support/store.ts"

const book = Tool.make("book", { parameters: Schema.Struct({ table: Schema.Int }), success: Schema.String })
const toolkit = Toolkit.make(book)

const diskFull = new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "disk full" }) })

/** A store that takes a write when it is told to. */
const gated = () => {
  let gate = Deferred.makeUnsafe<void>()
  const store = storeOf(() => Deferred.await(gate))
  return {
    ...store,
    open: () => void Deferred.doneUnsafe(gate, Exit.void),
    close: () => void (gate = Deferred.makeUnsafe())
  }
}

describe("until the log knows", () => {
  it.effect("no tool begins, no hook runs, and send has not succeeded; the voice is heard", () =>
    Effect.gen(function* () {
      const store = gated()
      const seen: Array<string> = []
      const handlers = toolkit.toLayer({
        book: ({ table }) => Effect.sync(() => (seen.push("tool"), `booked ${table}`))
      })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Book table 7.")
          yield* line.reply({ text: "One moment.", audio: "1 second" })
          yield* line.callTools(["book", { table: 7 }])
        })
      )
      const speaker = yield* BidiTest.speaker()
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      const call = yield* agent
        .start({
          sessionId: "ada",
          outputs: [speaker.output],
          hooks: [BidiAgent.on("ToolUse", () => Effect.sync(() => void seen.push("hook")))]
        })
        .pipe(Effect.provide(store.layer))
      const sending = yield* Effect.forkChild(
        Effect.tap(call.send("Book table 7."), () => Effect.sync(() => void seen.push("sent")))
      )
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(seen, [])
      assert.deepStrictEqual(speaker.played(), Duration.seconds(1))
      assert.isFalse(model.commands().some(({ _tag }) => _tag === "ToolOutputs"))
      store.open()
      yield* BidiTest.settle
      yield* Fiber.join(sending)
      assert.sameMembers(seen, ["sent", "hook", "tool"])
      assert.isTrue(model.commands().some(({ _tag }) => _tag === "ToolOutputs"))
    })
  )

  it.effect("the model is not told what a tool came to", () =>
    Effect.gen(function* () {
      const store = gated()
      store.open()
      const handlers = toolkit.toLayer({
        book: ({ table }) => Effect.sync(() => (store.close(), `booked ${table}`))
      })
      const model = yield* BidiTest.model((line) => Effect.asVoid(line.callTools(["book", { table: 7 }])))
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      yield* agent.start({ sessionId: "ada" }).pipe(Effect.provide(store.layer))
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(model.commands(), [])
      store.open()
      yield* BidiTest.settle
      assert.deepStrictEqual(
        model.commands().map(({ _tag }) => _tag),
        ["ToolOutputs"]
      )
    })
  )
})

describe("a store that blinks", () => {
  const talk = (fails: (n: number) => boolean, options: BidiAgent.RunOptions) =>
    Effect.gen(function* () {
      const store = storeOf((n) => (fails(n) ? Effect.fail(diskFull) : Effect.void))
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          while (true) {
            const command = yield* line.next
            if (command._tag === "UserMessage") yield* line.reply({ text: `You said ${command.parts.join(" ")}` })
          }
        })
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent
        .start({ sessionId: "ada", outputs: [recorder.output], ...options })
        .pipe(Effect.provide(store.layer))
      const troubles = () => recorder.events().filter((event): event is BidiEvent.ErrorEvent => event._tag === "Error")
      return { call, store, troubles }
    })

  it.effect("does not end a call, and the log has everything once", () =>
    Effect.gen(function* () {
      const { call, store, troubles } = yield* talk((n) => n > 1 && n < 6, {})
      yield* Effect.forkChild(call.send("one"))
      yield* BidiTest.advance("1 second")
      yield* Effect.forkChild(call.send("two"))
      yield* BidiTest.advance("10 seconds")
      yield* call.stop("complete")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* call.await, "complete")
      assert.deepStrictEqual(
        store.transcript().map((entry) => (entry._tag === "Assistant" ? entry.text : entry._tag)),
        ["User", "You said one", "User", "You said two"]
      )
      assert.deepStrictEqual(
        troubles().map(({ code }) => code),
        ["StoreFailed"]
      )
    })
  )

  it.effect("for too long ends it", () =>
    Effect.gen(function* () {
      const { call } = yield* talk((n) => n > 1, {})
      yield* Effect.forkChild(call.send("one"))
      const end = yield* Effect.forkChild(Effect.exit(call.await))
      yield* BidiTest.advance("25 seconds")
      assert.isUndefined(end.pollUnsafe())
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(end)), "StoreFailed")
    })
  )

  it.effect("for too long is gone on without, where that was asked for", () =>
    Effect.gen(function* () {
      const { call, troubles } = yield* talk((n) => n > 1, { onStoreFailure: "goOn" })
      const sending = yield* Effect.forkChild(call.send("one"))
      yield* BidiTest.advance("40 seconds")
      yield* Fiber.join(sending)
      yield* call.send("two")
      yield* BidiTest.advance("1 second")
      yield* call.stop("complete")
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* call.await, "complete")
      assert.lengthOf(troubles(), 2)
      assert.match(troubles()[1]!.message, /goes on, and is not written any more/)
    })
  )
})

describe("a session that is open", () => {
  const talk = (onBusy?: "fail") =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const recorder = BidiTest.recorder()
      const first = yield* agent.start({ sessionId: "ada", outputs: [recorder.output] })
      const second = yield* Effect.exit(agent.start({ sessionId: "ada", ...(onBusy === undefined ? {} : { onBusy }) }))
      const sending = yield* Effect.forkChild(Effect.exit(first.send("Am I still here?")))
      yield* BidiTest.advance("10 seconds")
      return { first, second, recorder, sent: yield* Fiber.join(sending) }
    }).pipe(Effect.provide(SessionStore.layerMemory))

  it.effect("is taken over: the first conversation ends, and says why", () =>
    Effect.gen(function* () {
      const { first, recorder, second, sent } = yield* talk()
      assert.isTrue(Exit.isSuccess(second))
      assert.isTrue(Exit.isFailure(sent))
      assert.strictEqual(reasonOf(yield* Effect.exit(first.await)), "SessionTaken")
      assert.deepInclude(recorder.events().at(-1), { _tag: "ConnectionClose", reason: "superseded" })
    })
  )

  it.effect("is not, where that was not asked for", () =>
    Effect.gen(function* () {
      const { second, sent } = yield* talk("fail")
      assert.strictEqual(reasonOf(second), "SessionBusy")
      assert.isTrue(Exit.isSuccess(sent))
    })
  )

  it.effect("is only named sessions: one without a name writes nothing", () =>
    Effect.gen(function* () {
      const store = storeOf()
      const { agent } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start().pipe(Effect.provide(store.layer))
      yield* call.send("Hello")
      yield* call.stop()
      assert.strictEqual(store.writes(), 0)
    })
  )
})
