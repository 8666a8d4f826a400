/**
 * The records of which the log of a session is made, and their form on a line of JSON. `SessionLog` says what they mean.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BidiEvent from "./BidiEvent.ts"
import * as Transcript from "./Transcript.ts"

/**
 * The version of the format that this version writes, and the only one it reads.
 *
 * @category constants
 * @since 0.1.0
 */
export const FORMAT = 1 as const

// ---------------------------------------------------------------------------------------------------------------------
// what they say
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The session was opened, by whom; the first record of every epoch.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Opened = Schema.TaggedStruct("Opened", { by: Schema.String })

/**
 * A write of the transcript: of an entry that is new, or in the place of the one with its id. A reply with `full` that is
 * not `interrupted` is still being heard.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.TaggedStruct("Entry", { entry: Transcript.Entry })

/**
 * How much of a reply was heard so far: the first `chars` characters of its words, and `millis` of its sound. `more` are
 * words that became known since the last record about this reply. `final`: all that will be heard of it was.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Heard = Schema.TaggedStruct("Heard", {
  id: Schema.String,
  chars: Schema.Int,
  millis: Schema.Int,
  final: Schema.Boolean,
  more: Schema.optionalKey(Schema.String)
})

/**
 * A value of the application changed. See `AgentState`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const State = Schema.TaggedStruct("State", { key: Schema.String, value: Schema.Json })

/**
 * The agent changed: other instructions, or another agent that took over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Profile = Schema.TaggedStruct("Profile", {
  name: Schema.String,
  instructions: Schema.optionalKey(Schema.String)
})

const { at: _, ...usage } = BidiEvent.Usage.fields

/**
 * Tokens were used.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Usage = Schema.Struct(usage)

/**
 * A connection to the model was ready.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Connection = Schema.TaggedStruct("Connection", {
  id: Schema.String,
  provider: Schema.String,
  model: Schema.String,
  generation: Schema.Int
})

/**
 * The provider can bring back what it knows at this point by a handle, or (`null`) by none. It knows all entries so far but
 * those in `without`, and of the calls in `calls` it was not told the result.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Handle = Schema.TaggedStruct("Handle", {
  provider: Schema.String,
  model: Schema.String,
  handle: Schema.NullOr(Schema.String),
  without: Schema.Array(Schema.String),
  calls: Schema.Array(Schema.String)
})

/**
 * A tool call waits for somebody's consent, or was decided about.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Approval = Schema.TaggedStruct("Approval", {
  id: Schema.String,
  decision: Schema.Literals(["asked", "approved", "rejected"]),
  reason: Schema.optionalKey(Schema.String)
})

/**
 * The conversation ended, and why. Missing where a process was killed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Closed = Schema.TaggedStruct("Closed", { reason: BidiEvent.CloseReason })

/**
 * What a record says.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Body = Schema.Union([Opened, Entry, Heard, State, Profile, Usage, Connection, Handle, Approval, Closed])

/**
 * One record: the `n`-th of its epoch, written `at` (milliseconds since 1970).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Record = Schema.Struct({
  v: Schema.Literal(FORMAT),
  epoch: Schema.Int,
  n: Schema.Int,
  at: Schema.Int,
  body: Body
})

/**
 * @category models
 * @since 0.1.0
 */
export type Body = typeof Body.Type

/**
 * @category models
 * @since 0.1.0
 */
export type Record = typeof Record.Type

// ---------------------------------------------------------------------------------------------------------------------
// on a line
// ---------------------------------------------------------------------------------------------------------------------

const json = Schema.toCodecJson(Record)
const toJson = Schema.encodeSync(json)
const fromJson = Schema.decodeUnknownResult(json)

/**
 * A record as one line of JSON, without the end of the line.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encode = (record: Record): string => JSON.stringify(toJson(record))

/**
 * A record from its line, or what is wrong with the line.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decode = (line: string): Result.Result<Record, string> => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return Result.fail("it is not JSON")
  }
  return Result.mapError(fromJson(value), (error) => {
    const { v } = Object(value) as { readonly v?: unknown }
    return typeof v === "number" && v !== FORMAT
      ? `its format is ${v}, and this version reads format ${FORMAT}`
      : `it is no record: ${error.message}`
  })
}
