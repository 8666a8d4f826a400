/**
 * Options are checked where they are given. A wrong value, or an option that does not exist, is a defect that names it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Options } from "../../Emulator.ts"
import { Fault } from "../../Fault.ts"
import type { Setup } from "../session/step.ts"

const isDuration = (value: unknown, isAllowed: (duration: Duration.Duration) => boolean): value is Duration.Input =>
  !Number.isNaN(value) && Option.exists(Duration.fromInput(value as Duration.Input), isAllowed)

export const positive = Schema.declare((value): value is Duration.Input => isDuration(value, Duration.isPositive), {
  expected: "a duration above zero"
})

const notNegative = Schema.declare(
  (value): value is Duration.Input => isDuration(value, (duration) => !Duration.isNegative(duration)),
  { expected: "a duration of zero or more" }
)

/** A factor, which may be infinite. */
export const factor = Schema.declare((value): value is number => typeof value === "number" && value > 0, {
  expected: "a number above zero"
})

const voice = Schema.declare(
  (value): value is object => typeof value === "object" && value !== null && "speak" in value,
  { expected: "a Voice" }
)
const anyFunction = Schema.declare((value): value is () => void => typeof value === "function", {
  expected: "a function"
})

const texts = Schema.Array(Schema.String)
const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const common = {
  host: Schema.NonEmptyString,
  port: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })),
  apiKeys: texts,
  models: texts,
  speed: factor,
  latency: notNegative,
  chunk: positive,
  sessionLimit: positive,
  voice: Schema.Union([Schema.Literals(["auto", "tones", "espeak"]), voice]),
  transcribe: anyFunction,
  phrases: texts,
  assistant: anyFunction,
  faults: Schema.Array(Fault),
  maxPayload: count,
  pingEvery: positive,
  seed: Schema.Finite,
  log: Schema.Struct({ entries: Schema.optional(count), audio: Schema.optional(Schema.Boolean) })
}

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** Checks the options of all emulators and those of one provider. */
export const optionsChecker = (own: Record<string, Schema.Top>) => {
  const fields = Object.entries({ ...common, ...own }).map(([name, schema]) => [name, Schema.optional(schema)])
  const schema = Schema.Struct(Object.fromEntries(fields)) as unknown as Schema.Decoder<object>
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })
  return (options: object): Effect.Effect<void> =>
    Effect.suspend(() => {
      const decoded = decode(options)
      if (Result.isSuccess(decoded)) return Effect.void
      const { message, path = [] } = issues(decoded.failure.issue).issues[0]!
      const problem = message.replace("Expected no excess property", "There is no such option")
      return Effect.die(new Error(`${path.map(String).join(".")}: ${problem}`))
    })
}

/** What the options say about the pace and the length of sessions. */
export const paceOf = (
  options: Options,
  defaultLimit: Duration.Input
): Pick<Setup, "speed" | "chunkMs" | "latencyMs" | "sessionMs"> => {
  const speed = options.speed ?? 8
  return {
    speed,
    chunkMs: Math.max(1, Math.round(Duration.toMillis(options.chunk ?? "100 millis"))),
    latencyMs: Duration.toMillis(options.latency ?? (speed === Number.POSITIVE_INFINITY ? 0 : "50 millis")),
    sessionMs: Duration.toMillis(options.sessionLimit ?? defaultLimit)
  }
}
