/**
 * Ways past a proxy and other ways to one, for every adapter: a real tunnel on loopback, TLS through it, and on its other end
 * an emulated provider. What a proxy of the configuration does is among the scenarios of conformance.
 */
import { assert, describe, it } from "@effect/vitest"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import { BidiError } from "@effect-bidi/core/BidiError"
import type { BidiModel } from "@effect-bidi/core/BidiModel"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { agentTo, environment, proxy, secured } from "./proxy.ts"

/** An adapter and its emulated provider. */
export interface Subject {
  readonly emulator: Effect.Effect<{ readonly url: string }, unknown, Scope.Scope>
  readonly protocols: ReadonlyArray<string>
  /** The adapter that reads its configuration, and the variables by which that leads to `url`. */
  readonly configured: Layer.Layer<BidiModel, BidiError | Config.ConfigError>
  readonly variables: (url: string) => Record<string, string>
  readonly withAgent: (url: string, agent: ReturnType<typeof agentTo>) => Layer.Layer<BidiModel, BidiError>
}

/** Talks to the model, and answers whether the agent said something. */
const talk = (model: Layer.Layer<BidiModel, unknown>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const agent = yield* BidiAgent.make({ instructions: "You are Ada." })
      const call = yield* agent.start()
      yield* call.send("Hello!")
      yield* call.awaitIdle
      const { content } = yield* call.history
      return content.some((message) => message.role === "assistant")
    })
  ).pipe(Effect.provide(model))

export const describeProxies = ({ configured, emulator, protocols, variables, withAgent }: Subject): void => {
  const start = Effect.gen(function* () {
    const { url } = yield* emulator
    return { url: yield* secured(url, protocols), way: yield* proxy() }
  })

  describe("a proxy", () => {
    it.live("is passed by for what NO_PROXY names", () =>
      Effect.gen(function* () {
        const { url, way } = yield* start
        const ways = { https_proxy: way.url, no_proxy: "example.com, localhost" }
        assert.isTrue(yield* talk(Layer.provide(configured, environment({ ...variables(url), ...ways }))))
        assert.lengthOf(way.asked, 0)
      })
    )

    it.live("of an agent that is given leads to the provider", () =>
      Effect.gen(function* () {
        const { url, way } = yield* start
        assert.isTrue(yield* talk(withAgent(url, agentTo(way))))
        assert.deepStrictEqual(way.asked, [new URL(url).host])
      })
    )

    it.live("that is none is refused, and not quoted", () =>
      Effect.gen(function* () {
        const wrong = { ...variables("https://localhost:1"), HTTPS_PROXY: "ftp://ada:secret@proxy" }
        const error = yield* Effect.flip(talk(Layer.provide(configured, environment(wrong))))
        assert.instanceOf(error, BidiError)
        assert.strictEqual((error as BidiError).reason._tag, "InvalidRequest")
        assert.notInclude((error as BidiError).message, "secret")
      })
    )
  })
}
