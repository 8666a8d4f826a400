/**
 * What can be set for a session of Gemini Live.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { AudioFormat } from "@effect-bidi/core/Audio"
import { apiKey, Time, url } from "@effect-bidi/core/adapter/BidiAdapter"
import { AgentOption } from "@effect-bidi/core/adapter/BidiProxy"

/**
 * The voices that every model has.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Voice = Schema.Literals([
  "Achernar",
  "Achird",
  "Algenib",
  "Algieba",
  "Alnilam",
  "Aoede",
  "Autonoe",
  "Callirrhoe",
  "Charon",
  "Despina",
  "Enceladus",
  "Erinome",
  "Fenrir",
  "Gacrux",
  "Iapetus",
  "Kore",
  "Laomedeia",
  "Leda",
  "Orus",
  "Puck",
  "Pulcherrima",
  "Rasalgethi",
  "Sadachbia",
  "Sadaltager",
  "Schedar",
  "Sulafat",
  "Umbriel",
  "Vindemiatrix",
  "Zephyr",
  "Zubenelgenubi"
])

const Sensitivity = Schema.Literals(["low", "high"])

/**
 * The provider hears where the user's turns begin and end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TurnDetection = Schema.Struct({
  /** How readily sound is taken for the beginning of speech. The provider's default: `high`. */
  startSensitivity: Schema.optionalKey(Sensitivity),
  /** How readily a pause is taken for the end of speech. The provider's default: `high`. */
  endSensitivity: Schema.optionalKey(Sensitivity),
  /** Speech that has to be heard before a turn begins. */
  prefixPadding: Schema.optionalKey(Time),
  /** Silence that ends a turn. */
  silence: Schema.optionalKey(Time),
  /** The user's speech cuts the agent off. Default: true. */
  interruptResponse: Schema.optionalKey(Schema.Boolean)
})

/**
 * How the user's speech becomes text. Words to expect and languages: only `gemini-3.8-live`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Transcription = Schema.Struct({
  /** Languages to expect, BCP-47, e.g. `en-US`. Without: any. */
  languages: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** Words and names to expect. */
  vocabulary: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})

/**
 * How much to think before speaking: a `level` for the models of generation 3, a `budget` for those of 2.5; and whether
 * to tell of it. `gemini-3.8-live` decides by itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Thinking = Schema.Struct({
  level: Schema.optionalKey(Schema.Literals(["minimal", "low", "medium", "high"])),
  /** Tokens; 0 is not at all, -1 leaves it to the model. */
  budget: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(-1))),
  /** What it thinks is told, as `Reasoning` events. Default: false. */
  thoughts: Schema.optionalKey(Schema.Boolean)
})

/**
 * The model may stay silent when it was not meant. Only models of generation 2.5; `gemini-3.8-live` always does.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Proactivity = Schema.Struct({
  /** It may leave speech unanswered. */
  audio: Schema.Boolean,
  /** It may speak about what it sees, unasked. Needs `audio`. */
  video: Schema.optionalKey(Schema.Boolean)
})

const Tokens = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * When a session no longer fits into the model, its oldest part is left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Compression = Schema.Struct({
  /** Tokens of context from which on to cut. The provider's default: 80% of what the model holds. */
  triggerTokens: Schema.optionalKey(Tokens),
  /** Tokens of context to keep. The provider's default: half of `triggerTokens`. */
  targetTokens: Schema.optionalKey(Tokens)
})

/**
 * How the model waits for its tools.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Functions = Schema.Struct({
  /**
   * `non_blocking`: the talk goes on while a tool works. `blocking`: the model is silent until it has the result.
   * Default: `non_blocking` for `gemini-3.8-live`, `blocking` for older models.
   */
  behavior: Schema.optionalKey(Schema.Literals(["blocking", "non_blocking"])),
  /** What a `non_blocking` result does to a reply that is being spoken: wait for its end (default), or cut it off. */
  scheduling: Schema.optionalKey(Schema.Literals(["when_idle", "interrupt"]))
})

