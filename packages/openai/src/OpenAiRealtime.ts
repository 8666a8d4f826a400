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
import { BidiError } from "@effect-bidi/core/BidiError"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as BidiProxy from "@effect-bidi/core/adapter/BidiProxy"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { connect, type Target } from "./internal/connect.ts"
import { dialing, endpoint } from "./internal/dial.ts"
import * as Errors from "./internal/errors.ts"
import { resolve } from "./internal/settings.ts"
import type { Options } from "./Options.ts"

export {
  /**
   * What can be set for a session.
   *
   * @category models
   */
  Options
} from "./Options.ts"

/**
 * Options, with the key and the address they are sent to.
 *
 * @category models
 */
export interface MakeOptions extends Options {
  /**
   * The key, or an effect that is run for every connection: for keys that rotate, and for client secrets (`ek_…`), which
   * live for minutes. Where it fails the connection fails: with its `BidiError`, or with `Auth` for any other error.
   */
  readonly apiKey: Redacted.Redacted | Effect.Effect<Redacted.Redacted, unknown>
  readonly organization?: string | undefined
  readonly project?: string | undefined
  /** Default: `https://api.openai.com/v1`. With `http` the connection is a plain one. */
  readonly baseUrl?: string | undefined
  /** The way there, such as an `HttpsProxyAgent`; not for a plain connection. Default: straight. */
  readonly agent?: BidiProxy.AgentOption | undefined
}

/**
 * The model. Nothing is sent until a conversation connects; fails with `InvalidRequest` and the name of the option
 * where one is unknown, out of range, or does not go with another.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: MakeOptions
): Effect.fn.Return<BidiModel["Service"], BidiError> {
  const { agent, apiKey, baseUrl, organization, project, ...rest } = options
  const resolved = resolve(rest)
  if (agent !== undefined && !isAgentOption(agent)) {
    return yield* errors.invalid("agent", "agent: expected an http.Agent, or a function that gives one for a URL")
  }
  if (Result.isFailure(resolved)) return yield* errors.invalid(resolved.failure.option, resolved.failure.message)
  const settings = resolved.success
  const at = (apiKey: Redacted.Redacted): Target =>
    Effect.suspend(() => {
      const target = endpoint(settings.model, { agent, apiKey, baseUrl, organization, project })
      if ("option" in target) return errors.invalid(target.option, target.message)
      return Effect.succeed({ ...target, dial: dialing(target) })
    })
  const known = yield* at(Effect.isEffect(apiKey) ? UNKNOWN : apiKey)
  const target = Effect.isEffect(apiKey) ? Effect.flatMap(asked(apiKey), at) : Effect.succeed(known)
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
    connect: connect(settings, target)
  })
})

/**
 * The model as a layer. Errors as {@link make}.
 *
 * @category layers
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
        return yield* errors.auth("there is no API key: set OPENAI_API_KEY, or pass apiKey to OpenAiRealtime.layer")
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

// Stands for a key that will be asked for: everything else is checked at once.
const UNKNOWN = Redacted.make("unknown")

const asked = (apiKey: Effect.Effect<Redacted.Redacted, unknown>): Effect.Effect<Redacted.Redacted, BidiError> =>
  Effect.mapError(apiKey, (error) =>
    error instanceof BidiError ? error : errors.auth("the effect that was given as apiKey failed: there is no API key")
  )

const isAgentOption = Schema.is(BidiProxy.AgentOption)

// nothing here ever quotes a value
const errors = Errors.make((text) => text)
