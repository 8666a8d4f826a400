import { BidiAgent, ContextPolicy, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"
import { storeOf } from "./support/store.ts"

const Kinds = Schema.Array(Schema.Literals(["User", "Assistant", "ToolCall", "Note"])).check(Schema.isMaxLength(24))

const historyOf = (kinds: typeof Kinds.Type): Transcript.Transcript =>
  kinds.map((kind, i): Transcript.Entry => {
    const id = `${kind}-${i}`
    switch (kind) {
      case "User":
        return { _tag: kind, id, parts: ["what is it?"] }
      case "Assistant":
        return { _tag: kind, id, responseId: id, text: "it is this", interrupted: false }
      case "Note":
        return { _tag: kind, id, text: "a fact" }
      case "ToolCall":
        return { _tag: kind, id, responseId: id, name: "t", input: {}, output: { result: 1, isFailure: false } }
    }
  })

/** What the model is told of it, and what stays. */
const told = (policy: ReturnType<typeof ContextPolicy.keepLast>, history: Transcript.Transcript) =>
  Effect.gen(function* () {
    const model = yield* BidiTest.model((line) => line.accept)
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(Layer.provide(policy, model.layer)))
    const store = storeOf(undefined, history)
    yield* agent.start({ sessionId: "ada", resume: "wait" }).pipe(Effect.provide(store.layer))
    yield* BidiTest.settle
    return { told: model.log().flatMap((entry) => (entry._tag === "Seeded" ? entry.history : [])), store }
  }).pipe(Effect.scoped)

const isCutWell = (history: Transcript.Transcript, told: Transcript.Transcript) => {
  assert.deepStrictEqual(told, history.slice(history.length - told.length))
  const at = history.length - told.length
  assert.isTrue(at === 0 || (history[at]?._tag === "User" && history[at - 1]?._tag !== "User"))
}

const policies = [ContextPolicy.keepLast(2), ContextPolicy.tokenBudget(60)]

describe("a context policy", () => {
  it.effect.prop(
    "leaves out whole exchanges, the oldest first, and never everything",
    { kinds: Kinds },
    ({ kinds }) =>
      Effect.forEach(
        policies,
        (policy) =>
          Effect.map(told(policy, historyOf(kinds)), ({ told }) => {
            isCutWell(historyOf(kinds), told)
            if (kinds.length > 0) assert.isAbove(told.length, 0)
          }),
        { discard: true }
      ),
    cases(40)
  )

  it.effect("keeps so many, and the log is whole", () =>
    Effect.gen(function* () {
      const history = historyOf(["User", "Assistant", "User", "ToolCall", "Assistant", "User", "User", "Assistant"])
      const two = yield* told(ContextPolicy.keepLast(2), history)
      assert.deepStrictEqual(
        two.told.map(({ id }) => id),
        ["User-2", "ToolCall-3", "Assistant-4", "User-5", "User-6", "Assistant-7"]
      )
      assert.deepStrictEqual(two.store.transcript(), history)
      const budget = yield* told(ContextPolicy.tokenBudget(1), history)
      assert.deepStrictEqual(
        budget.told.map(({ id }) => id),
        ["User-5", "User-6", "Assistant-7"]
      )
    })
  )
})
