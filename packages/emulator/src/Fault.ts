/**
 * Faults that an emulator produces on demand.
 *
 * A fault without a trigger happens at once: when the connection opens, or when the fault is injected into an open
 * connection. Faults of a response wait for the next response of the connection and are used up by it. Triggers and
 * `duplicate` name messages as the log does: `response.done` (OpenAI), `serverContent.turnComplete` (Gemini),
 * `audioOutput` (Nova).
 *
 * Most faults mean the same for every provider. Faults that only some of them can produce say so; asking another
 * emulator for one is a defect, because a test must not rely on a fault that never happens.
 *
 * @example
 * yield* emulator.control.onNextConnection(Fault.drop(Fault.afterSent("response.output_audio.delta", 3)))
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * When a fault happens. Counts and times start when the fault is armed.
 *
 * @since 0.1.0
 */
export const Trigger = Schema.TaggedUnion({
  Sent: { event: Schema.String, times: Schema.Int },
  Received: { event: Schema.String, times: Schema.Int },
  Elapsed: { millis: Schema.Finite }
})

/**
 * When a fault happens.
 *
 * @since 0.1.0
 */
export type Trigger = typeof Trigger.Type

const at = Schema.optionalKey(Trigger)
const chunks = Schema.optionalKey(Schema.Int)
const text = Schema.optionalKey(Schema.String)

/**
 * Faults of the next response. They change what the provider does, not the transport.
 *
 * @since 0.1.0
 */
export const ResponseFault = Schema.TaggedUnion({
  FailResponse: { code: text, message: text, type: text, afterChunks: chunks },
  CutResponse: { reason: Schema.Literals(["max_output_tokens", "content_filter"]), afterChunks: chunks },
  CancelCalls: { reason: Schema.Literals(["turn_detected", "client_cancelled"]) },
  ToolStorm: { calls: Schema.Int },
  LateAudio: { chunks: Schema.Int },
  SingleMessage: {},
  AudioWithInterruption: {},
  WrittenText: { instead: Schema.Boolean },
  CallsAsParts: { also: Schema.Boolean },
  NoReply: {},
  TranscriptBursts: {},
  LateTranscript: {},
  Background: { where: Schema.Literals(["turn", "inside", "top"]) }
})

/**
 * A fault of the next response.
 *
 * @since 0.1.0
 */
export type ResponseFault = typeof ResponseFault.Type

const transport = {
  ResetStream: { code: Schema.Int, at },
  TruncateFrame: { at },
  WrongLength: { bytes: Schema.Int, at },
  GoAway: { code: Schema.optionalKey(Schema.Int), leftMillis: Schema.optionalKey(Schema.Finite), at }
}

/**
 * Faults that are frames of the transport where it has such frames.
 *
 * @since 0.1.0
 */
export const TransportFault = Schema.TaggedUnion(transport)

/**
 * A fault of the transport.
 *
 * @since 0.1.0
 */
export type TransportFault = typeof TransportFault.Type

const quirks = {
  IgnoreEvent: { event: Schema.String, times: Schema.Int },
  RefuseEvent: { event: Schema.String, code: text, message: text, param: text },
  ErrorsWithoutEventId: {},
  SameEventId: {},
  SameCallId: {},
  BetaNames: {},
  FailTranscription: { message: text }
}

/**
 * What other servers of the OpenAI Realtime protocol do differently from OpenAI's own.
 *
 * @since 0.1.0
 */
export const Quirk = Schema.TaggedUnion(quirks)

/**
 * A difference from OpenAI's own server.
 *
 * @since 0.1.0
 */
export type Quirk = typeof Quirk.Type

/**
 * Faults of the connection and of the session.
 *
 * @since 0.1.0
 */
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
  Exception: { type: Schema.String, message: Schema.String, leaveOpen: Schema.Boolean, at },
  RejectResumption: { reason: text },
  ClockSkew: { millis: Schema.Finite },
  ...quirks,
  ...transport
})

/**
 * A fault of the connection or of the session.
 *
 * @since 0.1.0
 */
export type ConnectionFault = typeof ConnectionFault.Type

/**
 * A handshake that is refused with an HTTP status.
 *
 * @since 0.1.0
 */
export const Refusal = Schema.TaggedStruct("Refuse", {
  status: Schema.Int,
  retryAfterSeconds: Schema.optionalKey(Schema.Finite),
  code: text,
  message: text
})

