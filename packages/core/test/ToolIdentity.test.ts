import { BidiAgent, type BidiModel, SessionStore, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { storeOf } from "./support/store.ts"

const toolkit = Toolkit.make(
  Tool.make("pay", { parameters: Schema.Struct({ amount: Schema.Int }), success: Schema.String }),
  Tool.make("balance", { success: Schema.Int }).setNeedsApproval(true)
)

/** A bank that counts. */
const talk = (script: BidiTest.Script) =>
  Effect.gen(function* () {
    const paid: Array<number> = []
    const ids: Array<string | undefined> = []
    let balance = 0
    const model = yield* BidiTest.model(script)
    const recorder = BidiTest.recorder()
    const handlers = toolkit.toLayer({
      pay: ({ amount }, { toolCallId }) =>
        Effect.sync(() => {
          paid.push(amount)
          ids.push(toolCallId)
          return `paid ${amount}`
        }).pipe(Effect.delay("1 second")),
      balance: () => Effect.sync(() => ++balance)
    })
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    const call = yield* agent.start({ outputs: [recorder.output] })
    const outputs = () =>
      model.commands().flatMap((command) => (command._tag === "ToolOutputs" ? [command.outputs] : []))
    const results = () => recorder.events().filter((event) => event._tag === "ToolResult")
    const calls = Effect.map(call.history, ({ content }) =>
      content.flatMap((message) => (message.role === "assistant" ? message.content : []))
    )
    return { call, calls, ids, model, outputs, paid, recorder, results }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const pay = (id: string, amount: number): BidiModel.ToolCall => ({
  id,
  name: "pay",
  arguments: JSON.stringify({ amount })
})

const asking = (line: BidiTest.Line, responseId: string, ...calls: ReadonlyArray<BidiModel.ToolCall>) =>
  line.emit(
    { _tag: "ResponseStarted", responseId },
    { _tag: "ToolCalls", responseId, calls },
    { _tag: "ResponseDone", responseId, stopReason: "tool_use" }
  )

describe("a call id", () => {
  it.effect("that comes again with other arguments is another call, and has its own result", () =>
    Effect.gen(function* () {
      const { outputs, paid, results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, "r1", pay("call_1", 10))
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "Paid." })
          yield* asking(line, "r2", pay("call_1", 1000))
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10, 1000])
      // the provider hears of the call by its own name
      assert.deepStrictEqual(
        outputs().map((group) => group.map(({ id, result }) => [id, result])),
        [[["call_1", "paid 10"]], [["call_1", "paid 1000"]]]
      )
      assert.strictEqual(new Set(results().map(({ id }) => id)).size, 2)
    })
  )

  it.effect("that comes again in another response is another call, also with the same arguments", () =>
    Effect.gen(function* () {
      const { outputs, paid } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, "r1", pay("call_1", 10))
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "Paid." })
          yield* asking(line, "r2", pay("call_1", 10))
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10, 10])
      assert.lengthOf(outputs(), 2)
    })
  )

  it.effect("that comes again on another connection is another call, if the first was answered", () =>
    Effect.gen(function* () {
      const { outputs, paid } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, `r${line.generation}`, pay("call_1", 10))
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "Paid." })
          if (line.generation === 1) yield* line.drop()
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10, 10])
      assert.lengthOf(outputs(), 2)
    })
  )

  it.effect("that comes on another connection with other arguments is never answered with what was found before", () =>
    Effect.gen(function* () {
      const { outputs, paid } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, `r${line.generation}`, pay("call_1", line.generation === 1 ? 10 : 1000))
          if (line.generation > 1) return
          yield* line.expect("ToolOutputs")
          yield* line.drop()
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10, 1000])
      assert.deepStrictEqual(
        outputs().map((group) => group.map(({ result }) => result)),
        [["paid 10"], ["paid 1000"]]
      )
    })
  )

  it.effect("of a call that nobody has answered is the same call on the next connection", () =>
    Effect.gen(function* () {
      const { outputs, paid, results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, `r${line.generation}`, pay("call_1", 10))
          if (line.generation === 1) yield* line.drop()
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10])
      assert.lengthOf(results(), 1)
      assert.deepStrictEqual(
        outputs().map((group) => group.map(({ result }) => result)),
        [["paid 10"]]
      )
    })
  )

  it.effect("that two calls of one reply have is that of two calls, each with its outcome", () =>
    Effect.gen(function* () {
      const { calls, ids, outputs, paid, recorder, results } = yield* talk((line) =>
        asking(line, "r1", pay("call_1", 10), pay("call_1", 1000), pay("call_1", 10))
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10, 1000]) // the third is a repetition
      assert.deepStrictEqual(
        outputs().map((group) => group.map(({ id, result }) => [id, result])),
        [
          [
            ["call_1", "paid 10"],
            ["call_1", "paid 1000"]
          ]
        ]
      )
      // who hears of them can tell which is which
      const uses = recorder.events().filter((event) => event._tag === "ToolUse")
      const outcome = new Map(results().map(({ id, result }) => [id, result]))
      assert.deepStrictEqual(
        uses.map(({ id, input }) => [(input as { amount: number }).amount, outcome.get(id)]),
        [
          [10, "paid 10"],
          [1000, "paid 1000"]
        ]
      )
      assert.deepStrictEqual(
        ids,
        uses.map(({ id }) => id)
      )
      assert.lengthOf(
        (yield* calls).filter((part) => typeof part !== "string" && part.type === "tool-call"),
        2
      )
    })
  )

  it.effect("that was consented to is not consent to what comes under it later", () =>
    Effect.gen(function* () {
      const ask = { id: "call_1", name: "balance", arguments: "{}" }
      const { call, outputs, recorder } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, "r1", ask)
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "1." })
          yield* asking(line, "r2", ask)
        })
      )
      yield* BidiTest.settle
      const requests = () => recorder.events().filter((event) => event._tag === "ApprovalRequest")
      yield* call.approve(requests()[0]!.id)
      yield* BidiTest.advance("10 seconds")
      assert.lengthOf(requests(), 2)
      assert.lengthOf(outputs(), 1)
      assert.isFalse(yield* call.approve(requests()[0]!.id))
      assert.isTrue(yield* call.approve(requests()[1]!.id))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        outputs().map((group) => group.map(({ result }) => result)),
        [[1], [2]]
      )
    })
  )

  it.effect("that was taken back and comes again is run again", () =>
    Effect.gen(function* () {
      const { outputs, paid } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.emit({ _tag: "ToolCalls", responseId: "r1", calls: [pay("call_1", 10)] })
          yield* line.emit({ _tag: "ToolCallsCancelled", ids: ["call_1"] })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "ToolCalls", responseId: "r1", calls: [pay("call_1", 10)] })
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(paid, [10])
      assert.lengthOf(outputs(), 1)
    })
  )

  it.effect("of an earlier session does not write over what is remembered of it", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* asking(line, "r9", pay("call_1", 10))
          yield* line.expect("ToolOutputs")
        })
      )
      const earlier: Transcript.ToolCall = {
        _tag: "ToolCall",
        id: "call_1",
        responseId: "r1",
        name: "pay",
        input: { amount: 5 },
        output: { result: "paid 5", isFailure: false }
      }
      const { entries, store } = storeOf(undefined, [earlier])
      const handlers = toolkit.toLayer({
        pay: ({ amount }) => Effect.succeed(`paid ${amount}`),
        balance: () => Effect.succeed(0)
      })
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      yield* agent
        .start({ sessionId: "s", resume: "wait" })
        .pipe(Effect.provideService(SessionStore.SessionStore, store), Effect.andThen(BidiTest.advance("2 seconds")))
      const log = entries()
      assert.deepStrictEqual(log[0], earlier)
      assert.isFalse(log.slice(1).some((entry) => entry.id === "call_1"))
      assert.isTrue(log.slice(1).some((entry) => entry._tag === "ToolCall"))
    })
  )
})
