import { type BidiError } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { agentWith } from "./support/agent.ts"

const duration = /expected a duration/i

describe("an option that is wrong", () => {
  const wrong: ReadonlyArray<readonly [option: string, options: object, message: RegExp]> = [
    ["connection.renew.after", { connection: { renew: { after: 0 } } }, duration],
    ["connection.renew.after", { connection: { renew: { after: -5 } } }, duration],
    ["connection.renew.after", { connection: { renew: { after: NaN } } }, duration],
    ["connection.renew.after", { connection: { renew: { after: "soon" } } }, duration],
    ["connection.renew.wait", { connection: { renew: { wait: "-1 second" } } }, duration],
    ["connection.renew", { connection: { renew: "never" } }, /boolean/],
    ["connection.timeout", { connection: { timeout: 0 } }, duration],
    ["connection.maxRetryAfter", { connection: { maxRetryAfter: NaN } }, duration],
    ["connection.retry", { connection: { retry: 5 } }, /Schedule/],
    ["connection.reconnect", { connection: { reconnect: "no" } }, /boolean/],
    ["connection.reconect", { connection: { reconect: false } }, /no such option/],
    ["interruption.minDuration", { interruption: { minDuration: -1 } }, duration],
    ["interruption.falseInterruptionTimeout", { interruption: { falseInterruptionTimeout: NaN } }, duration],
    ["limits.userIdle", { limits: { userIdle: 0 } }, duration],
    ["limits.maxIdle", { limits: { maxIdle: -1 } }, duration],
    ["limits.maxDuration", { limits: { maxDuration: NaN } }, duration],
    ["tools.timeout", { tools: { timeout: 0 } }, duration],
    ["tools.resultLimit", { tools: { resultLimit: 255 } }, /256/],
    ["greeting", { greeting: "Hello." }, /object|instructions/],
    ["greetings", { greetings: {} }, /no such option/],
    ["sessionId", { sessionId: "" }, /length|empty/]
  ]

  it.effect.each(wrong)("is refused by name, before anything is opened: %s in %j", ([option, options, message]) =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      for (const begin of [agent.run(options), Effect.scoped(agent.start(options))]) {
        const error = yield* Effect.flip(begin as Effect.Effect<never, BidiError.BidiError>)
        assert.deepInclude(error.reason, { _tag: "InvalidRequest", option })
        assert.match(error.message, message)
      }
      assert.lengthOf(model.log(), 0)
    })
  )

  it.effect("is not one that is left out by `undefined`", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.accept)
      const options = { connection: undefined, limits: { maxIdle: undefined }, greeting: undefined }
      yield* Effect.scoped(agent.start(options as object))
    })
  )
})
