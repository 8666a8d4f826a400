/**
 * Updates of an agent, and handoffs to another, during a call.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as BidiAgent from "../BidiAgent.ts"
import { CurrentConversation } from "../CurrentConversation.ts"
import { type Call, checkSaid, start } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check } from "./support/check.ts"

const tool = (name: string) => Tool.make(name, { success: Schema.String, dependencies: [CurrentConversation] })
const Desk = Toolkit.make(tool("transfer"))
const Billing = Toolkit.make(tool("refund"))

const billing = Billing.pipe(
  Effect.provide(Billing.toLayer({ refund: () => Effect.succeed("4711 crowns were paid back") }))
)

/** The model has called its new tool, and replied to the result. */
const refunded = Effect.fnUntraced(function* (call: Call, results: number) {
  yield* call.untilSaid("You have it back.")
  yield* call.awaitIdle
  const last = call.all("ToolResult").at(-1)
  yield* check(call.all("ToolResult").length === results, "there were other calls")
  yield* check(last?.result === "4711 crowns were paid back", `the new tool returned ${JSON.stringify(last)}`)
})

/** The connection is the same where it can be updated; otherwise there is a second one. */
const checkConnections = (call: Call) => {
  const expected = call.model.capabilities.midSessionUpdate ? 1 : 2
  const starts = call.all("ConnectionStart").length
  return check(starts === expected, `there were ${starts} connections, not ${expected}`)
}

export const handoffs: ReadonlyArray<Scenario> = [
  {
    name: "hands over to another agent in the same call",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const other = yield* BidiAgent.make({ name: "billing", instructions: "You handle refunds.", toolkit: billing })
        const toolkit = Desk.pipe(
          Effect.provide(
            Desk.toLayer({
              transfer: () =>
                Effect.gen(function* () {
                  const { handoff } = yield* CurrentConversation
                  yield* Effect.orDie(handoff(other))
                  return "This is billing now."
                })
            })
          )
        )
        const call = yield* start({ name: "desk", instructions: "You are the front desk.", toolkit })
        yield* server.received("You are the front desk.")
        yield* server.reply({ calls: [{ name: "transfer", arguments: {} }] })
        yield* server.reply({ text: "Billing, hello." })
        yield* call.send("I want my money back.")
        yield* server.received("You handle refunds.")
        yield* server.received("This is billing now.")
        yield* call.untilSaid("Billing, hello.")
        yield* call.awaitIdle
        const [handoff, ...others] = call.all("Handoff")
        yield* check(
          others.length === 0 && handoff?.from === "desk" && handoff.to === "billing",
          "there was no handoff"
        )
        yield* checkConnections(call)
        yield* server.connections(1)

        yield* server.reply({ calls: [{ name: "refund", arguments: {} }] })
        yield* server.reply({ text: "You have it back." })
        yield* call.send("Well?")
        yield* server.received("4711 crowns were paid back")
        yield* refunded(call, 2)
        yield* checkSaid(call, "Billing, hello.", "You have it back.")
        const { content } = yield* call.history
        yield* check(
          content.filter(({ role }) => role === "user").length === 2,
          "the history before the handoff is lost"
        )
      }).pipe(Effect.provide(model))
  },
  {
    name: "changes instructions and tools by an update",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const toolkit = Desk.pipe(Effect.provide(Desk.toLayer({ transfer: () => Effect.succeed("never") })))
        const call = yield* start({ instructions: "You are the front desk.", toolkit })
        yield* server.reply({ text: "Hello." })
        yield* call.send("Hello?")
        yield* call.untilSaid("Hello.")
        yield* call.update({ instructions: "You handle refunds.", toolkit: billing })
        yield* server.received("You handle refunds.")
        yield* checkConnections(call)
        yield* server.connections(1)
        yield* server.reply({ calls: ["transfer", "refund"].map((name) => ({ name, arguments: {} })) })
        yield* server.reply({ text: "You have it back." })
        yield* call.send("I want my money back.")
        yield* server.received("4711 crowns were paid back")
        yield* server.received("The tools are: refund.")
        yield* refunded(call, 2)
        yield* checkSaid(call, "Hello.", "You have it back.")
      }).pipe(Effect.provide(model))
  }
]
