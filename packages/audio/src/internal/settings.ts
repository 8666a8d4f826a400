/**
 * The options of the local channel, checked.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Options } from "../AudioIO.ts"
import { type AudioError, invalidOption } from "../AudioError.ts"
import { portaudioModule } from "./backends.ts"

export interface Settings {
  readonly backend: NonNullable<Options["backend"]>
  readonly inputDevice: Options["inputDevice"]
  readonly outputDevice: Options["outputDevice"]
  /** Milliseconds. */
  readonly inputBuffer: number
  readonly outputBuffer: number
  /** Moments of the model's audio; `undefined`: the default length, at whatever rate. */
  readonly inputFrame: number | undefined
  readonly outputFrame: number | undefined
  readonly deviceRate: number | undefined
  readonly echoCancellation: boolean
  readonly halfDuplex: boolean
  readonly reopen: Schedule.Schedule<unknown, AudioError>
  readonly portaudioModule: string
}

// Quick at first, for a server that restarts; then every two seconds for as long as it takes.
const reopen = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

const time = Effect.fnUntraced(function* (
  option: string,
  value: Duration.Input | undefined,
  byDefault: Duration.Input
) {
  const millis = Duration.fromInput(value ?? byDefault)
  if (millis._tag === "Some") {
    const length = Duration.toMillis(millis.value)
    if (length >= 1 && Number.isFinite(length)) return length
  }
  return yield* invalidOption(option, "a length of time of at least a millisecond is needed")
})

const whole = Effect.fnUntraced(function* (
  option: string,
  value: number | undefined,
  minimum: number,
  maximum: number
) {
  if (value === undefined || (Number.isInteger(value) && value >= minimum && value <= maximum)) return value
  return yield* invalidOption(option, `${value} is not a whole number from ${minimum} to ${maximum}`)
})

export const check = Effect.fnUntraced(function* (options: Options) {
  return {
    backend: options.backend ?? "auto",
    inputDevice: options.inputDevice,
    outputDevice: options.outputDevice,
    inputBuffer: yield* time("inputBuffer", options.inputBuffer, "500 millis"),
    outputBuffer: yield* time("outputBuffer", options.outputBuffer, "10 minutes"),
    inputFrame: yield* whole("inputFrame", options.inputFrame, 16, 192_000),
    outputFrame: yield* whole("outputFrame", options.outputFrame, 16, 192_000),
    deviceRate: yield* whole("deviceRate", options.deviceRate, 8000, 192_000),
    echoCancellation: options.echoCancellation ?? false,
    halfDuplex: options.halfDuplex ?? false,
    reopen: options.reopen ?? reopen,
    portaudioModule: options.portaudioModule ?? portaudioModule()
  } satisfies Settings
})
