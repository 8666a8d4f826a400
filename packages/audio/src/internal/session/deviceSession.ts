/**
 * What the microphone and the speaker of a conversation share: the backend, the settings, the events of the devices, and what
 * each has to know of the other.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { AudioDevice } from "../../AudioDevice.ts"
import type { Direction } from "../../AudioError.ts"
import type { AudioEvent } from "../../AudioEvent.ts"
import { load, type MakeResampler } from "../signal/resampler.ts"
import type { Backend } from "../backends/backend.ts"
import type { Settings } from "./settings.ts"

/** What is being played, for echo cancellation, half duplex and meters. */
export interface Playback {
  /** Whether something is still to be heard. */
  readonly audible: () => boolean
  /** The audio of the next `millis` from the position of the speaker, one channel at `sampleRate`. */
  readonly reference: (millis: number) => { readonly pcm: Uint8Array; readonly sampleRate: number }
  /** The last tenth of a second that the speaker has played. */
  readonly recent: () => Uint8Array
}

/** In samples per channel, at the rates of the model. See `AudioIO.Counts`. */
export interface Counts {
  captured: number
  dropped: number
  produced: number
  refused: number
}

export interface DeviceSession {
  readonly settings: Settings
  readonly backend: Backend
  readonly clock: Clock.Clock
  readonly makeResampler: MakeResampler
  readonly events: PubSub.PubSub<AudioEvent>
  readonly counts: Counts
  playback: Playback | undefined
  /** The last tenth of a second of the microphone, as the model hears it. */
  readonly recentInput: Array<Uint8Array>
}

export const make = Effect.fnUntraced(function* (settings: Settings, backend: Backend) {
  return {
    settings,
    backend,
    clock: yield* Clock.Clock,
    makeResampler: yield* load,
    events: yield* Effect.acquireRelease(PubSub.sliding<AudioEvent>(64), PubSub.shutdown),
    counts: { captured: 0, dropped: 0, produced: 0, refused: 0 },
    playback: undefined,
    recentInput: []
  } satisfies DeviceSession as DeviceSession
})

const noun: Record<Direction, string> = { input: "microphone", output: "speaker" }

/** Reports that a device is open. */
export const opened = ({ events }: DeviceSession, event: Extract<AudioEvent, { _tag: "DeviceOpened" }>) =>
  Effect.andThen(
    PubSub.publish(events, event),
    event.again
      ? Effect.logInfo(`the ${noun[event.direction]} is back: ${event.device}`)
      : Effect.logDebug(`${noun[event.direction]}: ${event.device} at ${event.sampleRate} Hz`)
  )

/** Reports that a device is lost. */
export const lost = ({ events }: DeviceSession, direction: Direction, device: string, message: string) =>
  Effect.andThen(
    PubSub.publish(events, { _tag: "DeviceLost", direction, device, message }),
    Effect.logWarning(`the ${noun[direction]} was lost and is being opened again: ${device}: ${message}`)
  )

/** Finds the device to open. Looked up each time, because its index may change after a loss. */
export const device = ({ backend, settings }: DeviceSession, direction: Direction) =>
  backend.find(direction, direction === "input" ? settings.inputDevice : settings.outputDevice)

/** The name of a device for events and logs. */
export const describe = (device: AudioDevice): string =>
  device.description === device.name ? device.name : `${device.description} (${device.name})`
