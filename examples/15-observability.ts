// Traces and metrics of a conversation, sent to a collector: here a small one, which draws every turn.
import { BidiAgent, BidiTelemetry, BidiTools, CallReport } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Toolkit } from "effect/ai"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Logging, ModelFromEnvironment } from "./environment.ts"

interface Span {
  readonly traceId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
}

const spans: Array<Span> = []
const metrics = new Set<string>()

/** Takes what OpenTelemetry sends. A real one is Jaeger, Grafana, Langfuse, … */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
    const server = createServer((request, response) => {
      const chunks: Array<Uint8Array> = []
      request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString())
        for (const { scopeSpans } of body.resourceSpans ?? [])
          for (const scope of scopeSpans) spans.push(...scope.spans)
        for (const { scopeMetrics } of body.resourceMetrics ?? []) {
          for (const scope of scopeMetrics) for (const metric of scope.metrics) metrics.add(metric.name)
        }
        response.end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const WIDTH = 48

/** A turn: its spans, in the order in which they began, over the time that it took. */
const draw = (turn: Span): string => {
  const millis = (nanos: string) => Number(BigInt(nanos) / 1000n) / 1000
  const begin = millis(turn.startTimeUnixNano)
  const scale = WIDTH / Math.max(1, millis(turn.endTimeUnixNano) - begin)
  const parts = spans.filter(({ parentSpanId, traceId }) => traceId === turn.traceId && parentSpanId !== undefined)
  return [turn, ...parts.toSorted((a, b) => millis(a.startTimeUnixNano) - millis(b.startTimeUnixNano))]
    .map((span) => {
      const [from, to] = [millis(span.startTimeUnixNano), millis(span.endTimeUnixNano)]
      const start = Math.min(WIDTH - 1, Math.floor((from - begin) * scale))
      const bar = "█".repeat(Math.max(1, Math.min(WIDTH - start, Math.round((to - from) * scale))))
      const name = `${span === turn ? "" : "  "}${span.name}`
      return `${name.slice(0, 34).padEnd(34)} ${(" ".repeat(start) + bar).padEnd(WIDTH)} ${Math.round(to - from)} ms`
    })
    .join("\n")
}

const conversation = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({
    instructions: "You are a helpful voice assistant. Keep responses concise.",
    toolkit: Toolkit.make(BidiTools.calculator, BidiTools.currentTime)
  })
  yield* agent.run({
    inputs: [BidiConsole.input()],
    outputs: [
      BidiConsole.output(),
      BidiTelemetry.output({ agent: "Ada" }),
      CallReport.output((report) => Console.log(`\n${CallReport.toText(report)}`))
    ]
  })
})

const Main = Effect.gen(function* () {
  const { url } = yield* collector
  // everything is sent when the layer closes
  const telemetry = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "voice-agent" } }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )
  yield* Effect.provide(conversation, telemetry)
  const turns = spans.filter(({ name }) => name.startsWith("invoke_agent"))
  yield* Console.log(`\n${turns.map(draw).join("\n\n")}`)
  yield* Console.log(
    `\nmetrics: ${[...metrics]
      .filter((name) => /gen_ai|bidi\./.test(name))
      .toSorted()
      .join(", ")}`
  )
}).pipe(Effect.scoped)

Main.pipe(Effect.provide([BidiTools.layer, ModelFromEnvironment, Logging]), NodeRuntime.runMain)
