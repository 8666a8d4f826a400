/**
 * The events of a conversation: inputs go to the model, outputs come from the conversation.
 *
 * Events are plain objects with a `_tag`, and each has a schema of the same name. Times are `Duration`s, bytes are
 * `Uint8Array`s. `BidiJson` encodes events as JSON.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Audio from "./Audio.ts"
import { BidiError } from "./BidiError.ts"
import * as Entries from "./internal/entry.ts"

/** From zero to a year, which JSON numbers can carry without loss. */
const BidiDuration = Schema.Duration.check(
  Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.days(366) }), {
    expected: "a duration between zero and a year"
  })
)

// ---------------------------------------------------------------------------------------------------------------------
// inputs
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Text from the user. It interrupts the agent if the agent is speaking.
 *
 * @category inputs
 * @since 0.1.0
 */
export const TextInput = Schema.TaggedStruct("TextInput", {
  text: Schema.String,
  role: Schema.optionalKey(Schema.Literal("user").pipe(Schema.withConstructorDefault(Effect.succeed("user" as const))))
})

/**
 * The type of {@link TextInput}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type TextInput = typeof TextInput.Type

/**
 * A frame of the user's speech, in the format of `BidiModel.input`. It may have any length; 20 to 100 ms is usual. Half a
 * sample at its end is held until the next frame of the same input.
 *
 * @category inputs
 * @since 0.1.0
 */
export const AudioInput = Schema.TaggedStruct("AudioInput", {
  audio: Schema.Uint8Array,
  ...Audio.AudioFormat.fields
})

/**
 * The type of {@link AudioInput}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type AudioInput = typeof AudioInput.Type

/**
 * An image from the user: the bytes of a file and its media type (`image/png`, `image/jpeg`).
 *
 * @category inputs
 * @since 0.1.0
 */
export const ImageInput = Entries.ImageInput

/**
 * The type of {@link ImageInput}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type ImageInput = typeof ImageInput.Type

/**
 * Manual turns: the user begins to speak. Requires `capabilities.manualTurns`.
 *
 * @category inputs
 * @since 0.1.0
 */
export const TurnStart = Schema.TaggedStruct("TurnStart", {})

/**
 * The type of {@link TurnStart}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type TurnStart = typeof TurnStart.Type

/**
 * Manual turns: the user has finished. The audio sent since `TurnStart` is the turn, and a reply is requested.
 *
 * @category inputs
 * @since 0.1.0
 */
export const TurnCommit = Schema.TaggedStruct("TurnCommit", {})

/**
 * The type of {@link TurnCommit}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type TurnCommit = typeof TurnCommit.Type

/**
 * Manual turns: discards the speech since `TurnStart`.
 *
 * @category inputs
 * @since 0.1.0
 */
export const TurnClear = Schema.TaggedStruct("TurnClear", {})

/**
 * The type of {@link TurnClear}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type TurnClear = typeof TurnClear.Type

/**
 * Tells how much of an audio item a remote speaker has played. Between reports the speaker is assumed to play in real
 * time, and each report corrects that. One or two a second are enough, and none of them has to arrive.
 *
 * @category inputs
 * @since 0.1.0
 */
export const PlaybackReport = Schema.TaggedStruct("PlaybackReport", {
  itemId: Schema.String,
  played: BidiDuration
})

/**
 * The type of {@link PlaybackReport}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type PlaybackReport = typeof PlaybackReport.Type

/**
 * Everything that can be sent into a conversation.
 *
 * @category inputs
 * @since 0.1.0
 */
export const Input = Schema.Union([TextInput, AudioInput, ImageInput, TurnStart, TurnCommit, TurnClear, PlaybackReport])

/**
 * The type of {@link Input}.
 *
 * @category inputs
 * @since 0.1.0
 */
export type Input = typeof Input.Type

/**
 * The tags of input events.
 *
 * @category inputs
 * @since 0.1.0
 */
export type InputTag = Input["_tag"]

/**
 * The input event with the given tag.
 *
 * @category models
 * @since 0.1.0
 */
export type InputOf<Tag extends InputTag> = Extract<Input, { readonly _tag: Tag }>

// ---------------------------------------------------------------------------------------------------------------------
// outputs: the connection
// ---------------------------------------------------------------------------------------------------------------------

