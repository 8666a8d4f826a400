/**
 * What flows: input events towards the model, output events from the conversation.
 *
 * Events are plain objects with a `_tag`; every one has a schema of the same name. Times are `Duration`, bytes are
 * `Uint8Array`. `BidiJson` holds their JSON.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Audio from "./Audio.ts"
import { BidiError } from "./BidiError.ts"

/** A length of time within a conversation: from zero to a year, which a wire of decimal numbers can carry. */
const BidiDuration = Schema.Duration.check(
  Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.days(366) }), {
    expected: "a duration between zero and a year"
  })
)

// ---------------------------------------------------------------------------------------------------------------------
// inputs
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Text from the user. Sent while the agent speaks, it interrupts it.
 *
 * @category inputs
 */
export const TextInput = Schema.TaggedStruct("TextInput", {
  text: Schema.String,
  role: Schema.optionalKey(Schema.Literal("user").pipe(Schema.withConstructorDefault(Effect.succeed("user" as const))))
})

/**
 * @category inputs
 */
export type TextInput = typeof TextInput.Type

/**
 * A piece of the user's speech. It must have the format the model takes (`BidiModel.input`), and may have any length,
 * 20 to 100 ms is usual; half a sample at its end waits for the next piece of the same input.
 *
 * @category inputs
 */
export const AudioInput = Schema.TaggedStruct("AudioInput", {
  audio: Schema.Uint8Array,
  ...Audio.AudioFormat.fields
})

/**
 * @category inputs
 */
export type AudioInput = typeof AudioInput.Type

/**
 * A picture from the user: the bytes of a file, with its type (`image/png`, `image/jpeg`).
 *
 * @category inputs
 */
export const ImageInput = Schema.TaggedStruct("ImageInput", {
  image: Schema.Uint8Array,
  mimeType: Schema.String
})

/**
 * @category inputs
 */
export type ImageInput = typeof ImageInput.Type

/**
 * Manual turns: the user begins to speak. Needs a model that leaves turns to us (`capabilities.manualTurns`).
 *
 * @category inputs
 */
export const TurnStart = Schema.TaggedStruct("TurnStart", {})

/**
 * @category inputs
 */
export type TurnStart = typeof TurnStart.Type

/**
 * Manual turns: the user has finished; all audio sent before it belongs to the turn, and a reply is asked for.
 *
 * @category inputs
 */
export const TurnCommit = Schema.TaggedStruct("TurnCommit", {})

/**
 * @category inputs
 */
export type TurnCommit = typeof TurnCommit.Type

/**
 * Manual turns: forget the speech since `TurnStart`.
 *
 * @category inputs
 */
export const TurnClear = Schema.TaggedStruct("TurnClear", {})

/**
 * @category inputs
 */
export type TurnClear = typeof TurnClear.Type

/**
 * A remote speaker reports how much of an audio item it has played. A report corrects where it is thought to be; between
 * two of them it is thought to play in real time. One or two a second are enough, and none of them has to arrive.
 *
 * @category inputs
 */
export const PlaybackReport = Schema.TaggedStruct("PlaybackReport", {
  itemId: Schema.String,
  played: BidiDuration
})

/**
 * @category inputs
 */
export type PlaybackReport = typeof PlaybackReport.Type

/**
 * Everything that can be sent into a conversation.
 *
 * @category inputs
 */
export const Input = Schema.Union([TextInput, AudioInput, ImageInput, TurnStart, TurnCommit, TurnClear, PlaybackReport])

/**
 * @category inputs
 */
export type Input = typeof Input.Type

/**
 * @category models
 */
export type InputTag = Input["_tag"]

/**
 * The input event with a tag.
 *
 * @category models
 */
export type InputOf<Tag extends InputTag> = Extract<Input, { readonly _tag: Tag }>

// ---------------------------------------------------------------------------------------------------------------------
// outputs: the connection
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A connection to the model is ready. `generation` counts the connections of this conversation from 1; `expiresAt` is
 * the provider's own end of it, where it names one.
 *
 * @category outputs
 */
