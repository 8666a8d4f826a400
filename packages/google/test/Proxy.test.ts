/**
 * Ways past a proxy and other ways to one: a real tunnel on loopback, TLS through it, and on its other end an emulated
 * provider. What a proxy of the configuration does is among the scenarios of conformance.
 */
import { assert, describe, it } from "@effect/vitest"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type * as BidiModel from "@effect-bidi/core/BidiModel"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { GeminiLive } from "../src/index.ts"
import { BidiError } from "@effect-bidi/core/BidiError"
import { agentTo, environment, proxy, secured } from "../../core/test/support/proxy.ts"

/** Talks to the model, and answers what the agent said. */
const talk = (model: Layer.Layer<BidiModel.BidiModel, unknown>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const agent = yield* BidiAgent.make({ system: "You are Ada." })
      const call = yield* agent.start()
      yield* call.send("Hello!")
      yield* call.idle
      const { content } = yield* call.history
      return content.some((message) => message.role === "assistant")
    })
  ).pipe(Effect.provide(model))

const start = Effect.gen(function* () {
  const emulator = yield* GeminiEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones", seed: 1 })
  const url = yield* secured(emulator.url, ["http/1.1"])
  return { url, way: yield* proxy() }
})

describe("a proxy", () => {
  it.live("is passed by for what NO_PROXY names", () =>
    Effect.gen(function* () {
      const { url, way } = yield* start
      const model = GeminiLive.layerConfig().pipe(
        Layer.provide(
          environment({
            GOOGLE_API_KEY: "key",
            GOOGLE_GEMINI_BASE_URL: url,
            https_proxy: way.url,
            no_proxy: "example.com, localhost"
          })
        )
      )
      assert.isTrue(yield* talk(model))
      assert.lengthOf(way.asked, 0)
    })
  )

  it.live("of an agent that is given leads to the provider", () =>
    Effect.gen(function* () {
      const { url, way } = yield* start
      const agent = agentTo(way)
      assert.isTrue(yield* talk(GeminiLive.layer({ apiKey: Redacted.make("key"), baseUrl: url, agent })))
      assert.deepStrictEqual(way.asked, [new URL(url).host])
    })
  )

  it.live("that is none is refused, and not quoted", () =>
    Effect.gen(function* () {
      const model = GeminiLive.layerConfig().pipe(
        Layer.provide(
          environment({
            GOOGLE_API_KEY: "key",
            GOOGLE_GEMINI_BASE_URL: "https://localhost:1",
            HTTPS_PROXY: "ftp://ada:secret@proxy"
          })
        )
      )
      const error = yield* Effect.flip(talk(model))
      assert.instanceOf(error, BidiError)
      assert.strictEqual((error as BidiError).reason._tag, "InvalidRequest")
      assert.notInclude((error as BidiError).message, "secret")
    })
  )
})
