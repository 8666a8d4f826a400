/**
 * What the level `Debug` shows: connections, tools with what they are given and give, and the flow of events.
 */
import { BidiAgent, BidiTool } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { catching } from "./support/logs.ts"

const add = Tool.make("add", { parameters: Schema.Struct({ a: Schema.Int }), success: Schema.Int })
const pin = Tool.make("pin", { parameters: Schema.Struct({ code: Schema.String }), success: Schema.String }).annotate(
  BidiTool.Confidential,
  true
)
const toolkit = Toolkit.make(add, pin)
const handlers = toolkit.toLayer({ add: ({ a }) => Effect.succeed(a + 1), pin: () => Effect.succeed("secret-result") })

const talk = Effect.gen(function* () {
  const model = yield* BidiTest.model(
    Effect.fnUntraced(function* (line) {
      yield* line.expectText("Hi")
      yield* line.callTools(["add", { a: 41 }], ["pin", { code: "secret-code" }])
      yield* line.expect("ToolOutputs")
      yield* line.reply({ text: "Done.", audio: "1 second" })
    })
  )
  const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
  const call = yield* agent.start()
  yield* call.send("Hi")
  yield* BidiTest.advance("5 seconds")
  yield* call.stop("user_request")
  yield* call.await
})

describe("at the level Debug", () => {
  it.effect("connections, tools and events are in the log, and no frames of sound", () =>
    Effect.gen(function* () {
      const [logs] = yield* catching(talk)
      const lines = logs.filter(({ level }) => level === "Debug").map(({ message }) => message)
      const shows = (words: RegExp) =>
        assert.isTrue(
          lines.some((line) => words.test(line)),
          `${words} in\n${lines.join("\n")}`
        )
      shows(/connection 1 is ready/)
      shows(/the tool add \(.*\) begins with {"a":41}/)
      shows(/the tool add \(.*\) has finished: 42/)
      shows(/event ConnectionStart: {/)
      shows(/event ToolUse: add/)
      shows(/event TranscriptStream: .*Done\./)
      shows(/event ConnectionClose: {.*"user_request"/)
      assert.isFalse(lines.some((line) => line.includes("AudioStream")))
    })
  )

  it.effect("what a confidential tool is given and gives is not", () =>
    Effect.gen(function* () {
      const [logs] = yield* catching(talk)
      const all = logs.map(({ message }) => message).join("\n")
      assert.match(all, /the tool pin \(.*\) begins with <redacted>/)
      assert.notInclude(all, "secret")
    })
  )

  it.effect("nothing is said, nor put into words, when it is off", () =>
    Effect.gen(function* () {
      const [logs] = yield* catching(Effect.provideService(talk, References.MinimumLogLevel, "Info"))
      assert.deepStrictEqual(logs, [])
    })
  )
})

describe("a script that meets something unexpected", () => {
  it.effect("fails the test that uses it, also when nobody awaits the call", () =>
    Effect.gen(function* () {
      const test = Effect.scoped(
        Effect.gen(function* () {
          const model = yield* BidiTest.model((line) => line.expectText("Hello"))
          const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
          const call = yield* agent.start()
          yield* call.send("Goodbye")
          yield* BidiTest.settle
        })
      )
      const exit = yield* Effect.exit(Effect.provideService(test, References.MinimumLogLevel, "None"))
      assert.match(String(exit), /expected "Hello", got \["Goodbye"\]/)
    })
  )
})