/**
 * Speech that the model has heard, and says nothing to. Models of generation 3 do that now and then, and stay silent
 * until they are spoken to again.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Unanswered = Schema.Struct({
  /** How long after the user's last words to tell of it, as an `Error` (`unanswered_speech`). Default: 10 s. */
  after: Schema.optionalKey(Time),
  /** The model is then asked once for an answer. Default: false. */
  nudge: Schema.optionalKey(Schema.Boolean)
})

/**
 * Everything has a default; what is not here the provider does not have, or this package does not support, and is an
 * error. So is what the chosen model does not have.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  /** Default: `gemini-3.8-live`. */
  model: Schema.optionalKey(Schema.NonEmptyString),
  /** The name of a voice, or `{ id }` of one that is not in the list. Default: the model's own. */
  voice: Schema.optionalKey(Schema.Union([Voice, Schema.Struct({ id: Schema.NonEmptyString })])),
  /** The language of the agent, BCP-47, e.g. `de-DE`. Default: the user's. Not for models of generation 2.5. */
  language: Schema.optionalKey(Schema.NonEmptyString),
  /** The user's audio: PCM, mono, at any rate from 8 to 48 kHz. Default: 16 kHz, which the model hears. */
  input: Schema.optionalKey(AudioFormat),
  /** Who says that the user's turn is over. `"manual"`: the application, with `TurnStart` and `TurnCommit`. */
  turnDetection: Schema.optionalKey(Schema.Union([Schema.Literal("manual"), TurnDetection])),
  /** What belongs to the user's turn. `activity_and_video` is the default of generation 3, `activity` that of 2.5. */
  turnCoverage: Schema.optionalKey(Schema.Literals(["activity", "all", "activity_and_video"])),
  /** `false`: the words of one side, or of both, are not known. Default: both are. */
  transcription: Schema.optionalKey(
    Schema.Union([
      Schema.Literal(false),
      Schema.Struct({
        input: Schema.optionalKey(Schema.Union([Schema.Boolean, Transcription])),
        output: Schema.optionalKey(Schema.Boolean)
      })
    ])
  ),
  /** How much to think before speaking. */
  thinking: Schema.optionalKey(Thinking),
  /** Whether the model may stay silent. Only models of generation 2.5. */
  proactivity: Schema.optionalKey(Proactivity),
  /** The agent hears moods and answers to them. Only models of generation 2.5. */
  affectiveDialog: Schema.optionalKey(Schema.Boolean),
  temperature: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 }))),
  topP: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  topK: Schema.optionalKey(Tokens),
  /** Tokens of one reply. */
  maxOutputTokens: Schema.optionalKey(Tokens),
  /** How closely pictures are looked at. */
  mediaResolution: Schema.optionalKey(Schema.Literals(["low", "medium", "high"])),
  /** `false`: the session ends when the model is full, after about 15 minutes of speech. Default: on. */
  compression: Schema.optionalKey(Schema.Union([Schema.Literal(false), Compression])),
  /** How the model waits for its tools. */
  functions: Schema.optionalKey(Functions),
  /** What happens when the model does not answer what it has heard. */
  unanswered: Schema.optionalKey(Unanswered)
})

/**
 * What can be set for a session of Gemini Live.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * What an API key looks like: it becomes a part of the URL as it is.
 *
 * @internal
 */
export const KEY_PATTERN = /^[\w.~/-]+$/

/**
 * Options, with the key and the address they are sent to.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MakeOptions = Schema.Struct({
  ...Options.fields,
  /**
   * The key, such as `Redacted.make("AIza…")`, or an effect that is run for every connection: for keys that rotate, and for
   * ephemeral tokens (`auth_tokens/…`). Where the effect fails the connection fails: with its `BidiError`, or with `Auth`
   * for any other error.
   */
  apiKey: apiKey(KEY_PATTERN),
  /** Default: `https://generativelanguage.googleapis.com`. With `http` the connection is a plain one. */
  baseUrl: Schema.optional(url("http", "https", "ws", "wss")),
  /** How to get there, such as an `HttpsProxyAgent`. Default: directly. */
  agent: Schema.optional(AgentOption)
})

/**
 * Options, with the key and the address they are sent to.
 *
 * @category models
 * @since 0.1.0
 */
export type MakeOptions = typeof MakeOptions.Type
