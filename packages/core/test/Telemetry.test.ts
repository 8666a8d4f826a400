import { BidiAgent } from "@effect-bidi/core"
import * as BidiTelemetry from "@effect-bidi/core/BidiTelemetry"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"

const kit = Toolkit.make(
  Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
)
const handlers = kit.toLayer({ weather: () => Effect.as(Effect.sleep("700 millis"), "sunny") })

const usage = {
  _tag: "Usage",
  responseId: "answer",
  inputTokens: 30,
  outputTokens: 20,
  totalTokens: 50,
  byModality: [{ modality: "audio", inputTokens: 30, outputTokens: 20 }]
} as const

/** The user asks, a tool is called, the answer is interrupted, and the next one is heard. */
const call = Effect.fnUntraced(function* (options: BidiTelemetry.Options, tracer: Tracer.Tracer) {
  const model = yield* BidiTest.model(
    Effect.fnUntraced(function* (line) {
      yield* line.accept
      yield* line.wait("1 second")
      yield* line.hear("What is the weather in Oslo?", { lasting: "2 seconds" })
      yield* line.wait("200 millis")
      yield* line.callTools(["weather", { city: "Oslo" }])
      yield* line.expect("ToolOutputs")
      yield* line.wait("100 millis")
      yield* line.reply({ text: "It is sunny in Oslo.", audio: "3 seconds", responseId: "answer" })
      yield* line.emit(usage)
      yield* line.wait("1 second")
      yield* line.hear("Thanks.", { lasting: "500 millis" })
      yield* line.reply({ text: "Bye.", audio: "1 second" })
    })
  )
  const speaker = yield* BidiTest.speaker()
  const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(Effect.provide([model.layer, handlers]))
  const call = yield* agent
    .start({ sessionId: "s", outputs: [speaker.output, BidiTelemetry.output(options)] })
    .pipe(Effect.withTracer(tracer))
  yield* BidiTest.advance("20 seconds")
  yield* call.stop()
  yield* call.await
})

const collecting = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const drawn = () =>
    spans.map((span) => {
      const parent = Option.match(span.parent, {
        onNone: () => "",
        onSome: (parent) => (parent._tag === "Span" ? ` < ${parent.name}` : "")
      })
      const end = span.status._tag === "Ended" ? Number(span.status.endTime / 1_000_000n) : NaN
      return `${Number(span.startTime / 1_000_000n)}-${end} ${span.name}${parent}`
    })
  return { drawn, spans, tracer }
}

describe("telemetry", () => {
  it.effect("is one trace a turn, with the times of the events", () =>
    Effect.gen(function* () {
      const { drawn, spans, tracer } = collecting()
      yield* call({ agent: "Ada" }, tracer)
      assert.deepStrictEqual(drawn(), [
        "1000-5000 invoke_agent Ada",
        "1000-3000 user_speech < invoke_agent Ada",
        "3200-3200 realtime_inference scripted < invoke_agent Ada",
        "3200-3900 execute_tool weather < invoke_agent Ada",
        "4000-4000 realtime_inference scripted < invoke_agent Ada",
        "5000-6500 invoke_agent Ada",
        "5000-5500 user_speech < invoke_agent Ada",
        "5500-5500 realtime_inference scripted < invoke_agent Ada"
      ])
      const [turn, , , , answer, next] = spans
      assert.strictEqual(turn!.attributes.get("gen_ai.agent.invocation.end_reason"), "interrupted")
      assert.notStrictEqual(turn!.traceId, next!.traceId)
      assert.strictEqual(answer!.attributes.get("gen_ai.usage.audio.output_tokens"), 20)
      assert.strictEqual(answer!.attributes.get("gen_ai.usage.output_audio_tokens"), 20)
      for (const span of spans) {
        assert.strictEqual(span.attributes.get("gen_ai.conversation.id"), "s")
        assert.strictEqual(span.attributes.get("session.id"), "s")
      }
      assert.notInclude(JSON.stringify(spans.map(({ attributes }) => [...attributes])), "Oslo")
    })
  )

  it.effect("tells what was said only if asked to", () =>
    Effect.gen(function* () {
      const { spans, tracer } = collecting()
      yield* call({ content: true }, tracer)
      const told = spans.map(({ attributes }) => [...attributes].filter(([, value]) => String(value).includes("Oslo")))
      assert.deepStrictEqual(
        told.flat().map(([name]) => name),
        ["gen_ai.input.messages", "gen_ai.tool.call.arguments", "gen_ai.output.messages"]
      )
    })
  )

  it.effect("measures in seconds", () =>
    Effect.gen(function* () {
      const { spans } = collecting()
      yield* call({ agent: "measured" }, Tracer.nativeTracer)
      assert.lengthOf(spans, 0)
      const all = yield* Metric.snapshot
      const state = (id: string): any => all.find((metric) => metric.id === id)?.state
      // 1000 ms after the end of the question; the second reply comes at once
      assert.deepInclude(state("bidi.turn.time_to_first_audio"), { count: 2, sum: 1 })
      assert.deepInclude(state("bidi.interruption.time_to_silence"), { count: 1 })
      assert.deepInclude(state("gen_ai.execute_tool.duration"), { count: 1, sum: 0.7 })
      assert.deepInclude(state("gen_ai.client.inference.usage.output_tokens"), { count: 20 })
      assert.strictEqual(state("bidi.sessions.live").value, 0)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
