/**
 * The machine's own microphone and speakers.
 *
 * ```ts
 * const audio = yield* AudioIO.AudioIO
 * yield* agent.run({ inputs: [audio.input], outputs: [audio.output] })
 * // … Effect.provide(AudioIO.layer())
 * ```
 *
 * Formats come from the model of the conversation. Devices open when a conversation starts and close when it ends. A device
 * that is lost meanwhile is opened again, and the conversation goes on. Nothing native is loaded into this process.
 *
 * @since 0.1.0
 */
import type * as BidiInput from "@effect-bidi/core/BidiInput"
import type * as BidiOutput from "@effect-bidi/core/BidiOutput"
import type { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AudioDevice } from "./AudioDevice.ts"
import type { AudioError } from "./AudioError.ts"
import type { AudioEvent } from "./AudioEvent.ts"
import * as EchoCanceller from "./internal/capture/echoCanceller.ts"
import * as Microphone from "./internal/capture/microphone.ts"
import * as DeviceSession from "./internal/session/deviceSession.ts"
import { choose } from "./internal/backends/choose.ts"
import { check } from "./internal/session/settings.ts"
import * as Speaker from "./internal/playback/speaker.ts"
import * as Level from "./Level.ts"
import type { Options } from "./Options.ts"

/**
 * Samples per channel since the service was made, at the rates of the model.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  /** From the microphone. */
  readonly captured: number
  /** Of these, dropped because the conversation did not take them in time. */
  readonly dropped: number
  /** Given to the speaker. */
  readonly produced: number
  /** Dropped because the buffer of the speaker was full. */
  readonly refused: number
}

const METER_INTERVAL = "100 millis"

// Speech at arm's length is louder than this on any microphone; a quiet room is not.
const SPEAKING_RMS = 0.01

/**
 * The microphone and the speaker of this machine, for one conversation at a time.
 *
 * @category services
 * @since 0.1.0
 */
export class AudioIO extends Context.Service<
  AudioIO,
  {
    /** The microphone. Fails when it cannot be opened, or when it is lost and the `reopen` schedule is exhausted. */
    readonly input: BidiInput.BidiInput<AudioError, CurrentConversation>
    /** The speaker. Fails like the microphone. */
    readonly output: BidiOutput.BidiOutput<AudioError, CurrentConversation>
    /** The name of the backend in use. */
    readonly backend: string
    /** The devices of the backend. */
    readonly devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError>
    /** The events of the devices from now on. */
    readonly events: Stream.Stream<AudioEvent>
    /** The levels of both sides, ten times a second. Costs nothing while it is not run. */
    readonly levels: Stream.Stream<Level.Levels>
    /** {@link Level.indicator} of the levels whenever it changes, for the prompt of a console. */
    readonly indicator: Stream.Stream<string>
    /** The samples that passed so far. */
    readonly counts: () => Counts
  }
>()("@effect-bidi/audio/AudioIO") {}

/**
 * Opens a backend and makes the service. Fails with `InvalidOption`, with `BackendMissing`, and with `DeviceNotFound` if a device that was named
 * does not exist. A default device is looked up when it is opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (options?: Options) => Effect.Effect<AudioIO["Service"], AudioError, Scope.Scope> =
  Effect.fnUntraced(function* (options = {}) {
    const settings = yield* check(options)
    const backend = yield* choose(settings.backend, settings.portaudioModule)
    if (settings.inputDevice !== undefined) yield* backend.find("input", settings.inputDevice)
    if (settings.outputDevice !== undefined) yield* backend.find("output", settings.outputDevice)
    // fails now if the package is missing, not in the middle of a conversation
    if (settings.echoCancellation) yield* Effect.scoped(EchoCanceller.make)
    const session = yield* DeviceSession.make(settings, backend)

    const read = (): Level.Levels => {
      const microphone = Level.measure(Buffer.concat(session.recentInput))
      const speaker = Level.measure(session.playback?.recent() ?? new Uint8Array(0))
      return {
        microphone: { ...microphone, speaking: microphone.rms > SPEAKING_RMS },
        speaker: { ...speaker, speaking: session.playback?.audible() ?? false }
      }
    }
    const levels = Stream.map(Stream.tick(METER_INTERVAL), read)

    return AudioIO.of({
      input: Microphone.make(session),
      output: Speaker.make(session),
      backend: backend.name,
      devices: backend.devices,
      events: Stream.fromPubSub(session.events),
      levels,
      indicator: levels.pipe(Stream.map(Level.indicator), Stream.changes),
      counts: () => ({ ...session.counts })
    })
  })

/**
 * A layer of {@link AudioIO}. Fails like {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<AudioIO, AudioError> => Layer.effect(AudioIO, make(options))

/**
 * Lists the devices of a backend, microphones first; none for `file`. Fails with `InvalidOption` and `BackendMissing`.
 *
 * @category devices
 * @since 0.1.0
 */
export const devices = (
  options: Pick<Options, "backend" | "portaudioModule"> = {}
): Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> =>
  check(options).pipe(
    Effect.flatMap(({ backend, portaudioModule }) => choose(backend, portaudioModule)),
    Effect.flatMap(({ devices }) => devices)
  )
