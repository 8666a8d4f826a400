import { BidiAgent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

const kit = Toolkit.make(Tool.make("look"))

describe("a line that a tool logs", () => {
  it.effect("says in which session, connection, response and call", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ fiber, message }) => {
        if (String(message).includes("looking")) lines.push(fiber.getRef(References.CurrentLogAnnotations))
      })
      const model = yield* BidiTest.model((line) => line.callTools(["look", {}]))
      const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(
        Effect.provide([model.layer, kit.toLayer({ look: () => Effect.log("looking") })])
      )
      yield* agent.start({ sessionId: "s" }).pipe(Effect.provide(Logger.layer([logger])))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(lines, [{ session: "s", call: "call-2", response: "response-1", connection: 1 }])
    })
  )
})