/**
 * When something happened: milliseconds since 1970, by the clock of the conversation. Taken where it happens, not where
 * somebody hears of it. Every output event has one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const At = Schema.Finite

const event = <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, { ...fields, at: At })

/**
 * A connection to the model is ready. `generation` numbers the connections of this conversation from 1; `expiresAt` is
 * when the provider will end it, if the provider says so.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ConnectionStart = event("ConnectionStart", {
  connectionId: Schema.String,
  model: Schema.String,
  generation: Schema.Int,
  expiresAt: Schema.optionalKey(Schema.DateTimeUtc)
})

/**
 * The type of {@link ConnectionStart}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ConnectionStart = typeof ConnectionStart.Type

/**
 * The connection will end in `timeLeft`; the conversation renews it, unless it was told not to. A `message` is there when something is wrong with
 * that: the connection has only just begun, so that it is not renewed at once.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ConnectionWarning = event("ConnectionWarning", {
  timeLeft: BidiDuration,
  message: Schema.optionalKey(Schema.String)
})

/**
 * The type of {@link ConnectionWarning}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ConnectionWarning = typeof ConnectionWarning.Type

/**
 * The connection is being replaced: before the provider's limit (`scheduled`), at the limit (`timeout`), or after a
 * failure (`lost`, `fault`, `rate_limited`). `turnInterrupted` tells whether this happens during a turn: somebody speaks or
 * is still audible, a reply is on its way, or a tool runs. `attempt` counts from 1 since a connection last worked, and the
 * attempt is made after `delay`, which may be zero.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ConnectionRestart = event("ConnectionRestart", {
  reason: Schema.Literals(["scheduled", "timeout", "lost", "fault", "rate_limited"]),
  turnInterrupted: Schema.Boolean,
  attempt: Schema.Int,
  delay: Schema.optionalKey(BidiDuration),
  cause: Schema.optionalKey(BidiError)
})

/**
 * The type of {@link ConnectionRestart}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ConnectionRestart = typeof ConnectionRestart.Type

/**
 * The provider takes less history than there is: the new connection did not receive the oldest `entries`, and received
 * only the beginning of `shortened` others. `history` itself is complete.
 *
 * @category outputs
 * @since 0.1.0
 */
export const HistoryTrimmed = event("HistoryTrimmed", {
  entries: Schema.Int,
  shortened: Schema.optionalKey(Schema.Int)
})

/**
 * The type of {@link HistoryTrimmed}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type HistoryTrimmed = typeof HistoryTrimmed.Type

/**
 * Why a conversation ended: `stop` was called, with one of these reasons; all inputs ended and the last reply was heard
 * (`complete`); a limit was reached (`timeout`); something failed (`error`); somebody else
 * opened the session (`superseded`); or the fiber that ran it was interrupted or
 * its scope closed (`interrupted`).
 *
 * @category outputs
 * @since 0.1.0
 */
export const CloseReason = Schema.Literals([
  "client_disconnect",
  "timeout",
  "error",
  "complete",
  "user_request",
  "superseded",
  "interrupted"
])

/**
 * The type of {@link CloseReason}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type CloseReason = typeof CloseReason.Type

/**
 * The conversation is over. This is always the last event, and comes exactly once. If the conversation failed, `message`
 * says why, and `error` is set where the failure is a `BidiError`. Errors of your own inputs, outputs and toolkits are
 * those of `run`.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ConnectionClose = event("ConnectionClose", {
  connectionId: Schema.String,
  reason: CloseReason,
  error: Schema.optionalKey(BidiError),
  message: Schema.optionalKey(Schema.String)
})

/**
 * The type of {@link ConnectionClose}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ConnectionClose = typeof ConnectionClose.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: talk
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The model has begun a reply.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ResponseStart = event("ResponseStart", { responseId: Schema.String })

/**
 * The type of {@link ResponseStart}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ResponseStart = typeof ResponseStart.Type

/**
 * The model has finished generating a reply, which may still be playing. `detail` is a finer reason, if the provider
 * gives one.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ResponseComplete = event("ResponseComplete", {
  responseId: Schema.String,
  stopReason: Schema.Literals(["complete", "interrupted", "tool_use", "error"]),
  detail: Schema.optionalKey(Schema.Literals(["max_tokens", "content_filter"]))
})

/**
 * The type of {@link ResponseComplete}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ResponseComplete = typeof ResponseComplete.Type

/**
 * A frame of the agent's speech, in the format of `BidiModel.output`. Models generate faster than real time, so an output
 * has to buffer frames and play them in order at their own pace.
 *
 * @category outputs
 * @since 0.1.0
 */
export const AudioStream = event("AudioStream", {
  responseId: Schema.String,
  itemId: Schema.String,
  audio: Schema.Uint8Array,
  ...Audio.AudioFormat.fields
})

/**
 * The type of {@link AudioStream}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type AudioStream = typeof AudioStream.Type

/**
 * Transcribed words of the user or the agent. `currentTranscript` is the text of the item so far. The last event of an
 * item has `isFinal`, and an empty `delta` unless its text arrived in one piece. A `preview` is what the model plans to
 * say; it may change and never enters the history. If the connection is replaced while the user's words have no final
 * event, they are discarded: the new connection hears the speech again, as another item.
 *
 * @category outputs
 * @since 0.1.0
 */
