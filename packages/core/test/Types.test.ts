// What compiles is tested: the type check of the workspace reads this file.
import { BidiAgent, type BidiModel, type CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

class User extends Context.Service<User, { readonly name: string }>()("User") {}

const shop = Toolkit.make(
  Tool.make("pay", { parameters: Schema.Struct({ amount: Schema.Int }), success: Schema.Int, dependencies: [User] }),
  Tool.make("now", { success: Schema.Int })
)
const handlers = shop.toLayer({ pay: ({ amount }) => Effect.succeed(amount), now: () => Effect.succeed(0) })

/** Needs nothing: whoever takes any agent cannot know what its tools need. */
const helper = (agent: BidiAgent.Agent<any>): Effect.Effect<string, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const call = yield* agent.start()
      yield* call.callTool("now", {})
      return call.sessionId
    })
  )

const generic = <Tools extends Record<string, Tool.Any>>(agent: BidiAgent.Agent<Tools>) => agent.start()

const taking = (
  conversation: CurrentConversation.Conversation,
  next: BidiAgent.Agent<any>
): Effect.Effect<void, unknown> => conversation.handoff(next)

describe("an agent", () => {
  it.effect("of any tools is one that a helper takes without a cast", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model((line) => line.accept)
      const agents = Effect.all([BidiAgent.make({ toolkit: shop }), BidiAgent.make({})])
      const [one, other] = yield* Effect.provide(agents, [model.layer, handlers])
      assert.isString(yield* helper(one))
      assert.isString(yield* helper(other))
      const call = yield* Effect.provideService(generic(one), User, { name: "Ada" })
      yield* taking(call, other)
    })
  )

  it.effect("that is known has its tools called by their names, with what they take", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model((line) => line.accept)
      const agent = yield* BidiAgent.make({ toolkit: shop }).pipe(Effect.provide([model.layer, handlers]))
      const call = yield* Effect.provideService(agent.start(), User, { name: "Ada" })
      assert.strictEqual((yield* call.callTool("pay", { amount: 3 }, { record: true })).result, 3)
      // @ts-expect-error an amount is a number
      assert.isTrue((yield* call.callTool("pay", { amount: "three" })).isFailure)
      // @ts-expect-error there is no such tool
      assert.isTrue((yield* call.callTool("steal", { amount: 3 })).isFailure)
      const name: string = "now"
      assert.strictEqual((yield* call.callTool(name, {})).result, 0)
    })
  )

  it("that is given tools by what needs a scope does not need one as a layer", () => {
    const toolkit = Effect.andThen(Effect.scope, Effect.provide(shop, handlers))
    class Shop extends BidiAgent.Service<Shop>()("Shop", { toolkit }) {}
    assert.isFunction((): Effect.Effect<void, unknown, BidiModel.BidiModel> =>
      Effect.void.pipe(Effect.provide(Shop.layer))
    )
  })
})