export const ConnectionStart = Schema.TaggedStruct("ConnectionStart", {
  connectionId: Schema.String,
  model: Schema.String,
  generation: Schema.Int,
  expiresAt: Schema.optionalKey(Schema.DateTimeUtc)
})

/**
 * @category outputs
 */
export type ConnectionStart = typeof ConnectionStart.Type

/**
 * The connection will end in `timeLeft`. The conversation renews it by itself. A `message` says that something about this
 * is wrong: that the connection has only begun, and is not renewed at once.
 *
 * @category outputs
 */
export const ConnectionWarning = Schema.TaggedStruct("ConnectionWarning", {
  timeLeft: BidiDuration,
  message: Schema.optionalKey(Schema.String)
})

/**
 * @category outputs
 */
export type ConnectionWarning = typeof ConnectionWarning.Type

/**
 * The connection is being replaced. `scheduled` came before the provider's limit, `timeout` at it; `lost`, `fault` and
 * `rate_limited` are failures. `turnInterrupted` says that it happens in the middle of a turn: somebody speaks or is
 * still audible, a reply is on its way, or a tool runs. `attempt` counts the tries since a connection last worked, from 1;
 * it is made after `delay`, which is zero when it is made at once.
 *
 * @category outputs
 */
export const ConnectionRestart = Schema.TaggedStruct("ConnectionRestart", {
  reason: Schema.Literals(["scheduled", "timeout", "lost", "fault", "rate_limited"]),
  turnInterrupted: Schema.Boolean,
  attempt: Schema.Int,
  delay: Schema.optionalKey(BidiDuration),
  cause: Schema.optionalKey(BidiError)
})

/**
 * @category outputs
 */
export type ConnectionRestart = typeof ConnectionRestart.Type

/**
 * The provider takes less history than there is: the oldest `entries` were not told to the new connection, and of
 * `shortened` others only the beginning was. Nothing is lost of `history` itself.
 *
 * @category outputs
 */
export const HistoryTrimmed = Schema.TaggedStruct("HistoryTrimmed", {
  entries: Schema.Int,
  shortened: Schema.optionalKey(Schema.Int)
})

/**
 * @category outputs
 */
export type HistoryTrimmed = typeof HistoryTrimmed.Type

/**
 * Why a conversation ended: somebody said so by `stop`, with a reason of these; all inputs have ended and everything was
 * said (`complete`); a limit was reached (`timeout`); something failed (`error`); or whoever ran it was interrupted, or
 * closed its scope (`interrupted`).
 *
 * @category outputs
 */
export const CloseReason = Schema.Literals([
  "client_disconnect",
  "timeout",
  "error",
  "complete",
  "user_request",
  "interrupted"
])

/**
 * @category outputs
 */
export type CloseReason = typeof CloseReason.Type

/**
 * The conversation is over. Comes exactly once, and last. What it failed with, if it did, is in `message`, and in `error`
 * where it is an error of ours: the error of an input, an output or a tool kit of yours is for whoever ran the conversation.
 *
 * @category outputs
 */
export const ConnectionClose = Schema.TaggedStruct("ConnectionClose", {
  connectionId: Schema.String,
  reason: CloseReason,
  error: Schema.optionalKey(BidiError),
  message: Schema.optionalKey(Schema.String)
})

/**
 * @category outputs
 */
export type ConnectionClose = typeof ConnectionClose.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: talk
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The model begins a reply.
 *
 * @category outputs
 */
export const ResponseStart = Schema.TaggedStruct("ResponseStart", { responseId: Schema.String })

/**
 * @category outputs
 */
export type ResponseStart = typeof ResponseStart.Type

/**
 * The model has finished generating a reply; it may still be playing. `detail` is a finer reason where the provider
 * has one.
 *
 * @category outputs
 */
