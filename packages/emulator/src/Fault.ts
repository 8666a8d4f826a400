/**
 * What can go wrong on demand, in words that fit every emulated provider.
 *
 * A fault without a moment happens at once: when the connection opens, or when the fault is injected into a live one.
 * Response faults wait for the next response of the connection and are used up by it.
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

/** Faults of the next response: they change what the provider does, not the transport. */
export const ResponseFault = Schema.TaggedUnion({
  FailResponse: { code: Schema.String, message: Schema.String, type: Schema.String, afterPieces: pieces },
  CutResponse: { reason: Schema.Literals(["max_output_tokens", "content_filter"]), afterPieces: pieces },
  CancelCalls: { reason: Schema.Literals(["turn_detected", "client_cancelled"]) },
  ToolStorm: { calls: Schema.Int },
  LateAudio: { pieces: Schema.Int }
})
/** See the schema. */
export type ResponseFault = typeof ResponseFault.Type

/** Faults of the transport and of the session. */
export const ConnectionFault = Schema.TaggedUnion({
  Mute: { at },
  Close: { code: Schema.Int, reason: Schema.String, at },
  Drop: { at },
  Stall: { at },
  Malformed: { text: Schema.String, at },
  Duplicate: { events: Schema.Array(Schema.String) },
  Slow: { millis: Schema.Finite },
  Hold: { at },
  Expire: { at },
  Push: { event: Schema.Record(Schema.String, Schema.Unknown), at }
})
/** See the schema. */
export type ConnectionFault = typeof ConnectionFault.Type

/** An answer to the handshake that is no connection. */
export const Refusal = Schema.TaggedStruct("Refuse", {
  status: Schema.Int,
  retryAfterSeconds: Schema.optionalKey(Schema.Finite),
  message: Schema.optionalKey(Schema.String)
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

/** The handshake is answered with an HTTP status: 401, 403, 429 (with `retry-after`, in seconds), 503 and so on. */
export const refuse = (
  status: number,
  options: { readonly retryAfterSeconds?: number; readonly message?: string } = {}
): Refusal => ({ _tag: "Refuse", status, ...options })

/** Nothing is sent any more, not even the greeting; the socket stays open and is read. */
export const mute = (moment?: Moment): ConnectionFault => ({ _tag: "Mute", ...when(moment) })

/** The server closes with this code. 1005, 1006 and 1015 cannot be sent on a wire: use `drop`. */
export const close = (code: number, reason = "", moment?: Moment): ConnectionFault => ({
  _tag: "Close",
  code,
  reason,
  ...when(moment)
})

/** The connection is gone without a close frame: clients see 1006. */
export const drop = (moment?: Moment): ConnectionFault => ({ _tag: "Drop", ...when(moment) })

/**
 * Half-open: the server neither reads nor writes, and does not answer pings; the socket stays. So it does not see a
 * client that goes away either, until `control.thaw` or the end of the emulator.
 */
export const stall = (moment?: Moment): ConnectionFault => ({ _tag: "Stall", ...when(moment) })

/** A text frame that is no JSON. */
export const malformed = (moment?: Moment, text = '{"type":"response.output_aud'): ConnectionFault => ({
  _tag: "Malformed",
  text,
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

/** A server event of your own making; it gets an `event_id` when it has none. */
export const push = (
  event: { readonly type: string; readonly [key: string]: unknown },
  moment?: Moment
): ConnectionFault => ({
  _tag: "Push",
  event,
  ...when(moment)
})

/** The next response ends as failed, after that many deltas (none by default). */
export const failResponse = (
  options: {
    readonly code?: string
    readonly message?: string
    readonly type?: string
    readonly afterPieces?: number
  } = {}
): ResponseFault => ({
  _tag: "FailResponse",
  code: options.code ?? "server_error",
  message: options.message ?? "The server had an error while processing your request. Sorry about that!",
  type: options.type ?? "server_error",
  afterPieces: options.afterPieces ?? 0
})

/** The next response ends as incomplete, after that many deltas (one by default). */
export const cutResponse = (reason: "max_output_tokens" | "content_filter", afterPieces = 1): ResponseFault => ({
  _tag: "CutResponse",
  reason,
  afterPieces
})

/** The next response streams its function calls to the end and is then cancelled. */
export const cancelCalls = (reason: "turn_detected" | "client_cancelled" = "turn_detected"): ResponseFault => ({
  _tag: "CancelCalls",
  reason
})

/** The next response makes that many calls, of the offered tools in turn. */
export const toolStorm = (calls: number): ResponseFault => ({ _tag: "ToolStorm", calls })

/** When the next response is cancelled, that many audio deltas of it still arrive after its end. */
export const lateAudio = (pieces: number): ResponseFault => ({ _tag: "LateAudio", pieces })
