/**
 * Conversations as traces and metrics of OpenTelemetry, by the names of its conventions for generative AI.
 *
 * There is one trace a turn, with what the user said, the replies of the model and the tools as its spans. Spans go to the
 * `Tracer` in use; with the default one, which exports nothing, none are made. Metrics are Effect's.
 *
 * @example
 * ```ts
 * agent.run({ outputs: [speaker, BidiTelemetry.output({ agent: "receptionist" })] }).pipe(
 *   Effect.provide(Otlp.layerJson({ baseUrl: "http://localhost:4318" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Tracer from "effect/Tracer"
import type { OutputTag } from "./BidiEvent.ts"
import type { BidiOutput } from "./BidiOutput.ts"
import { CurrentConversation } from "./CurrentConversation.ts"
import * as Metrics from "./internal/telemetry/metrics.ts"
import * as Names from "./internal/telemetry/names.ts"
import { Turns } from "./internal/telemetry/turns.ts"

/**
 * What is told, and under which name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The name of the agent in spans and metrics. Default: `agent`. */
  readonly agent?: string
  /** Also tells what was said, and what tools were given and gave. Default: `false`. */
  readonly content?: boolean
}

const events: ReadonlyArray<OutputTag> = [
  "ConnectionStart",
  "ConnectionRestart",
  "ConnectionClose",
  "UserSpeech",
  "MessageAdded",
  "TranscriptStream",
  "ResponseStart",
  "AudioStream",
  "ResponseComplete",
  "Playback",
  "Interruption",
  "ToolUse",
  "ToolResult",
  "Usage"
]

/**
 * An output that makes spans and metrics of the events, in the moment in which they happen and with their times. It has no
 * fiber of its own at work, and does nothing with a frame of sound but for the first of a reply.
 *
 * @category outputs
 * @since 0.1.0
 */
export const output = (options: Options = {}): BidiOutput<never, CurrentConversation> => ({
  name: "telemetry",
  events,
  open: Effect.gen(function* () {
    const { model, sessionId } = yield* CurrentConversation
    const tracer = yield* Effect.tracer
    const context = yield* Effect.context<never>()
    const agent = options.agent ?? "agent"
    const provider = Names.providerOf(model.provider)
    const metrics = Metrics.make({ [Names.PROVIDER]: provider, [Names.MODEL]: model.model }, agent, context)
    const told = { agent, sessionId, provider, model: model.model, content: options.content === true }
    const turns = new Turns(told, metrics, tracer === Tracer.nativeTracer ? undefined : tracer)
    const over = Latch.makeUnsafe(false)
    yield* Effect.acquireRelease(
      Effect.sync(() => metrics.live(1)),
      () => Effect.sync(() => metrics.live(-1))
    )
    return {
      offer: (event) => {
        if (event._tag !== "AudioStream" || turns.awaitsSound) turns.take(event)
      },
      flush: Effect.void,
      playback: "none",
      run: over.await,
      end: over.open
    }
  })
})