/**
 * A refused handshake.
 *
 * @since 0.1.0
 */
export type Refusal = typeof Refusal.Type

/**
 * Every fault. The schema reads faults from JSON, with times in milliseconds.
 *
 * @since 0.1.0
 */
export const Fault = Schema.Union([Refusal, ConnectionFault, ResponseFault])

/**
 * Any fault.
 *
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * Whether a fault refuses the handshake.
 *
 * @since 0.1.0
 */
export const isRefusal = Schema.is(Refusal)

/**
 * Whether a fault waits for the next response.
 *
 * @since 0.1.0
 */
export const isResponseFault = Schema.is(ResponseFault)

/**
 * Whether a fault is a difference from OpenAI's own server.
 *
 * @since 0.1.0
 */
export const isQuirk = Schema.is(Quirk)

/**
 * Right after the server event of this type was sent for the `times`-th time.
 *
 * @since 0.1.0
 */
export const afterSent = (event: string, times = 1): Trigger => ({ _tag: "Sent", event, times })

/**
 * When the client event of this type arrives for the `times`-th time, before it is handled.
 *
 * @since 0.1.0
 */
export const afterReceived = (event: string, times = 1): Trigger => ({ _tag: "Received", event, times })

/**
 * This long after the fault was armed.
 *
 * @since 0.1.0
 */
export const afterTime = (duration: Duration.Input): Trigger => ({
  _tag: "Elapsed",
  millis: Duration.toMillis(duration)
})

const when = (trigger: Trigger | undefined) => (trigger === undefined ? {} : { at: trigger })

/**
 * The handshake is refused with this HTTP status: 401, 403, 429 (with `retry-after`, in seconds), 503 and so on.
 * `code` is the provider's name of the error: `error.code` (OpenAI), `error.status` (Gemini), `x-amzn-errortype`
 * (Nova).
 *
 * @since 0.1.0
 */
export const refuse = (
  status: number,
  options: { readonly retryAfterSeconds?: number; readonly code?: string; readonly message?: string } = {}
): Refusal => ({ _tag: "Refuse", status, ...options })

/**
 * The server sends nothing more, not even its first message. The connection stays open and is still read.
 *
 * @since 0.1.0
 */
export const mute = (trigger?: Trigger): ConnectionFault => ({ _tag: "Mute", ...when(trigger) })

/**
 * The server closes the WebSocket with this code. Codes 1005, 1006 and 1015 cannot be sent: use `drop`. WebSockets
 * only.
 *
 * @since 0.1.0
 */
export const close = (code: number, reason = "", trigger?: Trigger): ConnectionFault => ({
  _tag: "Close",
  code,
  reason,
  ...when(trigger)
})

/**
 * The server ends the connection normally: close code 1000, or the end of the HTTP/2 response.
 *
 * @since 0.1.0
 */
export const end = (trigger?: Trigger): ConnectionFault => ({ _tag: "End", ...when(trigger) })

/**
 * The socket is destroyed without a closing handshake. Clients of WebSockets see code 1006.
 *
 * @since 0.1.0
 */
export const drop = (trigger?: Trigger): ConnectionFault => ({ _tag: "Drop", ...when(trigger) })

/**
 * The connection is half-open: the server neither reads nor writes, and a WebSocket does not answer pings. It does not
 * notice a client that leaves either, until `control.unstall` or the end of the emulator.
 *
 * @since 0.1.0
 */
export const stall = (trigger?: Trigger): ConnectionFault => ({ _tag: "Stall", ...when(trigger) })

/**
 * The server sends a message that is not JSON: `text`, or half an event. Without a text Nova sends a frame with a
 * wrong checksum.
 *
 * @since 0.1.0
 */
export const malformed = (trigger?: Trigger, text?: string): ConnectionFault => ({
  _tag: "Malformed",
  ...(text === undefined ? {} : { text }),
  ...when(trigger)
})

/**
 * The server sends events of these types twice, or all events when no type is given.
 *
 * @since 0.1.0
 */
export const duplicate = (...events: ReadonlyArray<string>): ConnectionFault => ({ _tag: "Duplicate", events })

/**
 * Every server event is delayed by this much, in order.
 *
 * @since 0.1.0
 */
export const slow = (by: Duration.Input): ConnectionFault => ({ _tag: "Slow", millis: Duration.toMillis(by) })

