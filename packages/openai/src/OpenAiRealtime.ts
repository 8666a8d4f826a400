/**
 * OpenAI Realtime as a model for conversations, through the official SDK.
 *
 * @example
 * ```ts
 * const agent = yield* BidiAgent.make({ system: "You are a helpful voice assistant." }).pipe(
 *   Effect.provide(OpenAiRealtime.layerFromEnv({ voice: "cedar" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import { keyOf } from "@effect-bidi/core/adapter/BidiAdapter"
import * as BidiProxy from "@effect-bidi/core/adapter/BidiProxy"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { connect, type Target } from "./internal/connect.ts"
import { dialing, endpointOf } from "./internal/dial.ts"
import * as Errors from "./internal/errors.ts"
import { check, resolve } from "./internal/settings.ts"
import { KEY_PATTERN, type MakeOptions, type Options } from "./Options.ts"

export {
  /**
   * What can be set for a session.
   *
   * @category models
   * @since 0.1.0
   */
  Options,
  /**
   * Options, with the key and the address they are sent to.
   *
   * @category models
   * @since 0.1.0
   */
  MakeOptions
} from "./Options.ts"

/**
 * The model. Nothing is sent until a conversation connects; fails with `InvalidRequest` and the name of the option
 * where one is unknown, out of range, or does not go with another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: MakeOptions
): Effect.fn.Return<BidiModel["Service"], BidiError> {
  const { agent, apiKey, baseUrl, organization, project, ...rest } = yield* check(options)
  const settings = resolve(rest)
  const endpoint = endpointOf({ agent, baseUrl })
  const target: Target = Effect.map(keyOf(apiKey, KEY_PATTERN, Errors.keyless), (apiKey) => ({
    address: endpoint.address,
    apiKey,
    dial: dialing(endpoint, { apiKey, model: settings.model, organization, project })
  }))
  return BidiModel.of({
    provider: Errors.PROVIDER,
    model: settings.model,
    input: settings.input,
    output: settings.output,
    capabilities: {
      truncation: true,
      images: true,
      manualTurns: settings.turnDetection === "manual",
      resumption: false,
      overlap: true,
      midSessionUpdate: true
    },
    // a session lives for an hour; the connection says when that is over
    limits: { maxDuration: Duration.minutes(60), renewBefore: Duration.minutes(5) },
    connect: connect(settings, Effect.isEffect(apiKey) ? target : yield* Effect.cached(target))
  })
})

/**
 * The model as a layer. Errors as {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: MakeOptions): Layer.Layer<BidiModel, BidiError> => Layer.effect(BidiModel, make(options))

/**
 * The model as a layer, with options from the configuration, such as `{ apiKey: Config.Redacted("OPENAI_KEY") }`. Goes
 * through the proxy that the configuration names as {@link layerFromEnv} does. Errors as {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Omit<MakeOptions, "agent" | "apiKey"> & { readonly apiKey: Redacted.Redacted }>
): Layer.Layer<BidiModel, BidiError | Config.ConfigError> =>
  Layer.effect(
    BidiModel,
    Effect.gen(function* () {
      return yield* make({ ...(yield* Config.unwrap(options)), agent: yield* BidiProxy.fromConfig })
    })
  )

/**
 * The model as a layer, with the key and the address from the environment: `OPENAI_API_KEY`, and where they are set
 * `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID` and `OPENAI_BASE_URL`. Unless an `agent` is given, connections go through the proxy
 * of `HTTPS_PROXY`, except to hosts in `NO_PROXY`. Fails with `Auth` when there is no key.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFromEnv = (
  options: Options & Pick<MakeOptions, "agent"> = {}
): Layer.Layer<BidiModel, BidiError | Config.ConfigError> =>
  Layer.effect(
    BidiModel,
    Effect.gen(function* () {
      const { apiKey, baseUrl, organization, project } = yield* environment
      if (Option.isNone(apiKey)) {
        return yield* Errors.keyless.auth(
          "there is no API key: set OPENAI_API_KEY, or pass apiKey to OpenAiRealtime.layer"
        )
      }
      return yield* make({
        ...options,
        agent: options.agent ?? (yield* BidiProxy.fromConfig),
        apiKey: apiKey.value,
        organization: Option.getOrUndefined(organization),
        project: Option.getOrUndefined(project),
        baseUrl: Option.getOrUndefined(baseUrl)
      })
    })
  )

const environment = Config.all({
  apiKey: Config.option(Config.Redacted("OPENAI_API_KEY")),
  organization: Config.option(Config.NonEmptyString("OPENAI_ORG_ID")),
  project: Config.option(Config.NonEmptyString("OPENAI_PROJECT_ID")),
  baseUrl: Config.option(Config.NonEmptyString("OPENAI_BASE_URL"))
})
