/**
 * The options of `AudioIO`, checked and with their defaults. Durations become milliseconds.
 */
import { optionsOf } from "@effect-bidi/core/adapter/BidiAdapter"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { AudioError, InvalidOption } from "../../AudioError.ts"
import { Options } from "../../Options.ts"
import { portaudioModule } from "../backends/choose.ts"

// Quick at first, for a server that restarts; then every two seconds for as long as it takes.
const defaultReopen = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

const millis = (time: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(time))

const withDefaults = (options: Options) => ({
  backend: options.backend ?? "auto",
  inputDevice: options.inputDevice,
  outputDevice: options.outputDevice,
  inputBuffer: millis(options.inputBuffer ?? "500 millis"),
  outputBuffer: millis(options.outputBuffer ?? "10 minutes"),
  inputFrame: options.inputFrame,
  outputFrame: options.outputFrame,
  deviceRate: options.deviceRate,
  echoCancellation: options.echoCancellation ?? false,
  halfDuplex: options.halfDuplex ?? false,
  reopen: options.reopen ?? defaultReopen,
  portaudioModule: options.portaudioModule ?? portaudioModule()
})

export type Settings = ReturnType<typeof withDefaults>

const checkOptions = optionsOf(Options)

export const check = (given: Options): Effect.Effect<Settings, AudioError> =>
  Effect.fromResult(checkOptions(given)).pipe(
    Effect.mapBoth({
      onFailure: (wrong) => new AudioError({ reason: new InvalidOption(wrong) }),
      onSuccess: withDefaults
    })
  )
