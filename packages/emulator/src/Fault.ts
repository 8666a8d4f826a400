/**
 * What can go wrong on demand, in words that fit every emulated provider.
 *
 * A fault without a moment happens at once: when the connection opens, or when the fault is injected into a live one.
 * Response faults wait for the next response of the connection and are used up by it. Moments and duplicates name
 * messages as the log does: `response.done` (OpenAI), `serverContent.turnComplete` (Gemini), `audioOutput` (Nova).
 *
 * Most faults mean the same everywhere. The ones that a wire has no room for say so, and asking for one of them there
 * is a defect: a test must not believe in a fault that never happens.
 *
 * @example
 * yield* emulator.control.onNextConnection(Fault.drop(Fault.afterSent("response.output_audio.delta", 3)))
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** When a fault happens. Counts start when the fault is armed. */
export const Moment = Schema.TaggedUnion({
  Sent: { event: Schema.String, times: Schema.Int },
  Received: { event: Schema.String, times: Schema.Int },
  Elapsed: { millis: Schema.Finite }
})
/** See the schema. */
export type Moment = typeof Moment.Type

const at = Schema.optionalKey(Moment)
const pieces = Schema.optionalKey(Schema.Int)
const text = Schema.optionalKey(Schema.String)

/** Faults of the next response: they change what the provider does, not the transport. */
export const ResponseFault = Schema.TaggedUnion({
  FailResponse: { code: text, message: text, type: text, afterPieces: pieces },
  CutResponse: { reason: Schema.Literals(["max_output_tokens", "content_filter"]), afterPieces: pieces },
  CancelCalls: { reason: Schema.Literals(["turn_detected", "client_cancelled"]) },
  ToolStorm: { calls: Schema.Int },
  LateAudio: { pieces: Schema.Int },
  AllInOne: {},
  LoudInterruption: {},
  Write: { instead: Schema.Boolean },
  CallsAsParts: { also: Schema.Boolean },
  Ignore: {},
  Burst: {},
  LateWords: {},
  Background: { where: Schema.Literals(["turn", "inside", "top"]) }
})
/** See the schema. */
export type ResponseFault = typeof ResponseFault.Type

const transport = {
  Reset: { code: Schema.Int, at },
  Truncate: { at },
  Claim: { bytes: Schema.Int, at },
  GoAway: { code: Schema.optionalKey(Schema.Int), leftMillis: Schema.optionalKey(Schema.Finite), at }
}

/** Faults that the transport may have a word of its own for. */
export const TransportFault = Schema.TaggedUnion(transport)
/** See the schema. */
export type TransportFault = typeof TransportFault.Type

const oddities = {
  Swallow: { event: Schema.String, times: Schema.Int },
  RefuseEvent: { event: Schema.String, code: text, message: text, param: text },
  Anonymous: {},
  OneId: {},
  OneCallId: {},
  OldNames: {},
  FailTranscription: { message: text }
}

/** What servers of the protocol do that the provider's documentation does not know. */
export const Oddity = Schema.TaggedUnion(oddities)
/** See the schema. */
export type Oddity = typeof Oddity.Type

/** Whether it is an oddity. */
export const isOddity = Schema.is(Oddity)

/** Faults of the transport and of the session. */
export const ConnectionFault = Schema.TaggedUnion({
  Mute: { at },
  Close: { code: Schema.Int, reason: Schema.String, at },
  End: { at },
  Drop: { at },
  Stall: { at },
  Malformed: { text, at },
  Duplicate: { events: Schema.Array(Schema.String) },
  Slow: { millis: Schema.Finite },
  Hold: { at },
  Expire: { at },
  Push: { event: Schema.Record(Schema.String, Schema.Unknown), at },
  Throw: { type: Schema.String, message: Schema.String, leaveOpen: Schema.Boolean, at },
  RejectResume: { reason: text },
  ...oddities,
  Skew: { millis: Schema.Finite },
  ...transport
})
/** See the schema. */
export type ConnectionFault = typeof ConnectionFault.Type

/** What the provider's own session is told of. */
export type SessionFault = Extract<ConnectionFault, { readonly _tag: "GoAway" | "RejectResume" }> | Oddity

/** An answer to the handshake that is no connection. */
export const Refusal = Schema.TaggedStruct("Refuse", {
  status: Schema.Int,
  retryAfterSeconds: Schema.optionalKey(Schema.Finite),
  code: text,
  message: text
})
/** See the schema. */
export type Refusal = typeof Refusal.Type

/** Everything that can be asked for; the schema reads it from JSON, times in milliseconds. */
export const Fault = Schema.Union([Refusal, ConnectionFault, ResponseFault])
/** See the schema. */
export type Fault = typeof Fault.Type

/** Whether it is a fault of the handshake. */
export const isRefusal = Schema.is(Refusal)
/** Whether it is a fault of the next response. */
export const isResponseFault = Schema.is(ResponseFault)
/** Whether it is a fault of the transport or the session. */
export const isConnectionFault = Schema.is(ConnectionFault)

