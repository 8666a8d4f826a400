/**
 * Gemini Live as a model for conversations, through the official SDK.
 *
 * @example
 * ```ts
 * const agent = yield* BidiAgent.make({ system: "You are a helpful voice assistant." }).pipe(
 *   Effect.provide(GeminiLive.layerFromEnv({ voice: "Kore" }))
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
import * as Redacted from "effect/Redacted"
import { connect } from "./internal/connect.ts"
import { endpointOf } from "./internal/dial.ts"
import * as Errors from "./internal/errors.ts"
import { check, OUTPUT, resolve } from "./internal/settings.ts"
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
  MakeOptions,
  /**
   * The voices that every model has.
   *
   * @category models
   * @since 0.1.0
   */
  Voice
} from "./Options.ts"

/**
 * The model. Nothing is sent until a conversation connects; fails with `InvalidRequest` and the name of the option
 * where one is unknown, out of range, or not what the chosen model has.
 *
 * A connection lives for ten minutes and is renewed before; where the provider has given a handle for it, the session
 * goes on in the next one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: MakeOptions
): Effect.fn.Return<BidiModel["Service"], BidiError> {
  const { agent, apiKey, baseUrl, ...rest } = yield* check(options)
  const settings = resolve(rest)
  return BidiModel.of({
    provider: Errors.PROVIDER,
    model: settings.model,
    input: settings.input,
    output: OUTPUT,
    capabilities: {
      truncation: false,
      images: true,
      manualTurns: settings.turnDetection === "manual",
      resumption: true,
      // two connections to one session are refused
      overlap: false,
      // the setup is the first message of a connection, and the only one of its kind
      midSessionUpdate: false
    },
    // in case the provider's own warning does not come
    limits: { maxDuration: Duration.minutes(10), renewAfter: Duration.minutes(9), history: HISTORY },
    connect: connect(settings, endpointOf({ agent, baseUrl }), keyOf(apiKey, KEY_PATTERN, Errors.keyless))
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
 * The model as a layer, with options from the configuration, such as `{ apiKey: Config.Redacted("GEMINI_KEY") }`. Goes
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
 * The model as a layer, with the key and the address from the environment: `GOOGLE_API_KEY`, else `GEMINI_API_KEY`, and
 * where it is set `GOOGLE_GEMINI_BASE_URL`. Unless an `agent` is given, connections go through the proxy of `HTTPS_PROXY`,
 * except to hosts in `NO_PROXY`. Fails with `Auth` when there is no key.
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
      const { baseUrl, gemini, google } = yield* environment
      const apiKey = Option.orElse(Option.filter(google, isFilled), () => Option.filter(gemini, isFilled))
      if (Option.isNone(apiKey)) {
        return yield* Errors.keyless.auth(
          "there is no API key: set GOOGLE_API_KEY or GEMINI_API_KEY, or pass apiKey to GeminiLive.layer"
        )
      }
      const agent = options.agent ?? (yield* BidiProxy.fromConfig)
      return yield* make({ ...options, agent, apiKey: apiKey.value, baseUrl: Option.getOrUndefined(baseUrl) })
    })
  )

const environment = Config.all({
  google: Config.option(Config.Redacted("GOOGLE_API_KEY")),
  gemini: Config.option(Config.Redacted("GEMINI_API_KEY")),
  baseUrl: Config.option(Config.NonEmptyString("GOOGLE_GEMINI_BASE_URL"))
})

const isFilled = (key: Redacted.Redacted): boolean => Redacted.value(key).trim() !== ""

// A quarter of what a model holds, at about four bytes a token: all of the rest is for what comes.
const HISTORY = 128 * 1024
