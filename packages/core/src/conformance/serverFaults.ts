/**
 * Servers that lose a request, refuse an update, or reuse ids: the conversation goes on, and the caller gets the error.
 */
import * as Effect from "effect/Effect"
import { checkSaid, start } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"

const SENTENCE = "Ha, ha, ha, ha, that is what they all say."

export const serverFaults: ReadonlyArray<Scenario> = [
  {
    name: "keeps its configuration when the provider refuses an update, and reports the refusal",
    run: ({ model, server }) =>
      server.refuseUpdate === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start({ instructions: "You are the front desk." })
            yield* server.refuseUpdate!
            const refusal = yield* failing("a change", call.update({ instructions: "You handle refunds." }))
            yield* check(refusal.reason._tag === "InvalidRequest", `it was refused with ${refusal.reason._tag}`)
            yield* server.reply({ text: "The front desk." })
            yield* call.send("Who are you?")
            yield* call.untilSaid("The front desk.")
            yield* call.awaitIdle
            yield* call.update({ instructions: "You handle complaints." })
            yield* check(call.all("ConnectionStart").length === 1, "there was a second connection")
            yield* checkSaid(call, "The front desk.")
          }).pipe(Effect.provide(model))
  },
  {
    name: "recovers when a request for a reply is lost, with its instructions",
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
    name: "takes every reply of a server that reuses message ids",
    run: ({ model, server }) =>
      server.reuseIds === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.reuseIds!
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
