/**
 * The options of an adapter, checked by one schema, and its API key.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { BidiError } from "../BidiError.ts"
import type { AdapterErrors } from "./AdapterErrors.ts"

/**
 * A length of time: a `Duration`, `"500 millis"`, or a number of milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Time = Schema.declare(
  (value): value is Duration.Input =>
    Option.exists(Duration.fromInput(value as Duration.Input), (time) => {
      const millis = Duration.toMillis(time)
      return Number.isFinite(millis) && millis >= 0
    }),
  { expected: "a duration" }
)

/**
 * A URL with one of these schemes, such as `"https"`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const url = (...schemes: ReadonlyArray<string>) =>
  Schema.NonEmptyString.check(
    Schema.makeFilter((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), {
      expected: `a URL with ${schemes.join(" or ")}`
    })
  )

/**
 * Text that a header can hold. One with anything else is not quoted in the error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HeaderText = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]+$/))

/**
 * An API key: a `Redacted`, such as `Redacted.make("sk-…")`, or an effect that gives one and is run for every connection.
 *
 * @category models
 * @since 0.1.0
 */
export type ApiKey = Redacted.Redacted | Effect.Effect<Redacted.Redacted, unknown>

/**
 * A key that matches `pattern`, and is never quoted in an error. White space around it does not count.
 *
 * @category schemas
 * @since 0.1.0
 */
export const redactedKey = (pattern: RegExp) =>
  Schema.declare((value): value is Redacted.Redacted => Redacted.isRedacted(value), {
    expected: 'a Redacted value, such as Redacted.make("…"), or an Effect that gives one'
  }).check(
    Schema.makeFilter((key) => {
      const value: unknown = Redacted.value(key)
      if (typeof value !== "string" || value.trim() === "") return "Expected a key, but it is empty"
      return pattern.test(value.trim()) ? undefined : "Expected a key, but it has characters that no key has"
    })
  )

/**
 * An {@link ApiKey} whose keys match `pattern`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const apiKey = (pattern: RegExp) =>
  Schema.Union([
    redactedKey(pattern),
    Schema.declare((value): value is Effect.Effect<Redacted.Redacted, unknown> => Effect.isEffect(value), {
      expected: "an Effect that gives a Redacted value"
    })
  ])

/**
 * Returns the key for a connection, without white space around it. What an effect gives is checked only now. Where the
 * effect fails, this fails with its `BidiError`, or with `Auth` for any other error, which is not quoted.
 *
 * @category combinators
 * @since 0.1.0
 */
export const keyOf = (
  apiKey: ApiKey,
  pattern: RegExp,
  errors: Pick<AdapterErrors, "auth" | "invalid">
): Effect.Effect<Redacted.Redacted, BidiError> => {
  if (!Effect.isEffect(apiKey)) return Effect.succeed(trimmed(apiKey))
  const check = checked(Schema.Struct({ apiKey: redactedKey(pattern) }), errors)
  return apiKey.pipe(
    Effect.mapError((error) =>
      error instanceof BidiError ? error : errors.auth("the effect given as apiKey failed: there is no API key")
    ),
    Effect.flatMap((key) => check({ apiKey: key })),
    Effect.map(({ apiKey }) => trimmed(apiKey))
  )
}

const trimmed = (key: Redacted.Redacted) => Redacted.make(Redacted.value(key).trim())

/**
 * What is wrong with the options; `option` is the path of the one that is, and part of the message.
 *
 * @category models
 * @since 0.1.0
 */
export interface WrongOption {
  readonly option: string
  readonly message: string
}

/**
 * Returns what is wrong with an option.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wrong = (option: string, message: string): WrongOption => ({
  option,
  message: `${option === "" ? "options" : option}: ${message}`
})

/**
 * What one option demands of another, and the schema of neither can say: the path of the wrong one, and what was expected.
 *
 * @category models
 * @since 0.1.0
 */
export type Rule<in A> = (options: A) => readonly [option: string, message: string] | undefined

/**
 * A check for the schema of all options. The first rule that is broken counts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const rules = <A>(rules: ReadonlyArray<Rule<A>>) =>
  Schema.makeFilter((options: A) => {
    for (const rule of rules) {
      const broken = rule(options)
      if (broken !== undefined) return { path: broken[0].split("."), issue: broken[1] }
    }
    return undefined
  })

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Checks options against their schema. One that the schema does not have is wrong too: nothing is ever dropped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const optionsOf = <A>(schema: Schema.Decoder<A>) => {
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })
  return (options: unknown): Result.Result<A, WrongOption> => {
    const decoded = decode(options)
    if (Result.isSuccess(decoded)) return Result.succeed(decoded.success)
    const { message, path = [] } = issues(decoded.failure.issue).issues[0]!
    const told = message.replace("Expected no excess property", "There is no such option")
    return Result.fail(wrong(path.map(String).join("."), told))
  }
}

/**
 * The same as an effect that fails with `InvalidRequest`, which names the option.
 *
 * @category combinators
 * @since 0.1.0
 */
export const checked = <A>(schema: Schema.Decoder<A>, errors: Pick<AdapterErrors, "invalid">) => {
  const check = optionsOf(schema)
  return (options: unknown): Effect.Effect<A, BidiError> =>
    Effect.suspend(() =>
      Result.match(check(options), {
        onSuccess: Effect.succeed,
        onFailure: ({ message, option }) => Effect.fail(errors.invalid(option, message))
      })
    )
}

/**
 * Returns an object with a field, or without it where the value is `undefined`: for wires on which a missing field is
 * something else than an empty one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const given = <K extends string, A>(key: K, value: A | undefined): { readonly [P in K]?: A } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: A }
