/**
 * Servers that lose a request, refuse a change, or name everything alike: the talk goes on, and whoever asked is told.
 *
 * Each is run where the lab can make the server so.
 */
import * as Effect from "effect/Effect"
import { checkSaid, start } from "./call.ts"
import type { Scenario } from "./lab.ts"
import { check, failing } from "./line.ts"

const SENTENCE = "Ha, ha, ha, ha, that is what they all say."

export const oddServers: ReadonlyArray<Scenario> = [
  {
    name: "stays as it was when the provider refuses a change, and whoever asked for it is told",
    run: ({ model, server }) =>
      server.refuseChange === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start({ instructions: "You are the front desk." })
            yield* server.refuseChange!
            const refusal = yield* failing("a change", call.update({ instructions: "You handle refunds." }))
            yield* check(refusal.reason._tag === "InvalidRequest", `it was refused with ${refusal.reason._tag}`)
            yield* server.reply({ text: "The front desk." })
            yield* call.send("Who are you?")
            yield* call.untilSaid("The front desk.")
            yield* call.awaitIdle
            yield* call.update({ instructions: "You handle complaints." })
            yield* check(call.all("ConnectionStart").length === 1, "it cost a connection")
            yield* checkSaid(call, "The front desk.")
          }).pipe(Effect.provide(model))
  },
  {
    name: "is not deaf for ever when a request for a reply gets lost, and loses no instructions",
    run: ({ model, server }) =>
      server.loseRequest === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.reply({ text: "Welcome." })
            yield* server.loseRequest!
            yield* call.respond({ instructions: "Greet the visitor." })
            yield* call.untilSaid("Welcome.")
            yield* call.awaitIdle
            yield* server.reply({ text: "Yes?" })
            yield* call.send("Hello?")
            yield* call.untilSaid("Yes?")
            yield* call.awaitIdle
            yield* checkSaid(call, "Welcome.", "Yes?")
          }).pipe(Effect.provide(model))
  },
  {
    name: "hears all of a reply from a server that names everything alike",
    run: ({ model, server }) =>
      server.nameAlike === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.nameAlike!
            yield* server.reply({ text: SENTENCE })
            yield* call.send("Tell me.")
            yield* call.untilSaid(SENTENCE)
            yield* call.awaitIdle
            yield* server.reply({ text: SENTENCE })
            yield* call.send("Again, please.")
            yield* call.until("ResponseComplete", 2)
            yield* call.awaitIdle
            yield* check(call.all("ResponseComplete").length === 2, "a reply was heard twice")
            yield* checkSaid(call, SENTENCE, SENTENCE)
          }).pipe(Effect.provide(model))
  }
]
