/**
 * A payment that has begun is made, whatever ends meanwhile; everybody hears of it, the next session too.
 */
import { BidiAgent, type BidiEvent, BidiTool, SessionStore, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { storeOf } from "./support/store.ts"

const pay = Tool.make("pay", { parameters: Schema.Struct({ euros: Schema.Int }), success: Schema.String })
  .annotate(BidiTool.OnInterruption, "uninterruptible")
  .annotate(BidiTool.Timeout, "20 seconds")
  .annotate(BidiTool.Concurrency, 1)
const toolkit = Toolkit.make(pay)

const kept = (...earlier: ReadonlyArray<Transcript.Entry>) => {
  const { store, transcript } = storeOf(undefined, earlier)
  return { calls: () => transcript().filter((entry) => entry._tag === "ToolCall"), store }
}

const agentOf = (script: BidiTest.Script, lasting: Effect.Effect<unknown> = Effect.sleep("5 seconds")) =>
  Effect.gen(function* () {
    const paid: Array<number> = []
    const handlers = toolkit.toLayer({
      pay: ({ euros }) =>
        Effect.map(lasting, () => {
          paid.push(euros)
          return `paid ${euros}`
        })
    })
    const model = yield* BidiTest.model(script)
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    return { agent, model, paid }
  })

const paying =
  (...euros: ReadonlyArray<number>): BidiTest.Script =>
  (line) =>
    line.callTools(...euros.map((euros) => ["pay", { euros }] as const)).pipe(Effect.andThen(Effect.never))

const results = (events: ReadonlyArray<BidiEvent.Output>) =>
  events.flatMap((event) => (event._tag === "ToolResult" ? [event.result] : []))

describe("a tool that must not be interrupted, at the end", () => {
  it.effect("is waited for; its result is told and in the log", () =>
    Effect.gen(function* () {
      const { agent, paid } = yield* agentOf(paying(10))
      const recorder = BidiTest.recorder()
      const { calls, store } = kept()
      const call = yield* Effect.provideService(
        agent.start({ sessionId: "ada", outputs: [recorder.output] }),
        SessionStore.SessionStore,
        store
      )
      yield* BidiTest.advance("1 second")
      yield* call.stop("user_request")
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* call.await, "user_request")
      assert.deepStrictEqual(paid, [10])
      assert.deepStrictEqual(results(recorder.events()), ["paid 10"])
      assert.strictEqual(recorder.events().at(-1)?._tag, "ConnectionClose")
      assert.deepInclude(calls()[0], { output: { result: "paid 10", isFailure: false } })
    })
  )

  it.effect("is waited for up to its own bound", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentOf(paying(10), Effect.never)
      const call = yield* agent.start()
      yield* BidiTest.advance("1 second")
      yield* call.stop("user_request")
      const end = yield* Effect.forkChild(call.await)
      yield* BidiTest.advance("15 seconds")
      assert.isUndefined(end.pollUnsafe())
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(yield* Fiber.join(end), "user_request")
    })
  )

  it.effect("does not begin any more if it waited for its turn, and the log says so", () =>
    Effect.gen(function* () {
      const { agent, paid } = yield* agentOf(paying(10, 20, 30))
      const { calls, store } = kept()
      const call = yield* Effect.provideService(agent.start({ sessionId: "ada" }), SessionStore.SessionStore, store)
      yield* BidiTest.advance("1 second")
      yield* call.stop()
      yield* BidiTest.advance("30 seconds")
      yield* call.await
      assert.deepStrictEqual(paid, [10])
      assert.deepStrictEqual(
        calls().map((entry) => entry._tag === "ToolCall" && entry.output?.isFailure),
        [false, true, true]
      )
    })
  )

  it.effect("is told as it was when the provider has cancelled it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentOf((line) =>
        Effect.andThen(
          line.callTools(["pay", { euros: 10 }]),
          Effect.suspend(() => line.emit({ _tag: "ToolCallsCancelled", ids: ["call-2"] }))
        )
      )
      const recorder = BidiTest.recorder()
      yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(results(recorder.events()), ["paid 10"])
    })
  )

  it.effect("is recorded when the application that called it has gone", () =>
    Effect.gen(function* () {
      const { agent, paid } = yield* agentOf((line) => line.accept)
      const { calls, store } = kept()
      const call = yield* Effect.provideService(agent.start({ sessionId: "ada" }), SessionStore.SessionStore, store)
      const calling = yield* Effect.forkChild(call.callTool("pay", { euros: 10 }, { record: true }), {
        startImmediately: true
      })
      yield* BidiTest.advance("1 second")
      yield* Effect.forkChild(Fiber.interrupt(calling))
      yield* call.stop()
      yield* BidiTest.advance("10 seconds")
      yield* call.await
      assert.deepStrictEqual(paid, [10])
      assert.deepInclude(calls()[0], { output: { result: "paid 10", isFailure: false } })
    })
  )
})

describe("a session that is continued", () => {
  it.effect("tells the model of a call without output that it began and its result is unknown", () =>
    Effect.gen(function* () {
      const call = { id: "call-1", responseId: "r", name: "pay", input: { euros: 10 } }
      const { store } = kept({ _tag: "User", id: "u", parts: ["Pay 10."] }, { _tag: "ToolCall", ...call })
      const { agent, model } = yield* agentOf((line) => line.accept)
      yield* Effect.provideService(agent.start({ sessionId: "ada" }), SessionStore.SessionStore, store)
      yield* BidiTest.settle
      const seeded = model.log().flatMap((entry) => (entry._tag === "Seeded" ? entry.history : []))
      const told = seeded.find((entry) => entry._tag === "ToolCall")
      assert.match(String(told?._tag === "ToolCall" && told.output?.result), /began, and its result is unknown/)
      assert.isFalse(told?._tag === "ToolCall" && told.output?.isFailure)
    })
  )
})
