/**
 * What can be set for a session of OpenAI Realtime.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { AudioFormat } from "@effect-bidi/core/Audio"
import { apiKey, HeaderText, Time, url } from "@effect-bidi/core/adapter/BidiAdapter"
import { AgentOption } from "@effect-bidi/core/adapter/BidiProxy"

const detection = {
  /** The provider starts a reply by itself when the user's turn ends. Default: true. */
  createResponse: Schema.optionalKey(Schema.Boolean),
  /** The user's speech cuts the agent off. Default: true. */
  interruptResponse: Schema.optionalKey(Schema.Boolean)
}

/**
 * Turns end with silence.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ServerVad = Schema.Struct({
  type: Schema.Literal("server_vad"),
  /** How loud speech has to be, 0 to 1. The provider's default: 0.5. */
  threshold: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** Audio before the detected start that belongs to the turn. The provider's default: 300 ms. */
  prefixPadding: Schema.optionalKey(Time),
  /** Silence that ends a turn. The provider's default: 200 ms in the sessions it was seen to create, 500 by its texts. */
  silence: Schema.optionalKey(Time),
  /** After so long without an answer of the user the agent speaks again: 5 to 30 seconds (the provider's bounds). */
  idleTimeout: Schema.optionalKey(Time),
  ...detection
})

/**
 * Turns end when what was said sounds complete.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SemanticVad = Schema.Struct({
  type: Schema.Literal("semantic_vad"),
  /** How soon to answer. The provider waits at most 8, 4 and 2 seconds for `low`, `medium` and `high`. */
  eagerness: Schema.optionalKey(Schema.Literals(["low", "medium", "high", "auto"])),
  ...detection
})

/**
 * How the user's speech becomes text. It runs beside the model: it comes late, and may disagree with what the model
 * heard.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Transcription = Schema.Struct({
  /** Default: `gpt-transcribe`. `gpt-realtime-whisper` needs `turnDetection: "manual"`. */
  model: Schema.optionalKey(Schema.NonEmptyString),
  /** ISO-639-1, e.g. `en`. */
  language: Schema.optionalKey(Schema.NonEmptyString),
  /** Languages to expect, ISO-639-1. Only `gpt-transcribe` and `gpt-live-transcribe`. */
  languages: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** Words to expect. Only `gpt-transcribe` and `gpt-live-transcribe`. */
  keywords: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** Text that guides the style. Not `gpt-realtime-whisper`. */
  prompt: Schema.optionalKey(Schema.String),
  /** How long to wait for context. Only `gpt-realtime-whisper`. */
  delay: Schema.optionalKey(Schema.Literals(["minimal", "low", "medium", "high", "xhigh"]))
})

const NoiseKind = Schema.Literals(["near_field", "far_field"])

/**
 * Which part of a conversation that no longer fits into the model is left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Truncation = Schema.Union([
  Schema.Literals(["auto", "disabled"]),
  Schema.Struct({
    /** How much of the conversation to keep when it has to be cut, 0 to 1. */
    retentionRatio: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
    /** Tokens of conversation, without instructions and tools, from which on to cut. */
    postInstructions: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  })
])

/**
 * Everything has a default; what is not here the provider does not have, or this package does not support, and is an
 * error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  /** Default: `gpt-realtime-2.1`. */
  model: Schema.optionalKey(Schema.NonEmptyString),
  /** The name of a voice, or the id of one of your own. Default: `marin`. */
  voice: Schema.optionalKey(Schema.Union([Schema.NonEmptyString, Schema.Struct({ id: Schema.NonEmptyString })])),
  /** Whether the agent answers with speech or with text. Default: `audio`. */
  modality: Schema.optionalKey(Schema.Literals(["audio", "text"])),
  /** The user's audio: PCM at 24 kHz (default), or G.711 (`pcmu`, `pcma`) at 8 kHz; mono. */
  input: Schema.optionalKey(AudioFormat),
  /** The agent's audio, as `input`. */
  output: Schema.optionalKey(AudioFormat),
  /** Who says that the user's turn is over. `"manual"`: the application, with `TurnStart` and `TurnCommit`. */
  turnDetection: Schema.optionalKey(Schema.Union([Schema.Literal("manual"), ServerVad, SemanticVad])),
  /** `false`: the user's spoken words are not known. */
  transcription: Schema.optionalKey(Schema.Union([Schema.Literal(false), Transcription])),
  /** `near_field` for headsets, `far_field` for rooms. Default: off. */
  noiseReduction: Schema.optionalKey(
    Schema.Union([
      NoiseKind,
      Schema.Struct({
        type: NoiseKind,
        /** Higher suppresses more. The provider's default: 1. */
        strength: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
      })
    ])
  ),
  /** The pace of speech, 0.25 to 1.5. Default: 1. */
  speed: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 1.5 }))),
  /** Whether tools may (`auto`), must (`required`) or must not (`none`) be called, or which one must. */
  toolChoice: Schema.optionalKey(
    Schema.Union([Schema.Literals(["auto", "none", "required"]), Schema.Struct({ tool: Schema.NonEmptyString })])
  ),
  /** Several calls in one reply. Only `gpt-realtime-2` and its successors. */
  parallelToolCalls: Schema.optionalKey(Schema.Boolean),
  /** Tokens of one reply, calls included: 1 to 4096, or `"inf"` (the provider's default). */
  maxOutputTokens: Schema.optionalKey(
    Schema.Union([Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 })), Schema.Literal("inf")])
  ),
  /** How much to think before speaking. Only `gpt-realtime-2` and its successors. */
  reasoningEffort: Schema.optionalKey(Schema.Literals(["minimal", "low", "medium", "high", "xhigh"])),
  /** What is left out when the conversation no longer fits into the model. Default: `auto`. */
  truncation: Schema.optionalKey(Truncation)
})

/**
 * What can be set for a session of OpenAI Realtime.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * What an API key looks like: whatever a header can hold.
 *
 * @internal
 */
export const KEY_PATTERN = /^[\x21-\x7e]+$/

/**
 * Options, with the key and the address they are sent to.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MakeOptions = Schema.Struct({
  ...Options.fields,
  /**
   * The key, such as `Redacted.make("sk-…")`, or an effect that is run for every connection: for keys that rotate, and for
   * client secrets (`ek_…`), which live for minutes. Where the effect fails the connection fails: with its `BidiError`, or
   * with `Auth` for any other error.
   */
  apiKey: apiKey(KEY_PATTERN),
  organization: Schema.optional(HeaderText),
  project: Schema.optional(HeaderText),
  /** Default: `https://api.openai.com/v1`. With `http` the connection is a plain one. */
  baseUrl: Schema.optional(url("http", "https", "ws", "wss")),
  /** How to get there, such as an `HttpsProxyAgent`; not for a plain connection. Default: directly. */
  agent: Schema.optional(AgentOption)
})

/**
 * Options, with the key and the address they are sent to.
 *
 * @category models
 * @since 0.1.0
 */
export type MakeOptions = typeof MakeOptions.Type
