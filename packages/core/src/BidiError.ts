/**
 * One error, many reasons.
 *
 * Everything that can go wrong between a conversation and its model is a {@link BidiError}. What to do about it is
 * asked of the reason (`resume`), never of the text. Errors hold plain words only: no cause objects of an SDK, because
 * those carry keys and headers.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * What a conversation does when a connection ends for a reason:
 *
 * - `"never"`: it fails with the error;
 * - `"backoff"`: it connects again after the delay of its schedule;
 * - `"reconnect"`: it connects again at once; the schedule delays only failures that follow.
 *
 * @category models
 */
export type Resume = "never" | "backoff" | "reconnect"

const atMostADay = Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.days(1) }), {
  expected: "a duration between zero and a day"
})

const id = (name: string) => `@effect-bidi/core/BidiError/${name}`

const fields = {
  /** What happened, in words meant for the person who reads the error. */
  message: Schema.String,
  /** The provider's own code, e.g. `invalid_api_key`, `1011` or `ThrottlingException`. */
  code: Schema.optionalKey(Schema.String)
}

/**
 * The provider does not accept the credentials. Fatal.
 *
 * @category reasons
 */
export class Auth extends Schema.TaggedError<Auth>(id("Auth"))("Auth", fields) {
  readonly resume: Resume = "never"
}

/**
 * The account has no credit or quota left. Fatal.
 *
 * @category reasons
 */
export class Quota extends Schema.TaggedError<Quota>(id("Quota"))("Quota", fields) {
  readonly resume: Resume = "never"
}

/**
 * Something asked for is wrong; `option` names it where it has a name. As the end of a connection it is fatal; as an
 * `Error` event it concerns one command only.
 *
 * @category reasons
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(id("InvalidRequest"))("InvalidRequest", {
  ...fields,
  option: Schema.optionalKey(Schema.String)
}) {
  readonly resume: Resume = "never"
}

/**
 * The provider has no such ability (`feature`), known before asking it.
 *
 * @category reasons
 */
export class Unsupported extends Schema.TaggedError<Unsupported>(id("Unsupported"))("Unsupported", {
  ...fields,
  feature: Schema.String
}) {
  readonly resume: Resume = "never"
}

/**
 * Too many requests. Retried with backoff, and not before `retryAfter` where the provider named a time.
 *
 * @category reasons
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
 */
export class ServerFault extends Schema.TaggedError<ServerFault>(id("ServerFault"))("ServerFault", fields) {
  readonly resume: Resume = "backoff"
}

/**
 * The connection reached the provider's time limit. A new one takes over.
 *
 * @category reasons
 */
export class SessionExpired extends Schema.TaggedError<SessionExpired>(id("SessionExpired"))("SessionExpired", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The provider closed because nothing happened for too long. A new connection takes over.
 *
 * @category reasons
 */
export class IdleTimeout extends Schema.TaggedError<IdleTimeout>(id("IdleTimeout"))("IdleTimeout", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The connection is gone, or never came up: a drop, a close that nobody asked for, a dead peer, a connect timeout.
 *
 * @category reasons
 */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>(id("ConnectionLost"))("ConnectionLost", fields) {
  readonly resume: Resume = "reconnect"
}

/**
 * The conversation has ended: what was to be sent was not.
 *
 * @category reasons
 */
export class ConversationEnded extends Schema.TaggedError<ConversationEnded>(id("ConversationEnded"))(
  "ConversationEnded",
  fields
) {
  readonly resume: Resume = "never"
}

/**
 * The provider did not do in time what it was asked for, on a connection that works. Told by an `Error` event; the
 * conversation goes on without it.
 *
 * @category reasons
 */
export class Unanswered extends Schema.TaggedError<Unanswered>(id("Unanswered"))("Unanswered", fields) {
  readonly resume: Resume = "never"
}

/**
 * A consumer that declared it may lose nothing fell further behind than the `capacity` (events) of its mailbox.
 *
 * @category reasons
 */
export class ConsumerTooSlow extends Schema.TaggedError<ConsumerTooSlow>(id("ConsumerTooSlow"))("ConsumerTooSlow", {
  ...fields,
  consumer: Schema.String,
  capacity: Schema.Int
}) {
  readonly resume: Resume = "never"
}

/**
 * The session log could not be read or written. `entries` says how many entries of the transcript are not in the log, or
 * not as they were last; it is absent where the log was not read, and from what a `send` fails with meanwhile.
 *
 * @category reasons
 */
export class StoreFailed extends Schema.TaggedError<StoreFailed>(id("StoreFailed"))("StoreFailed", {
  ...fields,
  entries: Schema.optionalKey(Schema.Int)
}) {
  readonly resume: Resume = "never"
}

/**
 * A part of the conversation (`part`) was interrupted from within: what it waited for was taken away. Interrupting the
 * conversation itself is no error.
 *
 * @category reasons
 */
export class Interrupted extends Schema.TaggedError<Interrupted>(id("Interrupted"))("Interrupted", {
  ...fields,
  part: Schema.String
}) {
  readonly resume: Resume = "never"
}

/**
 * Every reason there is.
 *
 * @category reasons
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
  Interrupted
])

/**
 * @category reasons
 */
export type Reason = typeof Reason.Type

/**
 * The error of conversations and models. Match `reason._tag`, or use `Effect.catchReason("BidiError", "Auth", …)`.
 *
 * @category errors
 */
export class BidiError extends Schema.TaggedError<BidiError>("@effect-bidi/core/BidiError")("BidiError", {
  reason: Reason,
  /** Whose side it happened on: `openai`, `google`, `bedrock`; absent for the conversation itself. */
  provider: Schema.optionalKey(Schema.String)
}) {
  /** Whether connecting again may help. */
  get isRetryable(): boolean {
    return this.reason.resume !== "never"
  }

  override get message(): string {
    const text = `${this.reason._tag}: ${this.reason.message}`
    return this.provider === undefined ? text : `${this.provider}: ${text}`
  }
}
