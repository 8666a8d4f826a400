/**
 * What the examples share: which model to talk to, and how much to log. Both are chosen by the environment.
 */
import type { BidiError, BidiModel } from "@effect-bidi/core"
import { NovaSonic } from "@effect-bidi/bedrock"
import { type Emulator, GeminiEmulator, NovaEmulator, OpenAiEmulator } from "@effect-bidi/emulator"
import { GeminiLive } from "@effect-bidi/google"
import { OpenAiRealtime } from "@effect-bidi/openai"
import { Config, Console, Effect, Layer, Logger, Option, Redacted, References, type Scope, String } from "effect"

type Model<E = BidiError.BidiError> = Layer.Layer<BidiModel.BidiModel, E>
/** Who decides when the user's turns begin and end: the provider, or the application (push to talk). */
type Turns = "automatic" | "manual" | undefined

interface Wanted {
  readonly provider?: Name
  readonly turns?: Turns
}

const none = Redacted.make("none")
const detection = (turns: Turns) => (turns === "manual" ? ({ turnDetection: "manual" } as const) : {})

interface Provider {
  readonly name: string
  /** Environment variables. One of them is enough. */
  readonly credentials: readonly [string, ...Array<string>]
  readonly real: (turns: Turns) => Model<BidiError.BidiError | Config.ConfigError>
  readonly emulator: (options: Emulator.Options) => Effect.Effect<Emulator.Emulator, Emulator.ListenError, Scope.Scope>
  /** The adapter, pointed at an emulator. */
  readonly at: (url: string, turns: Turns) => Model
}

const names = ["openai", "google", "bedrock"] as const
type Name = (typeof names)[number]

const providers: { readonly [name in Name]: Provider } = {
  openai: {
    name: "OpenAI Realtime",
    credentials: ["OPENAI_API_KEY"],
    real: (turns) => OpenAiRealtime.layerFromEnv(detection(turns)),
    emulator: OpenAiEmulator.make,
    at: (baseUrl, turns) => OpenAiRealtime.layer({ ...detection(turns), apiKey: none, baseUrl })
  },
  google: {
    name: "Gemini Live",
    credentials: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    real: (turns) => GeminiLive.layerFromEnv(detection(turns)),
    emulator: GeminiEmulator.make,
    at: (baseUrl, turns) => GeminiLive.layer({ ...detection(turns), apiKey: none, baseUrl })
  },
  bedrock: {
    name: "Amazon Nova Sonic",
    credentials: ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"],
    // it has no manual turns: push to talk fails with `Unsupported`
    real: () => NovaSonic.layerFromEnv(),
    emulator: NovaEmulator.make,
    at: (endpoint) =>
      NovaSonic.layer({ region: "us-east-1", endpoint, credentials: { accessKeyId: none, secretAccessKey: none } })
  }
}

const isSet = (variable: string) => Effect.map(Config.option(Config.NonEmptyString(variable)), Option.isSome)
const hasCredentials = (name: Name) =>
  Effect.map(Effect.forEach(providers[name].credentials, isSet), (found) => found.includes(true))

/** An emulator of a provider on this machine, OpenAI Realtime by default: the real protocol, and a scripted assistant. */
export const emulated = ({ provider = "openai", turns, ...options }: Emulator.Options & Wanted = {}): Model =>
  Layer.unwrap(
    Effect.map(Effect.orDie(providers[provider].emulator(options)), ({ url }) => providers[provider].at(url, turns))
  )

/**
 * `VOICE_PROVIDER` is `openai`, `google`, `bedrock`, or `emulator`; without it, the first whose credentials are found. A
 * provider without credentials is emulated on this machine, and `emulator` is OpenAI Realtime, emulated.
 */
export const modelFromEnvironment = ({ turns }: Pick<Wanted, "turns"> = {}): Model<
  BidiError.BidiError | Config.ConfigError
> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const chosen = Option.getOrUndefined(
        yield* Config.option(Config.Literals([...names, "emulator"], "VOICE_PROVIDER"))
      )
      const found = yield* Effect.filter(names, hasCredentials)
      const name = chosen === "emulator" ? "openai" : (chosen ?? found[0] ?? "openai")
      const provider = providers[name]
      if (chosen !== "emulator" && found.includes(name)) {
        yield* Console.error(
          `This is ${provider.name}. VOICE_PROVIDER=emulator talks to a scripted assistant instead, offline.\n`
        )
        return provider.real(turns)
      }
      yield* Console.error(
        `This is a scripted assistant in place of ${provider.name}, offline. Set ${provider.credentials[0]} for the real one.\n`
      )
      return emulated({ provider: name, turns })
    })
  )

export const ModelFromEnvironment = modelFromEnvironment()

const levels = ["all", "trace", "debug", "info", "warn", "error", "fatal", "none"] as const

/** Logs go to standard error: warnings, or everything from `LOG_LEVEL` up, such as `LOG_LEVEL=debug`. */
export const Logging = Layer.mergeAll(
  Logger.layer([Logger.consolePretty()]),
  Layer.succeed(Logger.LogToStderr, true),
  Layer.unwrap(
    Effect.map(Config.withDefault(Config.Literals(levels, "LOG_LEVEL"), "warn" as const), (level) =>
      Layer.succeed(References.MinimumLogLevel, String.capitalize(level))
    )
  )
)