/** Right after the `times`-th server event of this type was sent. */
export const afterSent = (event: string, times = 1): Moment => ({ _tag: "Sent", event, times })

/** When the `times`-th client event of this type arrives, before it is answered. */
export const afterReceived = (event: string, times = 1): Moment => ({ _tag: "Received", event, times })

/** That long after the fault was armed. */
export const afterTime = (duration: Duration.Input): Moment => ({
  _tag: "Elapsed",
  millis: Duration.toMillis(duration)
})

const when = (moment: Moment | undefined) => (moment === undefined ? {} : { at: moment })

/**
 * The handshake is answered with an HTTP status: 401, 403, 429 (with `retry-after`, in seconds), 503 and so on. `code` is
 * the provider's name of the error: `error.code` (OpenAI), `error.status` (Gemini), `x-amzn-errortype` (Nova).
 */
export const refuse = (
  status: number,
  options: { readonly retryAfterSeconds?: number; readonly code?: string; readonly message?: string } = {}
): Refusal => ({ _tag: "Refuse", status, ...options })

/** Nothing is sent any more, not even the greeting; the connection stays open and is read. */
export const mute = (moment?: Moment): ConnectionFault => ({ _tag: "Mute", ...when(moment) })

/** The server closes with this code. 1005, 1006 and 1015 cannot be sent on a wire: use `drop`. WebSockets only. */
export const close = (code: number, reason = "", moment?: Moment): ConnectionFault => ({
  _tag: "Close",
  code,
  reason,
  ...when(moment)
})

/** The server ends in order, as if everything had been said: close 1000, or the end of the response. */
export const end = (moment?: Moment): ConnectionFault => ({ _tag: "End", ...when(moment) })

/** The connection is gone without a word: clients of WebSockets see 1006. */
export const drop = (moment?: Moment): ConnectionFault => ({ _tag: "Drop", ...when(moment) })

/**
 * Half-open: the server neither reads nor writes, and a WebSocket does not answer pings; the socket stays. So a WebSocket
 * does not see a client that goes away either, until `control.thaw` or the end of the emulator.
 */
export const stall = (moment?: Moment): ConnectionFault => ({ _tag: "Stall", ...when(moment) })

/** A message that is no JSON: `text`, or half an event. Without a text Nova sends a frame with a wrong checksum. */
export const malformed = (moment?: Moment, text?: string): ConnectionFault => ({
  _tag: "Malformed",
  ...(text === undefined ? {} : { text }),
  ...when(moment)
})

/** Events of these types, or all, are sent twice. */
export const duplicate = (...events: ReadonlyArray<string>): ConnectionFault => ({ _tag: "Duplicate", events })

/** Every server event is late by this much, in order. */
export const slow = (by: Duration.Input): ConnectionFault => ({ _tag: "Slow", millis: Duration.toMillis(by) })

/** Replies stop where they are until `control.release`. Everything else is answered. */
export const hold = (moment?: Moment): ConnectionFault => ({ _tag: "Hold", ...when(moment) })

/** The session ends as if it had lasted its full time. */
export const expire = (moment?: Moment): ConnectionFault => ({ _tag: "Expire", ...when(moment) })

/** A server event of your own making. OpenAI's gets an `event_id` when it has none. */
export const push = (event: { readonly [key: string]: unknown }, moment?: Moment): ConnectionFault => ({
  _tag: "Push",
  event,
  ...when(moment)
})

/**
 * An exception of the service, such as `throttlingException`, and the end of the stream; the first frame of all without
 * a moment. With `leaveOpen` the stream does not end, and nothing more comes. Nova only.
 */
export const exception = (
  type: string,
  message: string,
  options: { readonly moment?: Moment; readonly leaveOpen?: boolean } = {}
): ConnectionFault => ({
  _tag: "Throw",
  type,
  message,
  leaveOpen: options.leaveOpen ?? false,
  ...when(options.moment)
})

/** The stream is reset with this error code of HTTP/2, 0 included. Nova only. */
export const reset = (code: number, moment?: Moment): ConnectionFault => ({ _tag: "Reset", code, ...when(moment) })

/** Half a frame, then the end of the stream. Nova only. */
export const truncate = (moment?: Moment): ConnectionFault => ({ _tag: "Truncate", ...when(moment) })

/** A frame that says that it is `bytes` long, of which no more than its beginning comes; the stream stays open. Nova only. */
export const claim = (bytes: number, moment?: Moment): ConnectionFault => ({ _tag: "Claim", bytes, ...when(moment) })

/**
 * The client is told to go. Gemini: `goAway` with the time that is left (by default what it always leaves), and the close
 * after that time. Nova: GOAWAY with this error code (0), and everything goes on. OpenAI has no such thing.
 */
