/**
 * Amazon Nova Sonic as a model for conversations, through the official SDK.
 *
 * The provider hears by itself where turns begin and end. It has no request to stop speaking: a reply that the application
 * interrupts is no longer passed on, but the model believes that it was heard. Every text is answered: a fact that is not
 * to be is told together with the next text. Tools are called while the talk goes on.
 *
 * @example
 * ```ts
 * const agent = yield* BidiAgent.make({ system: "You are a helpful voice assistant." }).pipe(
 *   Effect.provide(NovaSonic.layerFromEnv({ voice: "tiffany" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as BidiProxy from "@effect-bidi/core/adapter/BidiProxy"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Account from "./internal/account.ts"
import { connect, CONNECTION_LIFETIME, RENEW_BEFORE } from "./internal/connect.ts"
import * as Errors from "./internal/errors.ts"
import { HISTORY_BYTES } from "./internal/history.ts"
import { check, resolve } from "./internal/settings.ts"
import type { Keys, Options } from "./Options.ts"

export {
  /**
   * What can be set for a session, and for the connection to it.
   *
   * @category models
   * @since 0.1.0
   */
  Options
} from "./Options.ts"

/**
 * The model. Nothing is sent until a conversation connects; fails with `InvalidRequest` and the name of the option
 * where one is unknown, out of range, or does not go with another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<BidiModel["Service"], BidiError> {
  const settings = resolve(yield* check(options))
  const secrets = new Set<string>()
  const errors = Errors.make(secrets)
  const account = yield* Account.open(settings, secrets, errors)
  return BidiModel.of({
    provider: Errors.PROVIDER,
    model: settings.model,
    input: settings.input,
    output: settings.output,
    capabilities: {
      truncation: false,
      images: false,
      manualTurns: false,
      resumption: false,
      overlap: true,
      midSessionUpdate: false
    },
    limits: {
      maxDuration: CONNECTION_LIFETIME,
      renewAfter: Duration.subtract(CONNECTION_LIFETIME, RENEW_BEFORE),
      renewBefore: RENEW_BEFORE,
      history: HISTORY_BYTES
    },
    connect: connect(settings, account, errors)
  })
})

/**
 * The model as a layer. Credentials are those of the AWS SDK where none are given. Errors as {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<BidiModel, BidiError> =>
  Layer.effect(BidiModel, make(options))

/**
 * The model as a layer, with options from the configuration, such as `{ region: Config.String("VOICE_REGION") }`. Goes
 * through the proxy that the configuration names as {@link layerFromEnv} does. Errors as {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Omit<Options, "agent" | "credentials"> & { readonly credentials?: Keys }>
): Layer.Layer<BidiModel, BidiError | Config.ConfigError> =>
  Layer.effect(
    BidiModel,
    Effect.gen(function* () {
      return yield* make({ ...(yield* Config.unwrap(options)), agent: yield* BidiProxy.fromConfig })
    })
  )

/**
 * The model as a layer. What is not given comes from the environment: `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_PROFILE`,
 * `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, and `AWS_BEARER_TOKEN_BEDROCK`, an API key that takes precedence over credentials.
 * The AWS SDK finds credentials as always: environment, profile, container, instance. Unless an `agent` is given,
 * connections go through the proxy of `HTTPS_PROXY`, except to hosts in `NO_PROXY`. Errors as {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFromEnv = (options: Options = {}): Layer.Layer<BidiModel, BidiError | Config.ConfigError> =>
  Layer.effect(
    BidiModel,
    Effect.gen(function* () {
      const found = yield* environment
      const bearerToken = options.credentials === undefined ? found.bearerToken : undefined
      return yield* make({
        ...options,
        agent: options.agent ?? (yield* BidiProxy.fromConfig),
        region: options.region ?? found.region,
        profile: options.profile ?? found.profile,
        endpoint: options.endpoint ?? found.endpoint,
        bearerToken: options.bearerToken ?? bearerToken
      })
    })
  )

const name = (key: string) => Config.map(Config.option(Config.NonEmptyString(key)), Option.getOrUndefined)

const environment = Config.all({
  region: Config.map(
    Config.all([name("AWS_REGION"), name("AWS_DEFAULT_REGION")]),
    ([region, other]) => region ?? other
  ),
  profile: name("AWS_PROFILE"),
  endpoint: name("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
  bearerToken: Config.map(Config.option(Config.Redacted("AWS_BEARER_TOKEN_BEDROCK")), Option.getOrUndefined)
})