export const ResponseComplete = Schema.TaggedStruct("ResponseComplete", {
  responseId: Schema.String,
  stopReason: Schema.Literals(["complete", "interrupted", "tool_use", "error"]),
  detail: Schema.optionalKey(Schema.Literals(["max_tokens", "content_filter"]))
})

/**
 * @category outputs
 */
export type ResponseComplete = typeof ResponseComplete.Type

/**
 * A piece of the agent's speech, in the format of `BidiModel.output`. Models produce faster than real time: play it in
 * order, at its own pace.
 *
 * @category outputs
 */
export const AudioStream = Schema.TaggedStruct("AudioStream", {
  responseId: Schema.String,
  itemId: Schema.String,
  audio: Schema.Uint8Array,
  ...Audio.AudioFormat.fields
})

/**
 * @category outputs
 */
export type AudioStream = typeof AudioStream.Type

/**
 * Words, as they come. `currentTranscript` is all of the item so far; the final event of an item has `isFinal` and an
 * empty `delta` unless its text arrived in one piece. A `preview` is what the model plans to say: it may still change
 * and never enters history. Words of the user that have no end when the connection is replaced are taken back: the speech
 * is heard again, as another item.
 *
 * @category outputs
 */
export const TranscriptStream = Schema.TaggedStruct("TranscriptStream", {
  role: Schema.Literals(["user", "assistant"]),
  delta: Schema.String,
  isFinal: Schema.Boolean,
  currentTranscript: Schema.String,
  responseId: Schema.optionalKey(Schema.String),
  itemId: Schema.optionalKey(Schema.String),
  preview: Schema.optionalKey(Schema.Boolean)
})

/**
 * @category outputs
 */
export type TranscriptStream = typeof TranscriptStream.Type

/**
 * A piece of what the model thinks, or writes beside its speech: nobody hears it, it is no caption and never enters
 * history. Providers send it only where their options ask for it, or by mistake. Told only to those who ask for it by
 * name, and to `call.events` once they are taken.
 *
 * @category outputs
 */
export const Reasoning = Schema.TaggedStruct("Reasoning", { responseId: Schema.String, delta: Schema.String })

/**
 * @category outputs
 */
export type Reasoning = typeof Reasoning.Type

/**
 * The provider hears the user begin or stop speaking.
 *
 * @category outputs
 */
export const UserSpeech = Schema.TaggedStruct("UserSpeech", { phase: Schema.Literals(["started", "stopped"]) })

/**
 * @category outputs
 */
export type UserSpeech = typeof UserSpeech.Type

/**
 * Nothing has happened for so long: nobody spoke, nothing played, no tool ran. Asked for with `limits.userIdle`.
 *
 * @category outputs
 */
export const UserIdle = Schema.TaggedStruct("UserIdle", { idle: BidiDuration })

/**
 * @category outputs
 */
export type UserIdle = typeof UserIdle.Type

/**
 * The agent was cut off while a reply was being generated or still audible, or was to be gone on with on the next
 * connection. `heard` is how much of the reply's audio
 * reached the person; without a speaker, how much of it was produced. There is one for each reply that was cut: where
 * several were waiting to be heard, the first tells where the voice stopped, and those behind it were heard for 0.
 *
 * @category outputs
 */
export const Interruption = Schema.TaggedStruct("Interruption", {
  reason: Schema.Literals(["user_speech", "user_text", "manual", "error"]),
  responseId: Schema.String,
  heard: BidiDuration
})

/**
 * @category outputs
 */
export type Interruption = typeof Interruption.Type

/**
 * Another agent has taken over the conversation.
 *
 * @category outputs
 */
export const Handoff = Schema.TaggedStruct("Handoff", { from: Schema.String, to: Schema.String })

/**
 * @category outputs
 */
export type Handoff = typeof Handoff.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: tools
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The model calls a tool. `input` are the arguments as the model wrote them, before validation.
 *
 * @category outputs
 */
