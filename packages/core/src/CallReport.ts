/**
 * What a conversation came to: turns, latencies, interruptions, reconnects, tools, usage and cost.
 *
 * A report is a fold over the events of a conversation, so it can be made while the conversation runs, at its end, or later
 * from events that were kept. {@link output} does it in a conversation.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { CloseReason, ConnectionRestart, Interruption, Output, OutputTag, Usage } from "./BidiEvent.ts"
import type { BidiOutput } from "./BidiOutput.ts"

/**
 * The tokens of one kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tokens {
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * The calls of one tool. `millis` is how long those that ended took in all.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolReport {
  readonly calls: number
  readonly failures: number
  readonly millis: number
}

/**
 * What a conversation came to. Times are in milliseconds, `startedAt` and `endedAt` since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly reason: CloseReason | undefined
  /** Messages and turns of the user. */
  readonly turns: number
  readonly replies: number
  /** From the end of what the user said to the first sound of the reply, turn by turn. */
  readonly latencies: ReadonlyArray<number>
  readonly interruptions: Readonly<Partial<Record<Interruption["reason"], number>>>
  readonly reconnects: Readonly<Partial<Record<ConnectionRestart["reason"], number>>>
  /** How long there was no connection, in all. */
  readonly offline: number
  readonly tools: Readonly<Record<string, ToolReport>>
  readonly usage: Tokens & {
    readonly cacheReadInputTokens: number
    readonly byModality: Readonly<Record<"text" | "audio" | "image", Tokens>>
  }
  readonly errors: number
}

/**
 * A report in the making: what it says so far, and what is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running {
  readonly report: Report
  readonly asked: number | undefined
  readonly calls: Readonly<Record<string, number>>
  readonly lostAt: number | undefined
}

const none: Tokens = { inputTokens: 0, outputTokens: 0 }

/**
 * A report on nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Running = {
  report: {
    startedAt: undefined,
    endedAt: undefined,
    reason: undefined,
    turns: 0,
    replies: 0,
    latencies: [],
    interruptions: {},
    reconnects: {},
    offline: 0,
    tools: {},
    usage: { ...none, cacheReadInputTokens: 0, byModality: { text: none, audio: none, image: none } },
    errors: 0
  },
  asked: undefined,
  calls: {},
  lostAt: undefined
}

/**
 * The events that a report is made of.
 *
 * @category constants
 * @since 0.1.0
 */
export const events = [
  "ConnectionStart",
  "ConnectionRestart",
  "ConnectionClose",
  "UserSpeech",
  "MessageAdded",
  "ResponseStart",
  "AudioStream",
  "Interruption",
  "ToolUse",
  "ToolResult",
  "Usage",
  "Error"
] as const satisfies ReadonlyArray<OutputTag>

/**
 * Adds an event. Events are in their order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (self: Running, event: Output): Running => {
  const { report } = self
  const with_ = (change: Partial<Report>, open: Partial<Omit<Running, "report">> = {}): Running => ({
    ...self,
    ...open,
    report: { ...report, ...change }
  })
  switch (event._tag) {
    case "ConnectionStart": {
      const offline = self.lostAt === undefined ? 0 : event.at - self.lostAt
      const startedAt = report.startedAt ?? event.at
      return with_({ startedAt, offline: report.offline + offline }, { lostAt: undefined })
    }
    case "ConnectionRestart":
      return with_({ reconnects: counted(report.reconnects, event.reason) }, { lostAt: self.lostAt ?? event.at })
    case "ConnectionClose":
      return with_({ endedAt: event.at, reason: event.reason })
    case "UserSpeech":
      return with_({}, { asked: event.phase === "stopped" ? event.at : undefined })
    case "MessageAdded":
      if (event.entry._tag !== "User" || event.isUpdate) return self
      return with_({ turns: report.turns + 1 }, { asked: self.asked ?? event.at })
    case "ResponseStart":
      return with_({ replies: report.replies + 1 })
    case "AudioStream":
      if (self.asked === undefined) return self
      return with_({ latencies: [...report.latencies, event.at - self.asked] }, { asked: undefined })
    case "Interruption":
      return with_({ interruptions: counted(report.interruptions, event.reason) })
    case "ToolUse": {
      const tool = own(report.tools, event.name) ?? noCalls
      const tools = { ...report.tools, [event.name]: { ...tool, calls: tool.calls + 1 } }
      return with_({ tools }, { calls: { ...self.calls, [event.id]: event.at } })
    }
    case "ToolResult": {
      const tool = own(report.tools, event.name) ?? noCalls
      const since = own(self.calls, event.id) ?? event.at
      const { [event.id]: _, ...calls } = self.calls
      const failures = tool.failures + (event.isFailure ? 1 : 0)
      const millis = tool.millis + (event.at - since)
      return with_({ tools: { ...report.tools, [event.name]: { ...tool, failures, millis } } }, { calls })
    }
    case "Usage":
      return with_({ usage: used(report.usage, event) })
    case "Error":
      return with_({ errors: report.errors + 1 })
    default:
      return self
  }
}

// a tool may be called like something that every object has
const own = <A>(record: Readonly<Record<string, A>>, key: string): A | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const noCalls: ToolReport = { calls: 0, failures: 0, millis: 0 }

const counted = <K extends string>(counts: Readonly<Partial<Record<K, number>>>, key: K) => ({
  ...counts,
  [key]: ((counts as Partial<Record<string, number>>)[key] ?? 0) + 1
})

const plus = (one: Tokens, other: Tokens): Tokens => ({
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens
})

const used = (so: Report["usage"], usage: Usage): Report["usage"] => {
  const byModality = { ...so.byModality }
  for (const { modality, ...tokens } of usage.byModality) byModality[modality] = plus(byModality[modality], tokens)
  const cacheReadInputTokens = so.cacheReadInputTokens + (usage.cacheReadInputTokens ?? 0)
  return { ...plus(so, usage), cacheReadInputTokens, byModality }
}

/**
 * The report on some events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (events: Iterable<Output>): Report => {
  let running = empty
  for (const event of events) running = add(running, event)
  return running.report
}

// ---------------------------------------------------------------------------------------------------------------------
// cost
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The prices of a model, for a million tokens. Where `image` is left out, images cost what text does; where `cached` is
 * left out, cached input costs what input does. Tokens that the provider gives no modality for are charged as text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prices {
  readonly currency: string
  readonly text: { readonly input: number; readonly output: number }
  readonly audio: { readonly input: number; readonly output: number }
  readonly image?: { readonly input: number; readonly output: number }
  /** Of cached input, instead of the price of text. */
  readonly cached?: number
}

