import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

const call = (name: "calculator" | "current_time", input: any) =>
  BidiTools.toolkit.pipe(
    Effect.flatMap((kit) => kit.handle(name, input, "call-1")),
    Stream.unwrap,
    Stream.runHead,
    Effect.map((result) => (result._tag === "Some" ? result.value : undefined)),
    Effect.provide(BidiTools.layer)
  ) as Effect.Effect<{ readonly encodedResult: unknown; readonly isFailure: boolean } | undefined>

describe("calculator", () => {
  it.effect.each([
    ["25 * 48", 1200],
    ["0.1 + 0.2", 0.3],
    ["2 ^ 10 - (3 + 4) * 2", 1010],
    ["round(7 / 3, 2)", 2.33],
    ["15% * 200", 30],
    ["sqrt(2) ^ 2", 2],
    ["pi", 3.1415926535898]
  ] as const)("%s is %s", ([expression, value]) =>
    Effect.gen(function* () {
      const result = yield* call("calculator", { expression })
      assert.deepInclude(result, { encodedResult: value, isFailure: false })
    })
  )

  it.effect.each([
    "1 / 0",
    "x = 3",
    "25 *",
    "[1, 2, 3]",
    "1:1000000000",
    "import('fs')",
    'parse("2")',
    "evaluate(2)",
    "cos.constructor(1)",
    "f(x) = x",
    "1; 2",
    "1 ".repeat(400)
  ])("refuses %s", (expression) =>
    Effect.gen(function* () {
      const result = yield* call("calculator", { expression })
      assert.isTrue(result?.isFailure)
    })
  )
})

describe("current_time", () => {
  it.effect("tells the time of a zone", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 30))
      const result = yield* call("current_time", { timezone: "Asia/Tokyo" })
      assert.deepStrictEqual(result?.encodedResult, {
        time: "Monday, 23 November 2026 at 21:30",
        timezone: "Asia/Tokyo"
      })
    })
  )

  it.effect("does not know every zone", () =>
    Effect.gen(function* () {
      const result = yield* call("current_time", { timezone: "Mars/Olympus" })
      assert.deepInclude(result, { isFailure: true, encodedResult: 'There is no time zone "Mars/Olympus".' })
    })
  )
})

describe("stop_conversation", () => {
  it.effect("ends the conversation after the last word was heard", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Stop.")
          yield* line.reply({ text: "Goodbye!", audio: "3 seconds", responseId: "bye" })
          yield* line.callTools(["stop_conversation", {}])
        })
      )
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit: BidiTools.toolkit }).pipe(
        Effect.provide([model.layer, BidiTools.layer])
      )
      const conversation = yield* agent.start({ outputs: [speaker.output, recorder.output] })
      yield* conversation.send("Stop.")
      yield* BidiTest.advance("2 seconds")
      assert.isUndefined(recorder.events().find((event) => event._tag === "ConnectionClose"))
      yield* BidiTest.advance("2 seconds")
      assert.strictEqual(yield* conversation.await, "user_request")
      const [result, close] = recorder.events().slice(-2)
      assert.deepInclude(result, { _tag: "ToolResult", isFailure: false })
      assert.deepInclude(close, { _tag: "ConnectionClose", reason: "user_request" })
      assert.isUndefined(recorder.events().find((event) => event._tag === "Interruption"))
    })
  )
})
