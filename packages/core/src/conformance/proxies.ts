/**
 * A network that lets nobody out but through a proxy. Each is run where the lab has one.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { checkSaid, start, until } from "./call.ts"
import type { Scenario } from "./lab.ts"
import { check, connect, failing } from "./line.ts"

export const proxies: ReadonlyArray<Scenario> = [
  {
    name: "reaches the provider through the proxy of the configuration, and leaves it",
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
            yield* check(proxy.asked() === 1, `the proxy was asked for ${proxy.asked()} tunnels`)
            yield* until(() => proxy.open() === 0)
          })
  },
  {
    name: "says that a proxy refused, once",
    run: ({ proxied }) =>
      proxied === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const proxy = yield* proxied(407)
            const refusal = yield* failing("a connection", Effect.scoped(Effect.provide(connect(), proxy.model)))
            yield* check(refusal.reason._tag === "InvalidRequest", `it was told as ${refusal.reason._tag}`)
            yield* check(refusal.message.includes("407"), `the status is not in "${refusal.message}"`)
            yield* check(proxy.asked() === 1, `the proxy was asked ${proxy.asked()} times`)
          })
  },
  {
    name: "leaves a proxy that does not answer when it is given up",
    run: ({ proxied }) =>
      proxied === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const proxy = yield* proxied("never")
            const given = Effect.scoped(Effect.provide(connect(), proxy.model))
            const asking = yield* Effect.forkChild(given, { startImmediately: true })
            yield* until(() => proxy.asked() === 1)
            yield* Fiber.interrupt(asking)
            yield* until(() => proxy.open() === 0)
          })
  }
]