/**
 * What the tokens of a report cost.
 *
 * @category cost
 * @since 0.1.0
 */
export const cost = ({ usage }: Pick<Report, "usage">, prices: Prices): number => {
  const { audio, image, text } = usage.byModality
  const rest: Tokens = {
    inputTokens: usage.inputTokens - audio.inputTokens - image.inputTokens - text.inputTokens,
    outputTokens: usage.outputTokens - audio.outputTokens - image.outputTokens - text.outputTokens
  }
  const price = (tokens: Tokens, { input, output }: Prices["text"]) =>
    tokens.inputTokens * input + tokens.outputTokens * output
  const saved = prices.cached === undefined ? 0 : usage.cacheReadInputTokens * (prices.text.input - prices.cached)
  const sum =
    price(plus(text, rest), prices.text) + price(audio, prices.audio) + price(image, prices.image ?? prices.text)
  return (sum - saved) / 1_000_000
}

// ---------------------------------------------------------------------------------------------------------------------
// as text
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The report as a few lines for people.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toText = (report: Report, prices?: Prices): string => {
  const { endedAt, startedAt, usage } = report
  const lines: Array<readonly [string, string]> = []
  if (startedAt !== undefined && endedAt !== undefined) {
    lines.push(["call", `${seconds(endedAt - startedAt)}, ended: ${report.reason ?? "unknown"}`])
  }
  lines.push(["turns", `${report.turns} of the user, ${report.replies} replies`])
  if (report.latencies.length > 0) {
    const sorted = report.latencies.toSorted((a, b) => a - b)
    lines.push(["first sound", `median ${seconds(median(sorted))}, slowest ${seconds(sorted.at(-1)!)}`])
  }
  lines.push(["interruptions", listed(report.interruptions)])
  const offline = report.offline > 0 ? `, ${seconds(report.offline)} without a connection` : ""
  lines.push(["reconnects", `${listed(report.reconnects)}${offline}`])
  for (const [name, { calls, failures, millis }] of Object.entries(report.tools)) {
    lines.push([`tool ${name}`, `${calls} calls, ${failures} failed, ${seconds(millis)} in all`])
  }
  lines.push(["tokens", `${usage.inputTokens} in (${usage.cacheReadInputTokens} cached), ${usage.outputTokens} out`])
  if (prices !== undefined) lines.push(["cost", `${cost(report, prices).toFixed(4)} ${prices.currency}`])
  if (report.errors > 0) lines.push(["errors", `${report.errors}`])
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join("\n")
}

const seconds = (millis: number) => `${(millis / 1000).toFixed(2)} s`

const median = (sorted: ReadonlyArray<number>): number => {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const listed = (counts: Readonly<Partial<Record<string, number>>>): string => {
  const all = Object.entries(counts)
  return all.length === 0 ? "none" : all.map(([name, count]) => `${count} ${name}`).join(", ")
}

// ---------------------------------------------------------------------------------------------------------------------
// in a conversation
// ---------------------------------------------------------------------------------------------------------------------

/**
 * An output that hands over the report when the conversation is over.
 *
 * @example
 * ```ts
 * agent.run({ outputs: [speaker, CallReport.output((report) => Console.log(CallReport.toText(report)))] })
 * ```
 *
 * @category outputs
 * @since 0.1.0
 */
export const output = <R = never>(onEnd: (report: Report) => Effect.Effect<void, never, R>): BidiOutput<never, R> => ({
  name: "call report",
  events,
  open: Effect.gen(function* () {
    const context = yield* Effect.context<R>()
    const latch = Latch.makeUnsafe(false)
    let running = empty
    return {
      offer: (event) => {
        if (event._tag === "AudioStream" && running.asked === undefined) return
        running = add(running, event)
        if (event._tag === "ConnectionClose") latch.openUnsafe()
      },
      flush: Effect.void,
      playback: "none",
      run: latch.await.pipe(
        Effect.andThen(Effect.suspend(() => onEnd(running.report))),
        Effect.provideContext(context)
      ),
      end: latch.open
    }
  })
})

/**
 * How long the conversation lasted, if it is over.
 *
 * @category getters
 * @since 0.1.0
 */
export const duration = ({ endedAt, startedAt }: Report): Duration.Duration | undefined =>
  startedAt === undefined || endedAt === undefined ? undefined : Duration.millis(endedAt - startedAt)
