/**
 * The machine's own microphone and speakers.
 *
 * ```ts
 * const audio = yield* AudioIO
 * yield* agent.run({ inputs: [audio.input], outputs: [audio.output] })
 * // … Effect.provide(AudioIO.layer())
 * ```
 *
 * Formats come from the model of the conversation. Devices are opened when a conversation opens its channels and closed with
 * it; one that is lost meanwhile is opened again, and the conversation goes on. Nothing native is loaded into this process.
 *
 * @since 0.1.0
 */
import type * as BidiInput from "@effect-bidi/core/BidiInput"
import type * as BidiOutput from "@effect-bidi/core/BidiOutput"
import type { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { AudioDevice } from "./AudioDevice.ts"
import type { AudioError } from "./AudioError.ts"
import type { AudioEvent } from "./AudioEvent.ts"
import { choose, portaudioModule } from "./internal/backends.ts"
import * as Echo from "./internal/echo.ts"
import * as Microphone from "./internal/microphone.ts"
import * as Resampler from "./internal/resampler.ts"
import { check } from "./internal/settings.ts"
import * as Speaker from "./internal/speaker.ts"
import * as Studio from "./internal/studio.ts"
import * as Level from "./Level.ts"

/**
 * How sound gets in and out: `portaudio` (any system), `pulse` (Linux with PulseAudio or PipeWire), `file` (WAV files in
 * place of devices), or `auto`: the first of `pulse` and `portaudio` that works.
 *
 * @category options
 */
export type BackendName = "auto" | "portaudio" | "pulse" | "file"

/**
 * Options of the channel. Every one has a default.
 *
 * @category options
 */
export interface Options {
  /** The way to the sound card. Default: `"auto"`. */
  readonly backend?: BackendName
  /**
   * The microphone: its index, or its name or a part of it. Default: the system's. With `backend: "file"` the path of a WAV
   * file that is played once, at its own pace; without one there is silence.
   */
  readonly inputDevice?: number | string
  /**
   * The speaker, as `inputDevice`. With `backend: "file"` the path of a WAV file that records what is heard; without one
   * nothing is recorded.
   */
  readonly outputDevice?: number | string
  /** Speech that waits for the conversation to take it; beyond it the oldest is lost and counted. Default: 500 ms. */
  readonly inputBuffer?: Duration.Input
  /** Speech that waits for the speaker; beyond it the newest is lost and counted. Default: 10 minutes. */
  readonly outputBuffer?: Duration.Input
  /** Samples in a frame towards the model, at the model's rate. Default: 20 ms of them. */
  readonly inputFrame?: number
  /** Samples the speaker takes at a time, at the model's rate; an interruption lasts about as long. Default: 10 ms. */
  readonly outputFrame?: number
  /** Opens the devices at this rate, in Hz, and resamples. Default: the model's rates, or what the hardware insists on. */
  readonly deviceRate?: number
  /** Takes the agent's own voice out of the microphone. For open speakers; needs an optional package. Default: false. */
  readonly echoCancellation?: boolean
  /** The model hears silence while the agent is audible: nobody can interrupt by speaking. Default: false. */
  readonly halfDuplex?: boolean
  /** When a lost device is tried again; when the schedule ends, so does the conversation. Default: for ever, up to every 2 s. */
  readonly reopen?: Schedule.Schedule<unknown, AudioError>
  /** The npm package that binds PortAudio. Default: `naudiodon`, and `naudiodon2` on Apple Silicon. */
  readonly portaudioModule?: string
}

/**
 * Samples that passed, per channel, since the service was made, at the rates of the model.
 *
 * @category models
 */
export interface Counts {
  /** From the microphone. */
  readonly captured: number
  /** Of these, lost because they were not taken in time. */
  readonly dropped: number
  /** Given to the speaker. */
  readonly produced: number
  /** Not taken by the speaker because its buffer was full. */
  readonly refused: number
}

// Often enough for a meter to look alive.
const METER = "100 millis"

// Speech at an arm's length is louder than this on any microphone; a quiet room is not.
const SPEAKING = 0.01

/**
 * The local voice channel. For one conversation at a time.
 *
 * @category services
 */
export class AudioIO extends Context.Service<
  AudioIO,
  {
    /** The microphone. Fails when it cannot be opened, or when it is lost and the schedule has ended. */
    readonly input: BidiInput.BidiInput<AudioError, CurrentConversation>
    /** The speaker. Fails as the microphone does. */
    readonly output: BidiOutput.BidiOutput<AudioError, CurrentConversation>
    /** The backend in use. */
    readonly backend: string
    /** What there is. */
    readonly devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError>
    /** What happens to the devices from now on. */
    readonly events: Stream.Stream<AudioEvent>
    /** How loud both sides are, ten times a second. Costs nothing while nobody looks. */
    readonly levels: Stream.Stream<Level.Levels>
    /** {@link Level.indicator} of the levels, whenever it changes: for the line one types in. */
    readonly indicator: Stream.Stream<string>
    readonly counts: () => Counts
  }
>()("@effect-bidi/audio/AudioIO") {
  /**
   * Fails with `InvalidOption`, with `BackendMissing`, and with `DeviceNotFound` for a device that was named and is not
   * there. A default device is looked for when it is opened.
   *
   * @category layers
   */
  static layer(options: Options = {}): Layer.Layer<AudioIO, AudioError> {
    return Layer.effect(AudioIO, make(options))
  }

  /**
   * The devices of a backend, microphones first. Empty for `file`.
   *
   * @category devices
   */
  static devices(
    options: Pick<Options, "backend" | "portaudioModule"> = {}
  ): Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> {
    return Effect.flatMap(
      choose(options.backend ?? "auto", options.portaudioModule ?? portaudioModule()),
      ({ devices }) => devices
    )
  }
}

/**
 * The service itself. Fails as {@link AudioIO.layer} does.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const settings = yield* check(options)
  const backend = yield* choose(settings.backend, settings.portaudioModule)
  if (settings.inputDevice !== undefined) yield* backend.find("input", settings.inputDevice)
  if (settings.outputDevice !== undefined) yield* backend.find("output", settings.outputDevice)
  yield* Resampler.load
  // says now that the package is missing, not in the middle of a talk
  if (settings.echoCancellation) yield* Effect.scoped(Echo.make)
  const studio = yield* Studio.make(settings, backend)

  const read = (): Level.Levels => {
    const microphone = Level.measure(Buffer.concat(studio.heard))
    const speaker = Level.measure(studio.playing?.recent() ?? new Uint8Array(0))
    return {
      microphone: { ...microphone, speaking: microphone.rms > SPEAKING },
      speaker: { ...speaker, speaking: studio.playing?.audible() ?? false }
    }
  }
  const levels = Stream.map(Stream.tick(METER), read)

  return AudioIO.of({
    input: Microphone.make(studio),
    output: Speaker.make(studio),
    backend: backend.name,
    devices: backend.devices,
    events: Stream.fromPubSub(studio.events),
    levels,
    indicator: levels.pipe(Stream.map(Level.indicator), Stream.changes),
    counts: () => ({ ...studio.counts })
  })
})
