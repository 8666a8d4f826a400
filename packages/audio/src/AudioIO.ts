/**
 * The machine's own microphone and speakers.
 *
 * ```ts
 * const audio = yield* AudioIO.AudioIO
 * yield* agent.run({ inputs: [audio.input], outputs: [audio.output] })
 * // … Effect.provide(AudioIO.layer())
 * ```
 *
 * Formats come from the model of the conversation. Devices open when a conversation opens its channels and close with it. A
 * device that is lost meanwhile is opened again, and the conversation goes on. Nothing native is loaded into this process.
 *
 * @since 0.1.0
 */
import type * as BidiInput from "@effect-bidi/core/BidiInput"
import type * as BidiOutput from "@effect-bidi/core/BidiOutput"
import type { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { AudioDevice } from "./AudioDevice.ts"
import type { AudioError } from "./AudioError.ts"
import type { AudioEvent } from "./AudioEvent.ts"
import * as EchoCanceller from "./internal/capture/echoCanceller.ts"
import * as Microphone from "./internal/capture/microphone.ts"
import * as Channel from "./internal/device/channel.ts"
import { choose, portaudioModule } from "./internal/device/choose.ts"
import { check } from "./internal/device/settings.ts"
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

// Root mean square. Speech at arm's length is louder than this on any microphone; a quiet room is not.
const SPEAKING_LEVEL = 0.01

/**
 * The local voice channel, for one conversation at a time.
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
    /** What happens to the devices from now on. */
    readonly events: Stream.Stream<AudioEvent>
    /** The levels of both sides, ten times a second. Costs nothing while it is not run. */
    readonly levels: Stream.Stream<Level.Levels>
    /** {@link Level.indicator} of the levels whenever it changes, for the prompt of a console. */
    readonly indicator: Stream.Stream<string>
    readonly counts: () => Counts
  }
>()("@effect-bidi/audio/AudioIO") {}

/**
 * Makes the channel. Fails with `InvalidOption`, with `BackendMissing`, and with `DeviceNotFound` if a device that was named
 * does not exist. A default device is looked up when it is opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const settings = yield* check(options)
  const backend = yield* choose(settings.backend, settings.portaudioModule)
  if (settings.inputDevice !== undefined) yield* backend.find("input", settings.inputDevice)
  if (settings.outputDevice !== undefined) yield* backend.find("output", settings.outputDevice)
  // fails now if the package is missing, not in the middle of a conversation
  if (settings.echoCancellation) yield* Effect.scoped(EchoCanceller.make)
  const channel = yield* Channel.make(settings, backend)

  const read = (): Level.Levels => {
    const microphone = Level.measure(Buffer.concat(channel.recentInput))
    const speaker = Level.measure(channel.playback?.recent() ?? new Uint8Array(0))
    return {
      microphone: { ...microphone, speaking: microphone.rms > SPEAKING_LEVEL },
      speaker: { ...speaker, speaking: channel.playback?.audible() ?? false }
    }
  }
  const levels = Stream.map(Stream.tick(METER_INTERVAL), read)

  return AudioIO.of({
    input: Microphone.make(channel),
    output: Speaker.make(channel),
    backend: backend.name,
    devices: backend.devices,
    events: Stream.fromPubSub(channel.events),
    levels,
    indicator: levels.pipe(Stream.map(Level.indicator), Stream.changes),
    counts: () => ({ ...channel.counts })
  })
})

/**
 * A layer of the channel. Fails like {@link make}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<AudioIO, AudioError> => Layer.effect(AudioIO, make(options))

/**
 * Lists the devices of a backend, microphones first. Empty for `file`. Fails with `BackendMissing`.
 *
 * @category devices
 * @since 0.1.0
 */
export const devices = (
  options: Pick<Options, "backend" | "portaudioModule"> = {}
): Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> =>
  Effect.flatMap(
    choose(options.backend ?? "auto", options.portaudioModule ?? portaudioModule()),
    ({ devices }) => devices
  )
