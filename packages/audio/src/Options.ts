/**
 * The options of microphones and speakers.
 *
 * @since 0.1.0
 */
import { Time } from "@effect-bidi/core/adapter/BidiAdapter"
import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { AudioError } from "./AudioError.ts"

/**
 * How to reach the sound card: `portaudio` (any system), `pulse` (Linux with PulseAudio or PipeWire), `file` (WAV files in
 * place of devices), or `auto`, the first of `pulse` and `portaudio` that works.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BackendName = Schema.Literals(["auto", "portaudio", "pulse", "file"])

/**
 * The type of {@link BackendName}.
 *
 * @category models
 * @since 0.1.0
 */
export type BackendName = typeof BackendName.Type

const Device = Schema.Union([Schema.Int, Schema.NonEmptyString])

const BufferLength = Time.check(
  Schema.makeFilter((time) => Duration.toMillis(Duration.fromInputUnsafe(time)) >= 1, {
    expected: "a duration of at least a millisecond"
  })
)

const FrameLength = Schema.Int.check(Schema.isBetween({ minimum: 16, maximum: 192_000 }))

const ReopenSchedule = Schema.declare(
  (value): value is Schedule.Schedule<unknown, AudioError> => Schedule.isSchedule(value),
  { expected: "a Schedule" }
)

/**
 * The options of microphones and speakers. Each has a default.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  /** How to reach the sound card. Default: `"auto"`. */
  backend: Schema.optionalKey(BackendName),
  /**
   * The microphone: its index, its name, or a part of its name. Default: the system's default. With `backend: "file"` the
   * path of a WAV file, which is played once in real time; without a path there is silence.
   */
  inputDevice: Schema.optionalKey(Device),
  /**
   * The speaker, like `inputDevice`. With `backend: "file"` the path of a WAV file that records what is heard; without a path
   * nothing is recorded.
   */
  outputDevice: Schema.optionalKey(Device),
  /** How much captured speech may wait for the conversation; then the oldest is dropped and counted. Default: 500 ms. */
  inputBuffer: Schema.optionalKey(BufferLength),
  /** How much speech may wait for the speaker; then the newest is dropped and counted. Default: 10 minutes. */
  outputBuffer: Schema.optionalKey(BufferLength),
  /** The length of a captured frame, in samples at the model's rate. Default: 20 ms. */
  inputFrame: Schema.optionalKey(FrameLength),
  /** How much the speaker takes at a time, in samples at the model's rate: the delay of an interruption. Default: 10 ms. */
  outputFrame: Schema.optionalKey(FrameLength),
  /** The rate in Hz at which to open the devices. Default: the model's rates, or what the hardware requires. */
  deviceRate: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 8000, maximum: 192_000 }))),
  /** Removes the agent's own voice from the microphone. For open speakers; needs an optional package. Default: `false`. */
  echoCancellation: Schema.optionalKey(Schema.Boolean),
  /** The model hears silence while the agent is audible, so speech cannot interrupt it. Default: `false`. */
  halfDuplex: Schema.optionalKey(Schema.Boolean),
  /**
   * When to try to reopen a lost device. When the schedule is exhausted, the conversation fails. Default: without end, at
   * intervals of up to 2 s.
   */
  reopen: Schema.optionalKey(ReopenSchedule),
  /** The npm package that binds PortAudio. Default: `naudiodon`, and `naudiodon2` on Apple Silicon. */
  portaudioModule: Schema.optionalKey(Schema.NonEmptyString)
})

/**
 * The type of {@link Options}.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = typeof Options.Type
