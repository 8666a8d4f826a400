/**
 * Options are checked where they are given: a wrong value, or a name that does not exist, fails `run` and `start`.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { optionsOf } from "../../adapter/BidiAdapter.ts"
import { BidiError, InvalidRequest } from "../../BidiError.ts"
import { MIN_RESULT_LIMIT } from "../tools/results.ts"

const duration = (expected: string, isAllowed: (duration: Duration.Duration) => boolean) =>
  Schema.declare(
    (value): value is Duration.Input =>
      !Number.isNaN(value) && Option.exists(Duration.fromInput(value as Duration.Input), isAllowed),
    { expected }
  )

const positive = duration("a duration above zero", Duration.isPositive)
const notNegative = duration("a duration of zero or more", (duration) => !Duration.isNegative(duration))

const struct = <const Fields extends Record<string, Schema.Top>>(fields: Fields) =>
  Schema.Struct(
    Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Schema.optional(schema)]))
  ) as unknown as Schema.Decoder<object>

const list = Schema.declare((value): value is ReadonlyArray<unknown> => Array.isArray(value), { expected: "an array" })
const schedule = Schema.declare(Schedule.isSchedule, { expected: "a Schedule" })
const prompt = Schema.declare((value): value is object => typeof value === "object" && value !== null, {
  expected: "a Prompt"
})

const greeting = Schema.Union([
  Schema.Struct({ instructions: Schema.String }),
  Schema.Struct({ text: Schema.String, interruptible: Schema.optional(Schema.Boolean) })
])

const RunOptions = struct({
  inputs: list,
  outputs: list,
  hooks: list,
  sessionId: Schema.NonEmptyString,
  onBusy: Schema.Literals(["takeOver", "fail"]),
  onStoreFailure: Schema.Literals(["end", "goOn"]),
  history: prompt,
  greeting,
  resume: Schema.Union([Schema.Literals(["answer", "wait"]), greeting]),
  agents: list,
  connection: struct({
    timeout: positive,
    reconnect: Schema.Boolean,
    retry: schedule,
    maxRetryAfter: notNegative,
    renew: Schema.Union([Schema.Boolean, struct({ after: positive, wait: notNegative })])
  }),
  interruption: struct({ minDuration: notNegative, falseInterruptionTimeout: notNegative }),
  limits: struct({ userIdle: positive, maxIdle: notNegative, maxDuration: notNegative }),
  tools: struct({
    timeout: positive,
    resultLimit: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(MIN_RESULT_LIMIT))
  })
})

const check = optionsOf(RunOptions)

/** The error of the first option that is wrong. */
export const wrongOption = (options: unknown): BidiError | undefined => {
  const checked = check(options)
  return Result.isSuccess(checked) ? undefined : new BidiError({ reason: new InvalidRequest(checked.failure) })
}
