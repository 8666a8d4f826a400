/**
 * Who connects, and to which region: what all connections of a model share.
 */
import { BedrockRuntimeClient, type BedrockRuntimeClientConfig } from "@aws-sdk/client-bedrock-runtime"
import { checked as check } from "@effect-bidi/core/adapter/BidiAdapter"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { AgentOption } from "@effect-bidi/core/adapter/BidiProxy"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type KeyProvider, Keys } from "../Options.ts"
import type { Errors } from "./errors.ts"
import type { Settings } from "./settings.ts"

/** Keys as the SDK knows them, as far as this package looks at them. */
export interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export interface Account {
  /** Of every client, except for how it connects. */
  readonly config: BedrockRuntimeClientConfig
  /** The keys that are good for a connection from `now` on (milliseconds of the epoch). */
  readonly identity: (now: number) => Effect.Effect<Identity, BidiError>
  /** Newer keys, if there are any. */
  readonly renewed: (old: Identity) => Effect.Effect<Identity | undefined, BidiError>
  /** The keys were refused: the next connection asks for newer ones. */
  readonly expired: () => void
  /** How to connect to an address, unless directly. */
  readonly agent: AgentOption | undefined
  /** What an error about credentials should also say. */
  readonly hint: string | undefined
}

/** Keys that are good for less are not used again: the next connection asks for newer ones. */
const MIN_KEY_LIFETIME_MILLIS = Duration.toMillis("5 minutes")

/**
 * The credentials of the SDK for one connection. It asks a provider again, up to five times a connection, while its keys are
 * about to expire; these never do, and it has no use for others: the frames of a stream are signed with those it began with.
 */
export const signingWith = (keys: Identity): (() => Promise<Identity>) => {
  const { expiration: _expires, ...lasting } = keys
  const signing = Promise.resolve(lasting)
  return () => signing
}

/** Says nothing: the SDK warns on the console about every failure of a stream otherwise. */
export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

const API_KEY_HINT =
  "AWS does not take API keys for bidirectional streams; pass credentials, or unset AWS_BEARER_TOKEN_BEDROCK"

// Frames are signed even where an API key proves who calls.
const UNUSED_KEYS = { accessKeyId: "none", secretAccessKey: "none" }

/** `secrets` gets all that must not be told. */
export const open = Effect.fnUntraced(function* (
  settings: Settings,
  secrets: Set<string>,
  errors: Errors
): Effect.fn.Return<Account, BidiError> {
  const { bearerToken, profile } = settings
  const shared = {
    logger: silentLogger,
    maxAttempts: 1,
    ...(profile === undefined ? {} : { profile }),
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint.href })
  } satisfies BedrockRuntimeClientConfig
  const region = settings.region ?? (yield* regionOf(shared, errors))
  if (bearerToken !== undefined) secrets.add(Redacted.value(bearerToken))
  const config = {
    ...shared,
    region,
    // an API key that happens to be in the environment counts only where it was asked for
    authSchemePreference: [bearerToken === undefined ? "sigv4" : "httpBearerAuth"],
    ...(bearerToken === undefined ? {} : { token: { token: Redacted.value(bearerToken) } })
  } satisfies BedrockRuntimeClientConfig
  const given = bearerToken === undefined ? settings.credentials : undefined
  const provide =
    bearerToken !== undefined
      ? () => Effect.succeed<Identity>(UNUSED_KEYS)
      : Effect.isEffect(given)
        ? () => Effect.flatMap(Effect.mapError(given, errors.noKeys), (keys) => checked(keys, errors))
        : providedBySdk(config, given, errors)

  const ask = (forceRefresh: boolean): Effect.Effect<Identity, BidiError> =>
    Effect.tap(provide(forceRefresh), (keys) =>
      Effect.sync(() => {
        if (!isAskedAnew) last = keys
        stale = false
        if (bearerToken !== undefined) return
        const { accessKeyId, secretAccessKey, sessionToken = "" } = keys
        for (const secret of [accessKeyId, secretAccessKey, sessionToken]) secrets.add(secret)
      })
    )

  const isAskedAnew = Effect.isEffect(given)
  let last: Identity | undefined
  let stale = false
  return {
    config,
    identity: Effect.fnUntraced(function* (now) {
      if (last === undefined) {
        const keys = yield* ask(stale)
        // whoever gave these does not know yet that they have run out
        return isAskedAnew || lifeOf(keys) > now ? keys : yield* ask(true)
      }
      const before = last
      const left = stale ? 0 : lifeOf(before) - now
      if (left >= MIN_KEY_LIFETIME_MILLIS) return before
      return yield* left > 0 ? Effect.catch(ask(true), () => Effect.succeed(before)) : ask(true)
    }),
    renewed: (old) =>
      Effect.map(ask(true), (identity) =>
        identity.accessKeyId === old.accessKeyId && identity.sessionToken === old.sessionToken ? undefined : identity
      ),
    expired: () => {
      stale = true
    },
    agent: settings.agent,
    hint: bearerToken === undefined ? undefined : API_KEY_HINT
  }
})

/** What is asked of the SDK: keys that were given, a provider, or its own chain. */
const providedBySdk = (
  config: BedrockRuntimeClientConfig,
  given: Keys | KeyProvider | undefined,
  errors: Errors
): ((forceRefresh: boolean) => Effect.Effect<Identity, BidiError>) => {
  const credentials =
    given === undefined
      ? undefined
      : typeof given === "function"
        ? // or the SDK would ask twice for what is about to expire
          Object.assign((options?: Parameters<KeyProvider>[0]) => given(options), { memoized: true })
        : plain(given)
  const provider = new BedrockRuntimeClient({ ...config, ...(credentials === undefined ? {} : { credentials }) }).config
    .credentials
  return (forceRefresh) => Effect.tryPromise({ try: () => provider({ forceRefresh }), catch: errors.noKeys })
}

/** When keys run out, in milliseconds of the epoch. */
export const lifeOf = ({ expiration }: Identity): number => expiration?.getTime() ?? Number.POSITIVE_INFINITY

// What an Effect gives is looked at only now.
const checked = (given: unknown, errors: Errors): Effect.Effect<Identity, BidiError> =>
  Effect.map(check(Schema.Struct({ credentials: Keys }), errors)({ credentials: given }), ({ credentials }) =>
    plain(credentials)
  )

const plain = ({ accessKeyId, expiration, secretAccessKey, sessionToken }: Keys): Identity => ({
  accessKeyId: Redacted.value(accessKeyId),
  secretAccessKey: Redacted.value(secretAccessKey),
  ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }),
  ...(expiration === undefined ? {} : { expiration })
})

const regionOf = (shared: BedrockRuntimeClientConfig, errors: Errors): Effect.Effect<string, BidiError> =>
  Effect.tryPromise({
    try: () => new BedrockRuntimeClient(shared).config.region(),
    catch: () => errors.invalid("region", "region: there is none: pass it, or set AWS_REGION or AWS_DEFAULT_REGION")
  })
