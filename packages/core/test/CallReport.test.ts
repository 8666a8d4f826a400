import { BidiAgent, BidiEvent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as CallReport from "@effect-bidi/core/CallReport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"

const prices: CallReport.Prices = {
  currency: "USD",
  text: { input: 4, output: 16 },
  audio: { input: 32, output: 64 },
  cached: 0.4
}

const Events = Schema.Array(BidiEvent.Output)

describe("a call report", () => {
  it.effect("says what a call came to", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.wait("300 millis")
          yield* line.reply({ text: "Hello.", audio: "1 second" })
          yield* line.emit({
            _tag: "Usage",
            responseId: "response-1",
            inputTokens: 100,
            outputTokens: 50,
            totalTokens: 150,
            byModality: [
              { modality: "text", inputTokens: 100, outputTokens: 10 },
              { modality: "audio", inputTokens: 0, outputTokens: 40 }
            ],
            cacheReadInputTokens: 50
          })
          yield* line.wait("5 seconds")
          yield* line.hear("What is new?", { lasting: "1 second" })
          yield* line.wait("500 millis")
          yield* line.reply({ text: "Much. This and that.", audio: "4 seconds" })
          yield* line.wait("1 second")
          yield* line.hear("Stop.")
        })
      )
      const reports: Array<CallReport.Report> = []
      const speaker = yield* BidiTest.speaker()
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
      const call = yield* agent.start({
        outputs: [
          speaker.output,
          recorder.output,
          CallReport.output((report) => Effect.sync(() => reports.push(report)))
        ]
      })
      yield* call.send("Hi")
      yield* BidiTest.advance("20 seconds")
      yield* call.stop("user_request")
      yield* call.await
      const [report] = reports
      assert.lengthOf(reports, 1)
      assert.deepStrictEqual(report, CallReport.of(recorder.events()))
      assert.deepInclude(report, {
        startedAt: 0,
        endedAt: 20_000,
        reason: "user_request",
        turns: 3,
        replies: 2,
        latencies: [300, 500],
        interruptions: { user_speech: 1 },
        reconnects: {}
      })
      // 50 of text, 50 cached, 10 and 40 out
      assert.approximately(CallReport.cost(report!, prices), (50 * 4 + 50 * 0.4 + 10 * 16 + 40 * 64) / 1e6, 1e-12)
      assert.include(CallReport.toText(report!, prices), "median 0.40 s, slowest 0.50 s")
    })
  )

  it.prop(
    "law: it can be made in pieces, counts every event once, and its cost is that of its parts",
    { one: Events, other: Events },
    ({ one, other }) => {
      const pieces = other.reduce(CallReport.add, one.reduce(CallReport.add, CallReport.empty)).report
      const report = CallReport.of([...one, ...other])
      assert.deepStrictEqual(pieces, report)
      const all = [...one, ...other]
      const count = (tag: BidiEvent.OutputTag) => all.filter(({ _tag }) => _tag === tag).length
      const sum = (counts: Readonly<Partial<Record<string, number>>>) =>
        Object.values(counts).reduce<number>((sum, n) => sum + n!, 0)
      assert.strictEqual(sum(report.interruptions), count("Interruption"))
      assert.strictEqual(sum(report.reconnects), count("ConnectionRestart"))
      assert.strictEqual(report.replies, count("ResponseStart"))
      assert.strictEqual(report.errors, count("Error"))
      const calls = Object.values(report.tools).reduce((sum, tool) => sum + tool.calls, 0)
      assert.strictEqual(calls, count("ToolUse"))
      const parts = CallReport.cost(CallReport.of(one), prices) + CallReport.cost(CallReport.of(other), prices)
      const whole = CallReport.cost(report, prices)
      assert.approximately(whole, parts, 1e-9 * Math.max(1, Math.abs(whole)))
      assert.isString(CallReport.toText(report, prices))
    },
    cases(100)
  )
})
