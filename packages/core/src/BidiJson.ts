/**
 * Events as JSON, for wires to browsers and other programs.
 *
 * The shape is that of the Strands Agents SDK (`type`, snake_case, base64), so that its clients work unchanged. What it
 * has no field for is added under names of our own, which such a client ignores.
 *
 * @example
 * ```ts
 * const line = Schema.encodeSync(BidiJson.OutputFromString)(event) // {"type":"bidi_response_start","response_id":"…"}
 * const input = Schema.decodeUnknownEffect(BidiJson.InputFromString)(line)
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { BidiError } from "./BidiError.ts"
import * as Event from "./BidiEvent.ts"

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * An event whose JSON has the same fields: `_tag` becomes `type`, names become snake_case unless `names` says
 * otherwise, and `encoded` are the fields that JSON cannot hold as they are.
 */
const same = <A>(
  event: Schema.Codec<A, any> & { readonly fields: Schema.Struct.Fields & { readonly _tag: Schema.tag<string> } },
  type: string,
  encoded: Schema.Struct.Fields = {},
  names: Record<string, string> = {}
): Schema.Codec<A, any> => {
  const tag = event.fields._tag.schema
  const fields = { ...event.fields, ...encoded }
  const keys = Object.keys(fields).map((key) => [key, key === "_tag" ? "type" : (names[key] ?? snake(key))])
  const literal = Schema.Literal(type).pipe(
    Schema.decodeTo(tag, SchemaTransformation.transform({ decode: () => tag.literal, encode: () => type }))
  )
  return Schema.Struct({ ...fields, _tag: literal }).pipe(Schema.encodeKeys(Object.fromEntries(keys))) as any
}

/** An event whose JSON nests it differently. */
const nested = <A extends Event.Output, const Fields extends Schema.Struct.Fields>(
  event: Schema.Codec<A, any>,
  type: string,
  fields: Fields,
  convert: {
    readonly decode: (json: Schema.Struct<Fields>["Type"]) => NoInfer<Event.Untimed<A>>
    readonly encode: (event: A) => Schema.Struct<Fields>["Type"]
  }
): Schema.Codec<A, any> =>
  Schema.Struct({ type: Schema.Literal(type), ...fields, at: Event.At }).pipe(
    Schema.decodeTo(
      Schema.toType(event),
      SchemaTransformation.transform<A, any>({
        decode: (json) => ({ ...convert.decode(json), at: json.at }) as unknown as A,
        encode: (event) => ({ type, ...convert.encode(event), at: event.at })
      })
    )
  ) as any

// fields that are absent on one side are absent on the other
const some = <K extends string, A>(key: K, value: A | undefined): { readonly [P in K]?: A } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: A })

const optional = Schema.optionalKey
const audio = { audio: Schema.Uint8ArrayFromBase64 }
const audioNames = { encoding: "format" }
const Seconds = Schema.Finite.pipe(
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transform({ decode: (s: number) => Duration.seconds(s), encode: Duration.toSeconds })
  )
)

