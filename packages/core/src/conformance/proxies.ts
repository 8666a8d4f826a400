/**
 * A network whose only way out is a proxy.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { checkSaid, start, until } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { connect } from "./support/connection.ts"

export const proxies: ReadonlyArray<Scenario> = [
  {
    name: "connects through the proxy of the configuration, and closes its tunnel",
    run: ({ proxied, server }) =>
      proxied === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const proxy = yield* proxied()
            yield* Effect.scoped(
              Effect.gen(function* () {
                const call = yield* start()
                yield* server.reply({ text: "Hello." })
                yield* call.send("Hello?")
                yield* call.untilSaid("Hello.")
                yield* call.awaitIdle
                yield* checkSaid(call, "Hello.")
              })
            ).pipe(Effect.provide(proxy.model))
            yield* check(proxy.tunnels() === 1, `${proxy.tunnels()} tunnels were requested`)
            yield* until(() => proxy.open() === 0)
          })
  },
  {
    name: "reports that the proxy refused, without another attempt",
    run: ({ proxied }) =>
      proxied === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const proxy = yield* proxied(407)
            const refusal = yield* failing("a connection", Effect.scoped(Effect.provide(connect(), proxy.model)))
            yield* check(refusal.reason._tag === "InvalidRequest", `it was reported as ${refusal.reason._tag}`)
            yield* check(refusal.message.includes("407"), `the status is not in "${refusal.message}"`)
            yield* check(proxy.tunnels() === 1, `${proxy.tunnels()} tunnels were requested`)
          })
  },
  {
    name: "closes the connection to a proxy that does not answer when the attempt is interrupted",
    run: ({ proxied }) =>
      proxied === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const proxy = yield* proxied("never")
            const given = Effect.scoped(Effect.provide(connect(), proxy.model))
            const asking = yield* Effect.forkChild(given, { startImmediately: true })
            yield* until(() => proxy.tunnels() === 1)
            yield* Fiber.interrupt(asking)
            yield* until(() => proxy.open() === 0)
          })
  }
]