export const TranscriptStream = event("TranscriptStream", {
  role: Schema.Literals(["user", "assistant"]),
  delta: Schema.String,
  isFinal: Schema.Boolean,
  currentTranscript: Schema.String,
  responseId: Schema.optionalKey(Schema.String),
  itemId: Schema.optionalKey(Schema.String),
  preview: Schema.optionalKey(Schema.Boolean)
})

/**
 * The type of {@link TranscriptStream}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type TranscriptStream = typeof TranscriptStream.Type

/**
 * A piece of what the model thinks, or writes beside its speech. It is not spoken, is not a caption and never enters the
 * history. Providers send it where their options ask for it. Only observers that ask for it by name receive it, and
 * `call.events` once that stream runs.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Reasoning = event("Reasoning", { responseId: Schema.String, delta: Schema.String })

/**
 * The type of {@link Reasoning}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Reasoning = typeof Reasoning.Type

/**
 * The provider has detected that the user began or stopped speaking.
 *
 * @category outputs
 * @since 0.1.0
 */
export const UserSpeech = event("UserSpeech", { phase: Schema.Literals(["started", "stopped"]) })

/**
 * The type of {@link UserSpeech}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type UserSpeech = typeof UserSpeech.Type

/**
 * A piece of the user's speech as the model hears it: muted pieces are silent. Only observers that name the tag get these
 * events.
 *
 * @category outputs
 * @since 0.1.0
 */
export const UserAudio = event("UserAudio", { audio: Schema.Uint8Array, ...Audio.AudioFormat.fields })

/**
 * The type of {@link UserAudio}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type UserAudio = typeof UserAudio.Type

/**
 * The person begins or stops hearing an audio item, or its playback is paused or resumed. `played` is how much of the item
 * has been heard by then, so at the first `started` a little of it may have been: devices are asked where they are. A device
 * that runs dry in the middle of an item has `ended`, and `started` again later. Without an output that plays audio there
 * are no such events. Only observers that name the tag get them, and `call.events` once somebody takes them.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Playback = event("Playback", {
  phase: Schema.Literals(["started", "paused", "resumed", "ended"]),
  responseId: Schema.String,
  itemId: Schema.String,
  played: BidiDuration
})

/**
 * The type of {@link Playback}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Playback = typeof Playback.Type

/**
 * Something entered the history: what was typed, the words of a turn, a reply, a tool call, a note. With `isUpdate` it
 * takes the place of the entry with its id: words that came late, a reply that was cut off, the output of a call. Only
 * observers that name the tag get these events, and `call.events` once somebody takes them.
 *
 * @category outputs
 * @since 0.1.0
 */
export const MessageAdded = event("MessageAdded", { entry: Entries.Entry, isUpdate: Schema.Boolean })

/**
 * The type of {@link MessageAdded}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type MessageAdded = typeof MessageAdded.Type

/**
 * Nothing has happened for this long: nobody spoke, nothing played, no tool ran. Enabled by `limits.userIdle`.
 *
 * @category outputs
 * @since 0.1.0
 */
export const UserIdle = event("UserIdle", { idle: BidiDuration })

