/**
 * What the examples share: which model to talk to, and how much to log. Both are chosen by the environment.
 */
import type { BidiError, BidiModel } from "@effect-bidi/core"
import { OpenAiEmulator } from "@effect-bidi/emulator"
import { OpenAiRealtime } from "@effect-bidi/openai"
import { Config, Console, Effect, Layer, Logger, Option, Redacted, References, String } from "effect"

const provider = Config.Literals(["openai", "emulator"], "VOICE_PROVIDER")

/**
 * `VOICE_PROVIDER=openai` (or a key in `OPENAI_API_KEY`) is OpenAI Realtime. Without a key, or with
 * `VOICE_PROVIDER=emulator`, it is the same wire on this machine, with a scripted assistant at its other end.
 */
export const ModelFromEnvironment = Layer.unwrap(
  Effect.gen(function* () {
    const chosen = yield* Config.option(provider)
    const key = yield* Config.option(Config.Redacted("OPENAI_API_KEY"))
    if (Option.isSome(key) && !Option.contains(chosen, "emulator")) {
      yield* Console.error("OpenAI Realtime (VOICE_PROVIDER=emulator: a scripted assistant, offline)\n")
      return OpenAiRealtime.layerConfig()
    }
    yield* Console.error("a scripted assistant, offline (OPENAI_API_KEY=…: OpenAI Realtime)\n")
    return emulated()
  })
)

/** OpenAI Realtime, played by the emulator. */
export const emulated = (options: OpenAiEmulator.Options = {}): Layer.Layer<BidiModel.BidiModel, BidiError.BidiError> =>
  Layer.unwrap(
    Effect.map(Effect.orDie(OpenAiEmulator.make(options)), ({ url }) =>
      OpenAiRealtime.layer({ apiKey: Redacted.make("none"), baseUrl: url })
    )
  )

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