/**
 * Replies pause until `control.release`. Everything else is handled as usual.
 *
 * @since 0.1.0
 */
export const hold = (trigger?: Trigger): ConnectionFault => ({ _tag: "Hold", ...when(trigger) })

/**
 * The session ends as if its time limit were reached.
 *
 * @since 0.1.0
 */
export const expire = (trigger?: Trigger): ConnectionFault => ({ _tag: "Expire", ...when(trigger) })

/**
 * The server sends this event. OpenAI's gets an `event_id` when it has none.
 *
 * @since 0.1.0
 */
export const push = (event: { readonly [key: string]: unknown }, trigger?: Trigger): ConnectionFault => ({
  _tag: "Push",
  event,
  ...when(trigger)
})

/**
 * The service raises an exception such as `throttlingException` and ends the stream. Without a trigger it is the first
 * frame. With `leaveOpen` the stream stays open, and nothing more is sent. Nova only.
 *
 * @since 0.1.0
 */
export const exception = (
  type: string,
  message: string,
  options: { readonly at?: Trigger; readonly leaveOpen?: boolean } = {}
): ConnectionFault => ({
  _tag: "Exception",
  type,
  message,
  leaveOpen: options.leaveOpen ?? false,
  ...when(options.at)
})

/**
 * The stream is reset with this HTTP/2 error code, which may be 0. Nova only.
 *
 * @since 0.1.0
 */
export const resetStream = (code: number, trigger?: Trigger): ConnectionFault => ({
  _tag: "ResetStream",
  code,
  ...when(trigger)
})

/**
 * The server sends half a frame and then ends the stream. Nova only.
 *
 * @since 0.1.0
 */
export const truncateFrame = (trigger?: Trigger): ConnectionFault => ({ _tag: "TruncateFrame", ...when(trigger) })

/**
 * The server sends the start of a frame that announces `bytes` bytes. The rest never comes, and the stream stays open.
 * Nova only.
 *
 * @since 0.1.0
 */
export const wrongLength = (bytes: number, trigger?: Trigger): ConnectionFault => ({
  _tag: "WrongLength",
  bytes,
  ...when(trigger)
})

/**
 * The server announces that it will close. Gemini: `goAway` with the time that is left (by default the usual one), and
 * the close after that time. Nova: GOAWAY with this error code (0 by default); the stream goes on. Not for OpenAI.
 *
 * @since 0.1.0
 */
export const goAway = (
  options: { readonly timeLeft?: Duration.Input; readonly code?: number; readonly at?: Trigger } = {}
): ConnectionFault => ({
  _tag: "GoAway",
  ...(options.code === undefined ? {} : { code: options.code }),
  ...(options.timeLeft === undefined ? {} : { leftMillis: Duration.toMillis(options.timeLeft) }),
  ...when(options.at)
})

/**
 * The resumption handle of this connection is rejected as if it had expired. Gemini only.
 *
 * @since 0.1.0
 */
export const rejectResumption = (reason?: string): ConnectionFault => ({
  _tag: "RejectResumption",
  ...(reason === undefined ? {} : { reason })
})

/**
 * The next events of this type are ignored, as if they had never arrived. OpenAI only.
 *
 * @since 0.1.0
 */
export const ignoreEvent = (event: string, times = 1): ConnectionFault => ({ _tag: "IgnoreEvent", event, times })

/**
 * The next event of this type is refused with an error. OpenAI only.
 *
 * @since 0.1.0
 */
export const refuseEvent = (
  event: string,
  options: { readonly code?: string; readonly message?: string; readonly param?: string } = {}
): ConnectionFault => ({ _tag: "RefuseEvent", event, ...options })

/**
 * Errors do not name the client event that caused them. OpenAI only.
 *
 * @since 0.1.0
 */
export const errorsWithoutEventId: ConnectionFault = { _tag: "ErrorsWithoutEventId" }

/**
 * All events have the same id. OpenAI only.
 *
 * @since 0.1.0
 */
export const sameEventId: ConnectionFault = { _tag: "SameEventId" }

/**
 * All tool calls have the same id. OpenAI only.
 *
 * @since 0.1.0
 */
export const sameCallId: ConnectionFault = { _tag: "SameCallId" }

/**
 * Response events have the names of the protocol's beta. OpenAI only.
 *
 * @since 0.1.0
 */