export const goAway = (
  options: { readonly timeLeft?: Duration.Input; readonly code?: number; readonly moment?: Moment } = {}
): ConnectionFault => ({
  _tag: "GoAway",
  ...(options.code === undefined ? {} : { code: options.code }),
  ...(options.timeLeft === undefined ? {} : { leftMillis: Duration.toMillis(options.timeLeft) }),
  ...when(options.moment)
})

/** A handle that this connection brings along is refused as if it had expired. Gemini only. */
export const rejectResume = (reason?: string): ConnectionFault => ({
  _tag: "RejectResume",
  ...(reason === undefined ? {} : { reason })
})

/** The next events of that type are not answered: as if they had never arrived. OpenAI only. */
export const swallow = (event: string, times = 1): ConnectionFault => ({ _tag: "Swallow", event, times })

/** The next event of that type is refused with an error. OpenAI only. */
export const refuseEvent = (
  event: string,
  options: { readonly code?: string; readonly message?: string; readonly param?: string } = {}
): ConnectionFault => ({ _tag: "RefuseEvent", event, ...options })

/** Errors do not say which event of the client they are about. OpenAI only. */
export const anonymous: ConnectionFault = { _tag: "Anonymous" }

/** All events have one id. OpenAI only. */
export const oneId: ConnectionFault = { _tag: "OneId" }

/** All calls of tools have one id. OpenAI only. */
export const oneCallId: ConnectionFault = { _tag: "OneCallId" }

/** What is said next cannot be put into words; the model understands it all the same. OpenAI only. */
export const failTranscription = (message?: string): ConnectionFault => ({
  _tag: "FailTranscription",
  ...(message === undefined ? {} : { message })
})

/** Replies have the names that they had in the beta of the protocol. OpenAI only. */
export const oldNames: ConnectionFault = { _tag: "OldNames" }

/**
 * The provider's clock is wrong by so much: fast, or slow where it is negative. Its `expires_at` says so, all that lasts
 * lasts as long as ever. Only for a connection that is to come. OpenAI only: the others tell no time of the day.
 */
export const skew = (by: Duration.Input): ConnectionFault => ({ _tag: "Skew", millis: Duration.toMillis(by) })

/**
 * The next response fails, after that many pieces (none by default). OpenAI: `response.done` with status `failed`; Gemini:
 * `turnCompleteReason`, `RESPONSE_REJECTED` by default; Nova: an exception, `modelStreamErrorException` by default.
 */
export const failResponse = (
  options: {
    readonly code?: string
    readonly message?: string
    /** OpenAI's `error.type`. */
    readonly type?: string
    readonly afterPieces?: number
  } = {}
): ResponseFault => ({ _tag: "FailResponse", ...options })

/** The next response ends before all of it was said, after that many pieces (one by default). */
export const cutResponse = (reason: "max_output_tokens" | "content_filter", afterPieces = 1): ResponseFault => ({
  _tag: "CutResponse",
  reason,
  afterPieces
})

/** The next response makes its calls and is then cancelled, they with it. Nova never takes a call back. */
export const cancelCalls = (reason: "turn_detected" | "client_cancelled" = "turn_detected"): ResponseFault => ({
  _tag: "CancelCalls",
  reason
})

/** The next response makes that many calls, of the offered tools in turn. */
export const toolStorm = (calls: number): ResponseFault => ({ _tag: "ToolStorm", calls })

/** When the next response is cancelled or interrupted, that many pieces of its sound still arrive after that. */
export const lateAudio = (pieces: number): ResponseFault => ({ _tag: "LateAudio", pieces })

/** The next response is one message with every field that a message can have. Gemini only. */
export const allInOne: ResponseFault = { _tag: "AllInOne" }

/** When the next response is interrupted, the message that says so has sound of it, too. Gemini only. */
export const loudInterruption: ResponseFault = { _tag: "LoudInterruption" }

/** The next response writes a text beside its speech, as models with a native voice do, or `instead` of it. Gemini only. */
export const write = (options: { readonly instead: boolean }): ResponseFault => ({ _tag: "Write", ...options })

/** Calls of the next response come as parts of its content, and `also` as the message that they always are. Gemini only. */
export const callsAsParts = (options: { readonly also: boolean }): ResponseFault => ({
  _tag: "CallsAsParts",
  ...options
})

/** What is said next is heard and told, and never answered. Gemini only. */
export const ignore: ResponseFault = { _tag: "Ignore" }

/** Words of the next response, and of what it answers, come as sentences without a space between, each twice. Gemini only. */
export const burst: ResponseFault = { _tag: "Burst" }

/** The last words of the next response come behind the end of its turn. Gemini only. */
export const lateWords: ResponseFault = { _tag: "LateWords" }

/**
 * The next response says that it goes on in the background, and later that it does not: with the end of its turn once more,
 * or with the status alone, inside `serverContent` or at the top. Gemini only.
 */
export const background = (where: "turn" | "inside" | "top"): ResponseFault => ({ _tag: "Background", where })
