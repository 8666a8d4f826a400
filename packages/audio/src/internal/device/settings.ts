/**
 * The options of the local channel, checked and with their defaults.
 */
import { optionsOf } from "@effect-bidi/core/adapter/BidiAdapter"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { AudioError, InvalidOption } from "../../AudioError.ts"
import { Options } from "../../Options.ts"
import { portaudioModule } from "./choose.ts"

export interface Settings extends Required<
  Pick<Options, "backend" | "echoCancellation" | "halfDuplex" | "reopen" | "portaudioModule">
> {
  readonly inputDevice: Options["inputDevice"]
  readonly outputDevice: Options["outputDevice"]
  /** In milliseconds. */
  readonly inputBuffer: number
  readonly outputBuffer: number
  /** In samples of the model's audio; `undefined` for the default length at any rate. */
  readonly inputFrame: number | undefined
  readonly outputFrame: number | undefined
  readonly deviceRate: number | undefined
}

// Quick at first, for a server that restarts; then every two seconds for as long as it takes.
const defaultReopen = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

const checkOptions = optionsOf(Options)

const millis = (time: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(time))

export const check = (given: Options): Effect.Effect<Settings, AudioError> => {
  const checked = checkOptions(given)
  if (Result.isFailure(checked)) return Effect.fail(new AudioError({ reason: new InvalidOption(checked.failure) }))
  const options = checked.success
  return Effect.succeed({
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
}