/**
 * The type of {@link UserIdle}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type UserIdle = typeof UserIdle.Type

/**
 * A reply was cut off while it was being generated or still audible, or while the rest of it was due on the next
 * connection. `heard` is how much of its audio was played; without a speaker, how much was generated. Each reply that is
 * cut gets its own event: if several were queued, the first tells where the voice stopped, and the others have `heard` 0.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Interruption = event("Interruption", {
  reason: Schema.Literals(["user_speech", "user_text", "manual", "error"]),
  responseId: Schema.String,
  heard: BidiDuration
})

/**
 * The type of {@link Interruption}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Interruption = typeof Interruption.Type

/**
 * Another agent has taken over the conversation.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Handoff = event("Handoff", { from: Schema.String, to: Schema.String })

/**
 * The type of {@link Handoff}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Handoff = typeof Handoff.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: tools
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The model calls a tool. `input` is what the model wrote, before validation.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ToolUse = event("ToolUse", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Json,
  responseId: Schema.String
})

/**
 * The type of {@link ToolUse}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ToolUse = typeof ToolUse.Type

/**
 * Progress of a running tool: a `preliminary` result of its handler.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ToolProgress = event("ToolProgress", {
  id: Schema.String,
  name: Schema.String,
  value: Schema.Json
})

/**
 * The type of {@link ToolProgress}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ToolProgress = typeof ToolProgress.Type

/**
 * The result of a tool call; each call has exactly one. A `late` result reached the model as context, because the
 * connection that had asked for it was gone.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ToolResult = event("ToolResult", {
  id: Schema.String,
  name: Schema.String,
  result: Schema.Json,
  isFailure: Schema.Boolean,
  late: Schema.optionalKey(Schema.Boolean)
})

/**
 * The type of {@link ToolResult}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ToolResult = typeof ToolResult.Type

/**
 * A tool call waits for approval: `approve(id)` or `reject(id, reason)` of the conversation decides about this call with
 * this `input`. The conversation goes on meanwhile.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ApprovalRequest = event("ApprovalRequest", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Json
})

/**
 * The type of {@link ApprovalRequest}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ApprovalRequest = typeof ApprovalRequest.Type

/**
 * A tool call was approved, or rejected for `reason`.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ApprovalResolved = event("ApprovalResolved", {
  id: Schema.String,
  name: Schema.String,
  approved: Schema.Boolean,
  reason: Schema.optionalKey(Schema.String)
})

/**
 * The type of {@link ApprovalResolved}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ApprovalResolved = typeof ApprovalResolved.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: numbers and errors
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Tokens used since the last `Usage` event: a delta, never a running total. `inputTokens` includes cached input.
 * `responseId` is the reply that used them; tokens used to hear the user have none.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Usage = event("Usage", {
  responseId: Schema.optionalKey(Schema.String),
  inputTokens: Schema.Int,
  outputTokens: Schema.Int,
  totalTokens: Schema.Int,
  byModality: Schema.Array(
    Schema.Struct({
      modality: Schema.Literals(["text", "audio", "image"]),
      inputTokens: Schema.Int,
      outputTokens: Schema.Int
    })
  ),
  cacheReadInputTokens: Schema.optionalKey(Schema.Int),
  cacheWriteInputTokens: Schema.optionalKey(Schema.Int)
})

/**
 * The type of {@link Usage}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Usage = typeof Usage.Type

/**
 * Something went wrong, and the conversation goes on; a fatal error fails the conversation instead. The reason
 * `Unanswered` means that a requested reply did not begin within 30 seconds of connected time and is no longer expected.
 *
 * @category outputs
 * @since 0.1.0
 */
export const ErrorEvent = event("Error", {
  error: BidiError,
  code: Schema.String,
  message: Schema.String,
  details: Schema.optionalKey(Schema.Json)
})

/**
 * The type of {@link ErrorEvent}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type ErrorEvent = typeof ErrorEvent.Type

/**
 * The provider sent an event that this version does not know. `type` is the provider's name for it, `raw` the whole event.
 * Only observers that ask for it by name receive it, and `call.events` once that stream runs.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Unknown = event("Unknown", {
  provider: Schema.String,
  type: Schema.String,
  raw: Schema.Json
})

/**
 * The type of {@link Unknown}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Unknown = typeof Unknown.Type

/**
 * Everything a conversation emits to its outputs, hooks and subscribers.
 *
 * @category outputs
 * @since 0.1.0
 */
export const Output = Schema.Union([
  ConnectionStart,
  ConnectionWarning,
  ConnectionRestart,
  HistoryTrimmed,
  ConnectionClose,
  ResponseStart,
  ResponseComplete,
  AudioStream,
  TranscriptStream,
  Reasoning,
  UserSpeech,
  UserAudio,
  Playback,
  MessageAdded,
  UserIdle,
  Interruption,
  Handoff,
  ToolUse,
  ToolProgress,
  ToolResult,
  ApprovalRequest,
  ApprovalResolved,
  Usage,
  ErrorEvent,
  Unknown
])

/**
 * The type of {@link Output}.
 *
 * @category outputs
 * @since 0.1.0
 */
export type Output = typeof Output.Type

/**
 * An output event without its time, as whoever reports it says it.
 *
 * @category models
 * @since 0.1.0
 */
export type Untimed<Event extends Output = Output> = Event extends unknown ? Omit<Event, "at"> : never

/**
 * The tags of output events.
 *
 * @category outputs
 * @since 0.1.0
 */
export type OutputTag = Output["_tag"]

/**
 * The output event with the given tag.
 *
 * @category outputs
 * @since 0.1.0
 */
export type OutputOf<Tag extends OutputTag> = Extract<Output, { readonly _tag: Tag }>

/**
 * Makes the `Error` event of an error that does not end the conversation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromError = (error: BidiError): Untimed<ErrorEvent> => ({
  _tag: "Error",
  error,
  code: error.reason.code ?? error.reason._tag,
  message: error.message
})