export const betaNames: ConnectionFault = { _tag: "BetaNames" }

/**
 * The next transcription of the user's speech fails. The model still understands the speech. OpenAI only.
 *
 * @since 0.1.0
 */
export const failTranscription = (message?: string): ConnectionFault => ({
  _tag: "FailTranscription",
  ...(message === undefined ? {} : { message })
})

/**
 * The provider's clock is fast by this much, or slow when it is negative. Only `expires_at` shows it; timers are not
 * affected. Only for connections that have not opened yet. OpenAI only: the other providers send no timestamps.
 *
 * @since 0.1.0
 */
export const clockSkew = (by: Duration.Input): ConnectionFault => ({ _tag: "ClockSkew", millis: Duration.toMillis(by) })

/**
 * The next response fails after this many chunks (none by default). OpenAI: `response.done` with the status `failed`;
 * Gemini: a `turnCompleteReason`, `RESPONSE_REJECTED` by default; Nova: an exception, `modelStreamErrorException` by
 * default.
 *
 * @since 0.1.0
 */
export const failResponse = (
  options: {
    readonly code?: string
    readonly message?: string
    /** OpenAI's `error.type`. */
    readonly type?: string
    readonly afterChunks?: number
  } = {}
): ResponseFault => ({ _tag: "FailResponse", ...options })

/**
 * The next response ends early, after this many chunks (one by default).
 *
 * @since 0.1.0
 */
export const cutResponse = (reason: "max_output_tokens" | "content_filter", afterChunks = 1): ResponseFault => ({
  _tag: "CutResponse",
  reason,
  afterChunks
})

/**
 * The next response makes its tool calls and is then cancelled together with them. Not for Nova, which never cancels a
 * call.
 *
 * @since 0.1.0
 */
export const cancelCalls = (reason: "turn_detected" | "client_cancelled" = "turn_detected"): ResponseFault => ({
  _tag: "CancelCalls",
  reason
})

/**
 * The next response makes this many tool calls, taking the offered tools in turn.
 *
 * @since 0.1.0
 */
export const toolStorm = (calls: number): ResponseFault => ({ _tag: "ToolStorm", calls })

/**
 * When the next response is cancelled or interrupted, this many chunks of its audio still arrive afterwards.
 *
 * @since 0.1.0
 */
export const lateAudio = (chunks: number): ResponseFault => ({ _tag: "LateAudio", chunks })

/**
 * The next response is a single message with every field that a message can have. Gemini only.
 *
 * @since 0.1.0
 */
export const singleMessage: ResponseFault = { _tag: "SingleMessage" }

/**
 * When the next response is interrupted, the message that says so also carries audio. Gemini only.
 *
 * @since 0.1.0
 */
export const audioWithInterruption: ResponseFault = { _tag: "AudioWithInterruption" }

/**
 * The next response contains written text beside its speech, as native audio models send it, or `instead` of it.
 * Gemini only.
 *
 * @since 0.1.0
 */
export const writtenText = (options: { readonly instead: boolean }): ResponseFault => ({
  _tag: "WrittenText",
  ...options
})

/**
 * Tool calls of the next response are parts of its content, and `also` the usual `toolCall` message. Gemini only.
 *
 * @since 0.1.0
 */
export const callsAsParts = (options: { readonly also: boolean }): ResponseFault => ({
  _tag: "CallsAsParts",
  ...options
})

/**
 * The next turn of the user is transcribed and gets no reply. Gemini only.
 *
 * @since 0.1.0
 */
export const noReply: ResponseFault = { _tag: "NoReply" }

/**
 * Transcripts of the next response, and of the turn it replies to, come as whole sentences without spaces between
 * them, each sent twice. Gemini only.
 *
 * @since 0.1.0
 */
export const transcriptBursts: ResponseFault = { _tag: "TranscriptBursts" }

/**
 * The last words of the next response are transcribed after the end of its turn. Gemini only.
 *
 * @since 0.1.0
 */
export const lateTranscript: ResponseFault = { _tag: "LateTranscript" }

/**
 * The next response reports that it continues in the background, and later that it has finished: with a second end of
 * its turn, or with the status alone, inside `serverContent` or at the top level. Gemini only.
 *
 * @since 0.1.0
 */
export const background = (where: "turn" | "inside" | "top"): ResponseFault => ({ _tag: "Background", where })
