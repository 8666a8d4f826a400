import { AgentState, BidiAgent, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { agentWith } from "./support/agent.ts"
import { storeOf } from "./support/store.ts"

const Basket = AgentState.make("basket", {
  schema: Schema.Struct({ items: Schema.Array(Schema.String), at: Schema.Date }),
  initial: { items: [], at: new Date(0) }
})

const put = (item: string) =>
  Basket.update(({ items }) => ({ items: [...items, item], at: new Date(items.length + 1) }))

const inCall = <A, E>(
  call: BidiAgent.Call<unknown>,
  effect: Effect.Effect<A, E, CurrentConversation.CurrentConversation>
) => Effect.provideService(effect, CurrentConversation.CurrentConversation, call)

describe("a value of the application", () => {
  it.effect("is changed by a tool, and is there in the next process", () =>
    Effect.gen(function* () {
      const buy = Tool.make("buy", {
        parameters: Schema.Struct({ item: Schema.String }),
        success: Schema.Int,
        dependencies: [CurrentConversation.CurrentConversation]
      })
      const toolkit = Toolkit.make(buy)
      const handlers = toolkit.toLayer({
        buy: ({ item }) => Effect.orDie(Effect.map(put(item), ({ items }) => items.length))
      })
      const model = yield* BidiTest.model((line) =>
        Effect.andThen(line.callTools(["buy", { item: "tea" }], ["buy", { item: "milk" }]), line.wait("1 hour"))
      )
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      const store = storeOf()
      const talk = agent.start({ sessionId: "ada" }).pipe(
        Effect.tap(BidiTest.advance("1 second")),
        Effect.flatMap((call) => inCall(call, Basket.get)),
        Effect.provide(store.layer),
        Effect.scoped
      )
      assert.deepStrictEqual(yield* talk, { items: ["tea", "milk"], at: new Date(2) })
      assert.deepStrictEqual((yield* talk).items, ["tea", "milk", "tea", "milk"])
    })
  )

  it.effect("is durable before whoever changed it goes on", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const gate = yield* Deferred.make<void>()
      const store = storeOf(() => Deferred.await(gate))
      const call = yield* agent.start({ sessionId: "ada" }).pipe(Effect.provide(store.layer))
      const changing = yield* Effect.forkChild(inCall(call, put("tea")))
      yield* BidiTest.settle
      assert.isUndefined(changing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual((yield* Fiber.join(changing)).items, ["tea"])
    })
  )

  it.effect("lives as long as the conversation where nothing is kept, and does not fit another schema", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start()
      assert.deepStrictEqual((yield* inCall(call, Basket.get)).items, [])
      yield* inCall(call, Effect.all([put("tea"), put("milk")], { concurrency: "unbounded" }))
      assert.deepStrictEqual((yield* inCall(call, Basket.get)).items, ["tea", "milk"])
      const other = AgentState.make("basket", { schema: Schema.Int, initial: 0 })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(inCall(call, other.get))))
    })
  )
})