/**
 * Input events as JSON values.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Input: Schema.Codec<Event.Input, Schema.Json> = Schema.Union([
  same(Event.TextInput, "bidi_text_input"),
  same(Event.AudioInput, "bidi_audio_input", audio, audioNames),
  same(Event.ImageInput, "bidi_image_input", { image: Schema.Uint8ArrayFromBase64 }),
  same(Event.TurnStart, "bidi_turn_start"),
  same(Event.TurnCommit, "bidi_turn_commit"),
  same(Event.TurnClear, "bidi_turn_clear"),
  same(Event.PlaybackReport, "bidi_playback", { played: Schema.DurationFromMillis }, { played: "played_ms" })
])

const ConnectionRestart = nested(
  Event.ConnectionRestart,
  "bidi_connection_restart",
  {
    timeout_error: Schema.NullOr(Schema.String),
    reason: Event.ConnectionRestart.fields.reason,
    turn_interrupted: Schema.Boolean,
    attempt: Schema.Int,
    delay_s: optional(Seconds),
    cause: optional(BidiError)
  },
  {
    decode: ({ attempt, cause, delay_s, reason, turn_interrupted }) => ({
      _tag: "ConnectionRestart" as const,
      reason,
      turnInterrupted: turn_interrupted,
      attempt,
      ...some("delay", delay_s),
      ...some("cause", cause)
    }),
    encode: ({ attempt, cause, delay, reason, turnInterrupted }) => ({
      timeout_error: cause === undefined ? null : cause.message,
      reason,
      turn_interrupted: turnInterrupted,
      attempt,
      ...some("delay_s", delay),
      ...some("cause", cause)
    })
  }
)

// A reader of the reference's JSON takes the whole text from `text` when it is final, and the delta otherwise.
const TranscriptStream = nested(
  Event.TranscriptStream,
  "bidi_transcript_stream",
  {
    delta: Schema.Struct({ text: Schema.String }),
    text: Schema.String,
    role: Event.TranscriptStream.fields.role,
    is_final: Schema.Boolean,
    current_transcript: Schema.String,
    response_id: optional(Schema.String),
    item_id: optional(Schema.String),
    preview: optional(Schema.Boolean)
  },
  {
    decode: ({ current_transcript, delta, is_final, item_id, preview, response_id, role }) => ({
      _tag: "TranscriptStream" as const,
      role,
      delta: delta.text,
      isFinal: is_final,
      currentTranscript: current_transcript,
      ...some("responseId", response_id),
      ...some("itemId", item_id),
      ...some("preview", preview)
    }),
    encode: ({ currentTranscript, delta, isFinal, itemId, preview, responseId, role }) => ({
      delta: { text: delta },
      text: isFinal ? currentTranscript : delta,
      role,
      is_final: isFinal,
      current_transcript: currentTranscript,
      ...some("response_id", responseId),
      ...some("item_id", itemId),
      ...some("preview", preview)
    })
  }
)

const ToolUse = nested(
  Event.ToolUse,
  "tool_use_stream",
  {
    current_tool_use: Schema.Struct({ toolUseId: Schema.String, name: Schema.String, input: Schema.Json }),
    response_id: Schema.String
  },
  {
    decode: ({ current_tool_use: { input, name, toolUseId }, response_id }) => ({
      _tag: "ToolUse" as const,
      id: toolUseId,
      name,
      input,
      responseId: response_id
    }),
    encode: ({ id, input, name, responseId }) => ({
      current_tool_use: { toolUseId: id, name, input },
      response_id: responseId
    })
  }
)

const ToolProgress = nested(
  Event.ToolProgress,
  "tool_progress",
  { tool_progress: Schema.Struct({ toolUseId: Schema.String, name: Schema.String, value: Schema.Json }) },
  {
    decode: ({ tool_progress: { name, toolUseId, value } }) => ({
      _tag: "ToolProgress" as const,
      id: toolUseId,
      name,
      value
    }),
    encode: ({ id, name, value }) => ({ tool_progress: { toolUseId: id, name, value } })
  }
)

const ToolResult = nested(
  Event.ToolResult,
  "tool_result",
  {
    tool_result: Schema.Struct({
      toolUseId: Schema.String,
      status: Schema.Literals(["success", "error"]),
      content: Schema.Tuple([
        Schema.Union([Schema.Struct({ text: Schema.String }), Schema.Struct({ json: Schema.Json })])
      ]),
      name: Schema.String,
      late: optional(Schema.Boolean)
    })
  },
  {
    decode: ({ tool_result: { content, late, name, status, toolUseId } }) => ({
      _tag: "ToolResult" as const,
      id: toolUseId,
      name,
      result: "text" in content[0] ? content[0].text : content[0].json,
      isFailure: status === "error",
      ...some("late", late)
    }),
    encode: ({ id, isFailure, late, name, result }) => ({
      tool_result: {
        toolUseId: id,
        status: isFailure ? "error" : "success",
        content: [typeof result === "string" ? { text: result } : { json: result }],
        name,
        ...some("late", late)
      }
    })
  }
)

// `type` is what the event itself is called.
const Unknown = nested(
  Event.Unknown,
  "bidi_unknown",
  { provider: Schema.String, event_type: Schema.String, raw: Schema.Json },
  {
    decode: ({ event_type, provider, raw }) => ({ _tag: "Unknown" as const, provider, type: event_type, raw }),
    encode: ({ provider, raw, type }) => ({ provider, event_type: type, raw })
  }
)

// The reference mixes cases here.
const byModality = Schema.Array(
  Event.Usage.fields.byModality.value.pipe(
    Schema.encodeKeys({ inputTokens: "input_tokens", outputTokens: "output_tokens" })
  )
)
const usageNames = {
  byModality: "modality_details",
  inputTokens: "inputTokens",
  outputTokens: "outputTokens",
  totalTokens: "totalTokens",
  cacheReadInputTokens: "cacheReadInputTokens",
  cacheWriteInputTokens: "cacheWriteInputTokens"
}

/**
 * Output events as JSON values.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Output: Schema.Codec<Event.Output, Schema.Json> = Schema.Union([
  same(Event.ConnectionStart, "bidi_connection_start", { expiresAt: optional(Schema.DateTimeUtcFromString) }),
  same(Event.ConnectionWarning, "bidi_connection_warning", { timeLeft: Seconds }, { timeLeft: "time_left_s" }),
  ConnectionRestart,
  same(Event.HistoryTrimmed, "bidi_history_trimmed"),
  same(Event.ConnectionClose, "bidi_connection_close"),
  same(Event.ResponseStart, "bidi_response_start"),
  same(Event.ResponseComplete, "bidi_response_complete"),
  same(Event.AudioStream, "bidi_audio_stream", audio, audioNames),
  TranscriptStream,
  same(Event.Reasoning, "bidi_reasoning"),
  same(Event.UserSpeech, "bidi_user_speech"),
  same(Event.UserAudio, "bidi_user_audio", audio, audioNames),
  same(Event.Playback, "bidi_playback", { played: Schema.DurationFromMillis }, { played: "played_ms" }),
  same(Event.MessageAdded, "bidi_message_added", { entry: Schema.toCodecJson(Event.MessageAdded.fields.entry) }),
  same(Event.Handoff, "bidi_handoff"),
  same(Event.UserIdle, "bidi_user_idle", { idle: Schema.DurationFromMillis }, { idle: "idle_ms" }),
  same(Event.Interruption, "bidi_interruption", { heard: Schema.DurationFromMillis }, { heard: "heard_ms" }),
  ToolUse,
  ToolProgress,
  ToolResult,
  same(Event.ApprovalRequest, "tool_approval_request", {}, { id: "toolUseId" }),
  same(Event.ApprovalResolved, "tool_approval_resolved", {}, { id: "toolUseId" }),
  same(Event.Usage, "bidi_usage", { byModality }, usageNames),
  same(Event.ErrorEvent, "bidi_error"),
  Unknown
])

/**
 * Input events as lines of JSON text.
 *
 * @category codecs
 * @since 0.1.0
 */
export const InputFromString: Schema.Codec<Event.Input, string> = Schema.fromJsonString(Input)

/**
 * Output events as lines of JSON text.
 *
 * @category codecs
 * @since 0.1.0
 */
export const OutputFromString: Schema.Codec<Event.Output, string> = Schema.fromJsonString(Output)
