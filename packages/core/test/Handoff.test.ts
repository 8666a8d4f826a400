import { BidiAgent, BidiError, type BidiModel, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import { reasonOf } from "./support/agent.ts"

const tool = (name: string) =>
  Tool.make(name, { success: Schema.String, dependencies: [CurrentConversation.CurrentConversation] })
const Billing = Toolkit.make(tool("refund"))
const Desk = Toolkit.make(tool("transfer"), tool("slow"))

class Ledger extends Context.Service<Ledger, string>()("test/Ledger") {}

/** A front desk that hands over to billing when its model calls `transfer`. */
const office = Effect.fnUntraced(function* (script: BidiTest.Script, options?: BidiTest.ModelOptions) {
  const release = yield* Latch.make()
  const model = yield* BidiTest.model(script, options)
  const billing = yield* BidiAgent.make({
    name: "billing",
    instructions: "You handle refunds.",
    toolkit: Billing.pipe(
      Effect.provide(Billing.toLayer(Effect.map(Ledger, (ledger) => ({ refund: () => Effect.succeed(ledger) })))),
      Effect.provideService(Ledger, "refunded")
    )
  }).pipe(Effect.provide(model.layer))
  const desk = yield* BidiAgent.make({
    name: "desk",
    instructions: "You are the front desk.",
    toolkit: Desk.pipe(
      Effect.provide(
        Desk.toLayer({
          transfer: () =>
            Effect.gen(function* () {
              const { handoff } = yield* CurrentConversation.CurrentConversation
              yield* Effect.orDie(handoff(billing))
              return "This is billing now."
            }),
          slow: () => Effect.as(release.await, "finally")
        })
      )
    )
  }).pipe(Effect.provide(model.layer))
  const recorder = BidiTest.recorder()
  const call = yield* desk.start({ outputs: [recorder.output] })
  const handoffs = () => recorder.events().filter((event) => event._tag === "Handoff")
  const results = () =>
    recorder.events().flatMap((event) => (event._tag === "ToolResult" ? [[event.name, event.result]] : []))
  return { billing, call, desk, handoffs, model, recorder, release, results }
})

const names = ({ tools }: BidiModel.Profile) => tools.map(({ name }) => name)

const described = (model: BidiTest.TestModel) =>
  model.log().flatMap((entry) => {
    if (entry._tag === "Dialed")
      return [`${entry.generation} dialed: ${entry.setup.instructions} ${names(entry.setup)}`]
    if (entry._tag !== "Command") return []
    const { command, generation } = entry
    if (command._tag === "Update") return [`${generation} update: ${command.instructions} ${names(command)}`]
    if (command._tag === "ToolOutputs") return [`${generation} outputs: ${command.outputs.map(({ result }) => result)}`]
    return [`${generation} ${command._tag}`]
  })

describe("an agent that hands over", () => {
  it.effect("is another one on the same connection, where the provider can", () =>
    Effect.gen(function* () {
      const { handoffs, model, results } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.callTools(["transfer", {}])
          yield* line.expect("Update")
          yield* line.expect("ToolOutputs")
          yield* line.callTools(["refund", {}], ["transfer", {}])
          yield* line.expect("ToolOutputs")
        })
      )
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(handoffs(), [{ _tag: "Handoff", from: "desk", to: "billing", at: 0 }])
      assert.deepStrictEqual(described(model), [
        "1 dialed: You are the front desk. transfer,slow",
        "1 update: You handle refunds. refund",
        "1 outputs: This is billing now.",
        '1 outputs: refunded,There is no tool "transfer". The tools are: refund.'
      ])
      assert.deepInclude(results(), ["refund", "refunded"]) // with what its layer gave it
    })
  )

  it.effect("is another one on a new connection, where it cannot; the call and its history go on", () =>
    Effect.gen(function* () {
      const { call, handoffs, model } = yield* office(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) {
            yield* line.expect("Note")
            return void (yield* line.reply({ text: "Billing, hello." }))
          }
          yield* line.expectText("I want my money back.")
          yield* line.callTools(["transfer", {}])
        }),
        { capabilities: { midSessionUpdate: false } }
      )
      yield* call.send("I want my money back.")
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(described(model), [
        "1 dialed: You are the front desk. transfer,slow",
        "1 UserMessage",
        "2 dialed: You handle refunds. refund",
        "2 Note"
      ])
      assert.deepStrictEqual(handoffs(), [{ _tag: "Handoff", from: "desk", to: "billing", at: 0 }])
      const seeded = model.log().find((entry) => entry._tag === "Seeded" && entry.generation === 2)
      assert.deepInclude(seeded?._tag === "Seeded" ? seeded.history[0] : undefined, {
        parts: ["I want my money back."]
      })
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.map(({ role }) => role),
        ["user", "assistant", "tool", "assistant"]
      )
    })
  )

  it.effect("waits until nobody speaks before it takes a new connection", () =>
    Effect.gen(function* () {
      const { billing, call, model } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("1 second")
          yield* line.hear("Let me see.", { lasting: "3 seconds" })
          yield* line.reply({ text: "Take your time.", over: "2 seconds" })
        }),
        { capabilities: { midSessionUpdate: false, overlap: false } }
      )
      yield* BidiTest.advance("2 seconds")
      const handoff = yield* Effect.forkChild(call.handoff(billing))
      yield* BidiTest.advance("3 seconds")
      assert.strictEqual(model.open(), 1)
      yield* BidiTest.advance("3 seconds")
      yield* Fiber.join(handoff)
      assert.strictEqual(described(model).at(-1), "2 dialed: You handle refunds. refund")
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("lets calls that run go on, with the tools they were made with", () =>
    Effect.gen(function* () {
      const { billing, call, model, release, results } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.callTools(["slow", {}])
          yield* line.expect("Update")
          yield* line.expect("ToolOutputs")
        })
      )
      yield* BidiTest.settle
      yield* call.handoff(billing)
      yield* release.open
      yield* BidiTest.settle
      assert.deepStrictEqual(results(), [["slow", "finally"]])
      assert.strictEqual(described(model).at(-1), "1 outputs: finally")
    })
  )

  it.effect("is the one that a lost connection is followed by", () =>
    Effect.gen(function* () {
      const { billing, call, model } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.expect("Update")
          yield* line.drop()
        })
      )
      yield* call.handoff(billing)
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(described(model).slice(1), [
        "1 update: You handle refunds. refund",
        "2 dialed: You handle refunds. refund"
      ])
    })
  )
})

