/**
 * Who connects, and to which region: what all connections of a model share.
 */
import { BedrockRuntimeClient, type BedrockRuntimeClientConfig } from "@aws-sdk/client-bedrock-runtime"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Options } from "../Options.ts"
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
  /** Of every client, apart from the way to the provider. */
  readonly config: BedrockRuntimeClientConfig
  /** The keys that are good for a connection from `now` on (milliseconds of the epoch). */
  readonly identity: (now: number) => Effect.Effect<Identity, BidiError>
  /** Newer keys, if there are any. */
  readonly renewed: (old: Identity) => Effect.Effect<Identity | undefined, BidiError>
  /** The keys were refused: the next connection asks for newer ones. */
  readonly expired: () => void
  /** What an error about credentials should also say. */
  readonly hint: string | undefined
}

/** Keys that are good for less are renewed before they are used; the SDK does the same, but does not wait for it. */
const FRESH = Duration.toMillis("5 minutes")

/** Says nothing: the SDK warns on the console about every failure of a stream otherwise. */
export const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

const HINT = "AWS does not take API keys for bidirectional streams; pass credentials, or unset AWS_BEARER_TOKEN_BEDROCK"

// Frames are signed even where an API key proves who calls.
const NOBODY = { accessKeyId: "none", secretAccessKey: "none" }

/** `secrets` gets all that must not be told. */
export const open = Effect.fnUntraced(function* (
  settings: Settings,
  secrets: Set<string>,
  errors: Errors
): Effect.fn.Return<Account, BidiError> {
  const { bearerToken, profile } = settings
  const shared = {
    logger: quiet,
    maxAttempts: 1,
    ...(profile === undefined ? {} : { profile }),
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint.href })
  } satisfies BedrockRuntimeClientConfig
  const region = settings.region ?? (yield* regionOf(shared, errors))
  const keys = bearerToken === undefined ? credentials(settings.credentials) : NOBODY
  if (bearerToken !== undefined) secrets.add(Redacted.value(bearerToken))
  const config = {
    ...shared,
    region,
    ...(keys === undefined ? {} : { credentials: keys }),
    // an API key that happens to be in the environment counts only where it was asked for
    authSchemePreference: [bearerToken === undefined ? "sigv4" : "httpBearerAuth"],
    ...(bearerToken === undefined ? {} : { token: { token: Redacted.value(bearerToken) } })
  } satisfies BedrockRuntimeClientConfig
  // resolved once, so that all connections share what the chain remembers
  const provider = new BedrockRuntimeClient(config).config.credentials

  const ask = (forceRefresh: boolean): Effect.Effect<Identity, BidiError> =>
    Effect.tryPromise({
      try: () => provider({ forceRefresh }),
      catch: errors.noKeys
    }).pipe(
      Effect.tap(({ accessKeyId, secretAccessKey, sessionToken = "" }) =>
        Effect.sync(() => {
          if (bearerToken === undefined)
            for (const secret of [accessKeyId, secretAccessKey, sessionToken]) secrets.add(secret)
        })
      )
    )

  let stale = false
  return {
    config: { ...config, credentials: provider },
    identity: Effect.fnUntraced(function* (now) {
      const identity = yield* ask(stale)
      stale = false
      const left = lifeOf(identity) - now
      if (left >= FRESH) return identity
      return yield* left > 0 ? Effect.catch(ask(true), () => Effect.succeed(identity)) : ask(true)
    }),
    renewed: (old) =>
      Effect.map(ask(true), (identity) =>
        identity.accessKeyId === old.accessKeyId && identity.sessionToken === old.sessionToken ? undefined : identity
      ),
    expired: () => {
      stale = true
    },
    hint: bearerToken === undefined ? undefined : HINT
  }
})

/** When keys run out, in milliseconds of the epoch. */
export const lifeOf = ({ expiration }: Identity): number => expiration?.getTime() ?? Number.POSITIVE_INFINITY

const credentials = (given: Options["credentials"]): BedrockRuntimeClientConfig["credentials"] => {
  if (given === undefined || typeof given === "function") return given
  const { accessKeyId, expiration, secretAccessKey, sessionToken } = given
  return {
    accessKeyId: Redacted.value(accessKeyId),
    secretAccessKey: Redacted.value(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }),
    ...(expiration === undefined ? {} : { expiration })
  }
}

const regionOf = (shared: BedrockRuntimeClientConfig, errors: Errors): Effect.Effect<string, BidiError> =>
  Effect.tryPromise({
    try: () => new BedrockRuntimeClient(shared).config.region(),
    catch: () => errors.invalid("region", "region: there is none: pass it, or set AWS_REGION or AWS_DEFAULT_REGION")
  })
