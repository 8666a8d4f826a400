/**
 * What can be set for a session of Amazon Nova Sonic, and for the connection to it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { AudioFormat } from "@effect-bidi/core/Audio"
import { redactedKey, url } from "@effect-bidi/core/adapter/BidiAdapter"
import { AgentOption } from "@effect-bidi/core/adapter/BidiProxy"

/**
 * The voices of Nova 2 Sonic. `tiffany` and `matthew` speak every language, the others one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Voice = Schema.Literals([
  "ambre",
  "amy",
  "arjun",
  "beatrice",
  "carlos",
  "carolina",
  "florian",
  "kiara",
  "lennart",
  "leo",
  "lorenzo",
  "lupe",
  "matthew",
  "olivia",
  "tiffany",
  "tina"
])

/**
 * Keys to sign with. Those without `expiration` are taken to be valid for ever.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Keys = Schema.Struct({
  accessKeyId: Schema.Redacted(Schema.NonEmptyString),
  secretAccessKey: Schema.Redacted(Schema.NonEmptyString),
  sessionToken: Schema.optionalKey(Schema.Redacted(Schema.NonEmptyString)),
  expiration: Schema.optionalKey(Schema.Date)
})

/**
 * Keys to sign with.
 *
 * @category models
 * @since 0.1.0
 */
export type Keys = typeof Keys.Type

/**
 * A credential provider of the AWS SDK, e.g. `fromTemporaryCredentials({ … })`. What it gives is remembered; it is asked
 * again, with `forceRefresh`, for the connection after its keys came within five minutes of their end or were refused.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyProvider = (options?: { readonly forceRefresh?: boolean }) => Promise<{
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}>

/**
 * A {@link KeyProvider}, of which only that it is a function can be checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export const KeyProvider = Schema.declare((value): value is KeyProvider => Predicate.isFunction(value), {
  expected: "a credential provider"
})

/**
 * An Effect that gives the keys. It runs for every connection, and once more when the provider refuses its keys as expired;
 * nothing is remembered. Where it fails the connection fails: with its `BidiError`, or with `ConnectionLost` for any other
 * error.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyEffect = Effect.Effect<Keys, unknown>

/**
 * A {@link KeyEffect}. The keys that it gives are checked for every connection.
 *
 * @category schemas
 * @since 0.1.0
 */
export const KeyEffect = Schema.declare((value): value is KeyEffect => Effect.isEffect(value), {
  expected: "an Effect"
})

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/**
 * How replies are generated.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Inference = Schema.Struct({
  /** Tokens of one reply. Default: 1024. */
  maxTokens: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** 0 to 1. Default: 0.9. */
  topP: Schema.optionalKey(Share),
  /** 0 to 1. Default: 0.7. */
  temperature: Schema.optionalKey(Share)
})

/**
 * Everything has a default; what is not here the provider does not have, or this package does not support, and is an
 * error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  /** Default: `amazon.nova-2-sonic-v1:0`. */
  model: Schema.optionalKey(Schema.NonEmptyString),
  /** The name of a voice, or of one that is not in the list. Default: `matthew`. */
  voice: Schema.optionalKey(Schema.Union([Voice, Schema.Struct({ id: Schema.NonEmptyString })])),
  /** The user's audio: PCM, mono, at 8, 16 (default) or 24 kHz. */
  input: Schema.optionalKey(AudioFormat),
  /** The agent's audio: PCM, mono, at 8, 16 or 24 (default) kHz. */
  output: Schema.optionalKey(AudioFormat),
  inference: Schema.optionalKey(Inference),
  /** How soon a pause ends the user's turn, `HIGH` soonest (about 1.5 s). Default: the provider's. */
  endpointing: Schema.optionalKey(Schema.Literals(["HIGH", "MEDIUM", "LOW"])),
  /** Whether tools may (`auto`, default) or must (`any`) be called in a reply, or which one must. */
  toolChoice: Schema.optionalKey(
    Schema.Union([Schema.Literals(["auto", "any"]), Schema.Struct({ tool: Schema.NonEmptyString })])
  ),
  /** The region of AWS, e.g. `us-east-1`. Default: what the AWS SDK finds in the environment and in its profile. */
  region: Schema.optional(
    Schema.String.check(Schema.isPattern(/^[a-z0-9]+(-[a-z0-9]+)+$/, { expected: "a region of AWS, e.g. us-east-1" }))
  ),
  /** A profile of the shared configuration files of AWS. */
  profile: Schema.optional(Schema.NonEmptyString),
  /** Where to connect to instead of the region's own address. With `http` the connection is a plain one. */
  endpoint: Schema.optional(url("http", "https")),
  /** How to get there, such as an `HttpsProxyAgent`. Default: directly. */
  agent: Schema.optional(AgentOption),
  /**
   * Keys, a credential provider of the AWS SDK, or an Effect that gives the keys for each connection. Default: the AWS
   * SDK's own chain of environment, profile, container and instance.
   */
  credentials: Schema.optional(Schema.Union([Keys, KeyProvider, KeyEffect])),
  /**
   * An API key of Amazon Bedrock, instead of credentials. AWS itself does not take API keys for bidirectional streams (as
   * of November 2026); what stands between may.
   */
  bearerToken: Schema.optional(redactedKey(/^[\x21-\x7e]+$/))
})

/**
 * What can be set for a session of Amazon Nova Sonic, and for the connection to it.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = typeof Options.Type