describe("an agent that is changed", () => {
  for (const midSessionUpdate of [true, false]) {
    it.effect(`while there is no connection has the next one as it shall be (${midSessionUpdate})`, () =>
      Effect.gen(function* () {
        const { call, model } = yield* office(
          Effect.fnUntraced(function* (line) {
            if (line.generation === 1) return yield* Effect.andThen(line.accept, line.drop())
            yield* line.wait("2 seconds") // on the way with what was known when it was dialed
            yield* line.accept
          }),
          { capabilities: { midSessionUpdate, overlap: false } }
        )
        yield* BidiTest.advance("1 second")
        const update = yield* Effect.forkChild(call.update({ instructions: "Be brief." }))
        yield* BidiTest.advance("10 seconds")
        yield* Fiber.join(update)
        assert.deepStrictEqual(described(model).slice(1), [
          "2 dialed: You are the front desk. transfer,slow",
          midSessionUpdate ? "2 update: Be brief. transfer,slow" : "3 dialed: Be brief. transfer,slow"
        ])
        assert.strictEqual(model.open(), 1)
      })
    )
  }

  it.effect("does not use a connection that was made ready before", () =>
    Effect.gen(function* () {
      const { call, model } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.wait("55 seconds")
          yield* line.emit({ _tag: "SpeechStopped" })
        }),
        { capabilities: { midSessionUpdate: false }, lifetime: "1 minute" }
      )
      yield* BidiTest.advance("46 seconds")
      assert.strictEqual(model.open(), 2) // the next one is ready, and waits for the end of the turn
      const update = yield* Effect.forkChild(call.update({ instructions: "Be brief." }))
      yield* BidiTest.advance("11 seconds")
      yield* Fiber.join(update)
      yield* BidiTest.advance("1 second")
      assert.strictEqual(described(model).at(-1), "3 dialed: Be brief. transfer,slow")
      assert.strictEqual(model.open(), 1)
    })
  )

  it.effect("stays as it was when the provider refuses", () =>
    Effect.gen(function* () {
      const error = new BidiError.BidiError({ reason: new BidiError.InvalidRequest({ message: "too long" }) })
      const dropped = yield* Deferred.make<void>()
      const { call, model } = yield* office(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.rejectNext(error)
          yield* Deferred.await(dropped)
          yield* line.drop()
        })
      )
      yield* BidiTest.settle
      assert.strictEqual(reasonOf(yield* Effect.exit(call.update({ instructions: "long" }))), "InvalidRequest")
      yield* Deferred.succeed(dropped, undefined)
      yield* BidiTest.advance("1 second")
      assert.strictEqual(described(model).at(-1), "2 dialed: You are the front desk. transfer,slow")
    })
  )

  it.effect("is not any more after the end", () =>
    Effect.gen(function* () {
      const { call } = yield* office((line) => line.accept)
      yield* call.stop()
      yield* call.await
      assert.strictEqual(reasonOf(yield* Effect.exit(call.update({ instructions: "Be brief." }))), "ConversationEnded")
    })
  )
})
