/**
 * What adapters of providers have in common, for the author of one: options that are checked, and a peer that is watched.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { BidiError } from "../BidiError.ts"

/**
 * A length of time: a `Duration`, `"500 millis"`, or a number of milliseconds.
 *
 * @category schemas
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
 * What is wrong with the options; `option` is the path of the one that is, and part of the message.
 *
 * @category models
 */
export interface WrongOption {
  readonly option: string
  readonly message: string
}

/**
 * @category constructors
 */
export const wrong = (option: string, message: string): WrongOption => ({
  option,
  message: `${option === "" ? "options" : option}: ${message}`
})

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Checks options against their schema. One that the schema does not have is wrong too: nothing is ever dropped.
 *
 * @category combinators
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
 * A connection that is watched.
 *
 * @category models
 */
export interface Watched {
  readonly every: Duration.Input
  /** How many times in a row nothing may come. */
  readonly misses: number
  /** Makes the peer say something. */
  readonly ping: () => void
  /** Whether it did, since this was asked last. */
  readonly isAlive: () => boolean
  readonly onDead: () => void
  /** Done when the connection stands, or has failed to. */
  readonly opened: Effect.Effect<void, BidiError>
  /** Done when it is over. */
  readonly over: Effect.Effect<void>
}

/**
 * Notices a peer that is gone without a word: the socket of a dead network stays open for ever. Watches in a fiber of the
 * scope until the connection is over.
 *
 * @category combinators
 */
export const watch = ({ every, isAlive, misses, onDead, opened, over, ping }: Watched) => {
  const rounds = Effect.gen(function* () {
    for (let missed = 0; missed < misses; missed = isAlive() ? 0 : missed + 1) {
      ping()
      yield* Effect.sleep(every)
    }
    onDead()
  })
  return opened.pipe(
    Effect.andThen(rounds),
    Effect.raceFirst(over),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
}