export const ToolUse = Schema.TaggedStruct("ToolUse", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Json,
  responseId: Schema.String
})

/**
 * @category outputs
 */
export type ToolUse = typeof ToolUse.Type

/**
 * A tool that is still running tells how far it is (`preliminary` results of its handler).
 *
 * @category outputs
 */
export const ToolProgress = Schema.TaggedStruct("ToolProgress", {
  id: Schema.String,
  name: Schema.String,
  value: Schema.Json
})

/**
 * @category outputs
 */
export type ToolProgress = typeof ToolProgress.Type

/**
 * The one output of a tool call. `late` results reached the model as context, because the connection that asked for
 * them was gone.
 *
 * @category outputs
 */
export const ToolResult = Schema.TaggedStruct("ToolResult", {
  id: Schema.String,
  name: Schema.String,
  result: Schema.Json,
  isFailure: Schema.Boolean,
  late: Schema.optionalKey(Schema.Boolean)
})

/**
 * @category outputs
 */
export type ToolResult = typeof ToolResult.Type

/**
 * A tool call waits for consent: `approve(id)` or `reject(id, reason)` of the conversation decide about this call, with
 * this `input`. The conversation goes on meanwhile.
 *
 * @category outputs
 */
export const ApprovalRequest = Schema.TaggedStruct("ApprovalRequest", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Json
})

/**
 * @category outputs
 */
export type ApprovalRequest = typeof ApprovalRequest.Type

/**
 * What was decided about a call; `reason` says why it was rejected.
 *
 * @category outputs
 */
export const ApprovalResolved = Schema.TaggedStruct("ApprovalResolved", {
  id: Schema.String,
  name: Schema.String,
  approved: Schema.Boolean,
  reason: Schema.optionalKey(Schema.String)
})

/**
 * @category outputs
 */
export type ApprovalResolved = typeof ApprovalResolved.Type

// ---------------------------------------------------------------------------------------------------------------------
// outputs: numbers and errors
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Tokens used since the last `Usage` event: a delta, never a running total. Cached input is part of `inputTokens`.
 *
 * @category outputs
 */
export const Usage = Schema.TaggedStruct("Usage", {
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
 * @category outputs
 */
export type Usage = typeof Usage.Type

/**
 * Something went wrong and the conversation goes on. Fatal errors fail the conversation instead. `Unanswered` tells of a
 * reply that has not begun within 30 seconds of having been asked for, not counting those without a connection: nobody
 * waits for it any more.
 *
 * @category outputs
 */
export const ErrorEvent = Schema.TaggedStruct("Error", {
  error: BidiError,
  code: Schema.String,
  message: Schema.String,
  details: Schema.optionalKey(Schema.Json)
})

/**
 * @category outputs
 */
export type ErrorEvent = typeof ErrorEvent.Type

/**
 * The provider said something that this version does not know. `type` is its name for it, `raw` all of it. Told only to
 * those who ask for it by name, and to `call.events` once they are taken.
 *
 * @category outputs
 */
export const Unknown = Schema.TaggedStruct("Unknown", {
  provider: Schema.String,
  type: Schema.String,
  raw: Schema.Json
})

/**
 * @category outputs
 */
export type Unknown = typeof Unknown.Type

/**
 * Everything a conversation tells its outputs, hooks and subscribers.
 *
 * @category outputs
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
 * @category outputs
 */
export type Output = typeof Output.Type

/**
 * The names of output events.
 *
 * @category outputs
 */
export type OutputTag = Output["_tag"]

/**
 * The output event with a name.
 *
 * @category outputs
 */
export type OutputOf<Tag extends OutputTag> = Extract<Output, { readonly _tag: Tag }>

/**
 * An `Error` event for an error that does not end the conversation.
 *
 * @category constructors
 */
export const fromError = (error: BidiError): ErrorEvent => ({
  _tag: "Error",
  error,
  code: error.reason.code ?? error.reason._tag,
  message: error.message
})
