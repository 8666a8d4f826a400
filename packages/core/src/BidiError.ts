/**
 * One error, many reasons.
 *
 * Everything that can go wrong between a conversation and its model is a {@link BidiError}. Its reason says how to recover
 * (`resume`). Errors hold text only, never the cause objects of an SDK, because those carry keys and headers.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * What a conversation does when a connection ends for this reason:
 *
 * - `"never"`: fails with the error;
 * - `"backoff"`: connects again after the delay of its retry schedule;
 * - `"reconnect"`: connects again at once; the schedule applies only to failures that follow.
 *
 * @category models
 * @since 0.1.0
 */
export type Resume = "never" | "backoff" | "reconnect"

const atMostADay = Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.days(1) }), {
  expected: "a duration between zero and a day"
})

const id = (name: string) => `@effect-bidi/core/BidiError/${name}`

const fields = {
  /** What happened, for the person who reads the error. */
  message: Schema.String,
  /** The provider's own code, e.g. `invalid_api_key`, `1011` or `ThrottlingException`. */
  code: Schema.optionalKey(Schema.String)
}

/**
 * The provider rejected the credentials. Fatal.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Auth extends Schema.TaggedError<Auth>(id("Auth"))("Auth", fields) {
  readonly resume: Resume = "never"
}

/**
 * The account has no credit or quota left. Fatal.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Quota extends Schema.TaggedError<Quota>(id("Quota"))("Quota", fields) {
  readonly resume: Resume = "never"
}

/**
 * The request is invalid; `option` is the path of the option that is wrong, if it is one. Fatal when it ends a
 * connection; as an `Error` event it concerns a single command.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(id("InvalidRequest"))("InvalidRequest", {
  ...fields,
  option: Schema.optionalKey(Schema.String)
}) {
  readonly resume: Resume = "never"
}

/**
 * The provider cannot do this (`feature`). Known from its capabilities, before anything is sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unsupported extends Schema.TaggedError<Unsupported>(id("Unsupported"))("Unsupported", {
  ...fields,
  feature: Schema.String
}) {
  readonly resume: Resume = "never"
}

/**
 * Too many requests. Retried with backoff, and not before `retryAfter` if the provider set one.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>(id("RateLimited"))("RateLimited", {
  ...fields,
  retryAfter: Schema.optionalKey(Schema.DurationFromMillis.check(atMostADay))
}) {
  readonly resume: Resume = "backoff"
}

/**
 * The provider failed on its side. Retried with backoff.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServerFault extends Schema.TaggedError<ServerFault>(id("ServerFault"))("ServerFault", fields) {
  readonly resume: Resume = "backoff"
}

/**
 * The connection reached the provider's time limit. A new one takes over.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionExpired extends Schema.TaggedError<SessionExpired>(id("SessionExpired"))("SessionExpired", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The provider closed the connection because nothing happened for too long. A new one takes over.
 *
 * @category reasons
 * @since 0.1.0
 */
export class IdleTimeout extends Schema.TaggedError<IdleTimeout>(id("IdleTimeout"))("IdleTimeout", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The connection was lost or could not be opened: a drop, an unexpected close, a dead peer, a connect timeout.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>(id("ConnectionLost"))("ConnectionLost", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The conversation has ended, and this was not sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ConversationEnded extends Schema.TaggedError<ConversationEnded>(id("ConversationEnded"))(
  "ConversationEnded",
  fields
) {
  readonly resume: Resume = "never"
}

/**
 * The provider did not answer a request in time, on a connection that works. Emitted as an `Error` event; the
 * conversation goes on.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unanswered extends Schema.TaggedError<Unanswered>(id("Unanswered"))("Unanswered", fields) {
  readonly resume: Resume = "never"
}

/**
 * An output that must not lose events fell further behind than its mailbox holds (`capacity`, in events).
 *
 * @category reasons
 * @since 0.1.0
 */
export class ConsumerTooSlow extends Schema.TaggedError<ConsumerTooSlow>(id("ConsumerTooSlow"))("ConsumerTooSlow", {
  ...fields,
  consumer: Schema.String,
  capacity: Schema.Int
}) {
  readonly resume: Resume = "never"
}

/**
 * The session log could not be read or written. `entries` is the number of transcript entries that are missing from the
 * log or out of date there. It is absent if reading failed, and in the errors that `send` fails with meanwhile.
 *
 * @category reasons
 * @since 0.1.0
 */
export class StoreFailed extends Schema.TaggedError<StoreFailed>(id("StoreFailed"))("StoreFailed", {
  ...fields,
  entries: Schema.optionalKey(Schema.Int)
}) {
  readonly resume: Resume = "never"
}

/**
 * Somebody else has opened the session since: this conversation may not write to its log any more, and ends. `by` says who,
 * where that is known.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionTaken extends Schema.TaggedError<SessionTaken>(id("SessionTaken"))("SessionTaken", {
  ...fields,
  by: Schema.optionalKey(Schema.String)
}) {
  readonly resume: Resume = "never"
}

/**
 * The session is open elsewhere, at `owner`, and was not to be taken over.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionBusy extends Schema.TaggedError<SessionBusy>(id("SessionBusy"))("SessionBusy", {
  ...fields,
  owner: Schema.String
}) {
  readonly resume: Resume = "never"
}

/**
 * The log of the session cannot be read from `line` on (counted from 1): a record is missing, or it was written by another
 * version.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionCorrupt extends Schema.TaggedError<SessionCorrupt>(id("SessionCorrupt"))("SessionCorrupt", {
  ...fields,
  line: Schema.Int
}) {
  readonly resume: Resume = "never"
}

/**
 * A part of the conversation (`part`) was interrupted from within, for example because a queue it read was shut down.
 * Interrupting the conversation itself is not an error.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Interrupted extends Schema.TaggedError<Interrupted>(id("Interrupted"))("Interrupted", {
  ...fields,
  part: Schema.String
}) {
  readonly resume: Resume = "never"
}

/**
 * The union of all reasons.
 *
 * @category reasons
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Auth,
  Quota,
  InvalidRequest,
  Unsupported,
  RateLimited,
  ServerFault,
  SessionExpired,
  IdleTimeout,
  ConnectionLost,
  ConversationEnded,
  Unanswered,
  ConsumerTooSlow,
  StoreFailed,
  SessionTaken,
  SessionBusy,
  SessionCorrupt,
  Interrupted
])

/**
 * The type of {@link Reason}.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * The error of conversations and models. Match on `reason._tag`, or use `Effect.catchReason("BidiError", "Auth", …)`.
 *
 * @category errors
 * @since 0.1.0
 */
export class BidiError extends Schema.TaggedError<BidiError>("@effect-bidi/core/BidiError")("BidiError", {
  reason: Reason,
  /** The provider: `openai`, `google`, `bedrock`. Absent if the conversation itself failed. */
  provider: Schema.optionalKey(Schema.String)
}) {
  /** Whether a new connection may help. */
  get isRetryable(): boolean {
    return this.reason.resume !== "never"
  }

  override get message(): string {
    const text = `${this.reason._tag}: ${this.reason.message}`
    return this.provider === undefined ? text : `${this.provider}: ${text}`
  }
}
