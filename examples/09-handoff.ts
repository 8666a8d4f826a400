// One call, two agents: the front desk hands over to billing, which has other instructions and other tools.
import { BidiAgent, CurrentConversation } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const returns = { success: Schema.String, failure: Schema.String, failureMode: "return" } as const

const billingTools = Toolkit.make(
  Tool.make("refund", {
    description: "Pays an order back.",
    parameters: Schema.Struct({ order: Schema.Int }),
    ...returns
  })
)

class Billing extends BidiAgent.Service<Billing>()("billing", {
  instructions: "You work in billing. You can pay orders back.",
  toolkit: billingTools
}) {
  static readonly withTools = Billing.layer.pipe(
    Layer.provide(billingTools.toLayer({ refund: ({ order }) => Effect.succeed(`Order ${order} was paid back.`) }))
  )
}

const deskTools = Toolkit.make(
  Tool.make("transfer_to_billing", {
    description: "Puts the caller through to billing.",
    dependencies: [CurrentConversation.CurrentConversation],
    ...returns
  })
)

class FrontDesk extends BidiAgent.Service<FrontDesk>()("front desk", {
  instructions: "You are the front desk. You put callers through.",
  toolkit: deskTools
}) {
  static readonly withTools = FrontDesk.layer.pipe(
    Layer.provide(
      deskTools.toLayer(
        Effect.gen(function* () {
          const billing = yield* Billing
          return deskTools.of({
            // the call and its history go on; billing receives the result of this tool, and speaks next
            transfer_to_billing: Effect.fnUntraced(function* () {
              const { handoff } = yield* CurrentConversation.CurrentConversation
              return yield* handoff(billing).pipe(
                Effect.as("You are through to billing."),
                Effect.mapError(({ message }) => message)
              )
            })
          })
        })
      )
    )
  )
}

const Main = Effect.gen(function* () {
  const desk = yield* FrontDesk
  yield* desk.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] })
})

Main.pipe(
  Effect.provide([
    FrontDesk.withTools.pipe(Layer.provide(Billing.withTools), Layer.provide(ModelFromEnvironment)),
    Logging
  ]),
  NodeRuntime.runMain
)
