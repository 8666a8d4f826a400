/**
 * What microphone and speaker of one channel share: the backend, the settings, who hears of what happens to the devices,
 * and what each has to know of the other.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { Direction } from "../AudioError.ts"
import type { AudioEvent } from "../AudioEvent.ts"
import type * as AudioDevice from "../AudioDevice.ts"
import type { Backend } from "./backend.ts"
import type { Settings } from "./settings.ts"

/** Sound that is being played. */
export interface Playing {
  /** Whether something is to be heard that has not been. */
  readonly audible: () => boolean
  /** The sound of the next `millis` from where the speaker is, one channel at `sampleRate`. */
  readonly ahead: (millis: number) => { readonly pcm: Uint8Array; readonly sampleRate: number }
  /** What the speaker has been playing for a tenth of a second. */
  readonly recent: () => Uint8Array
}

export interface Counts {
  /** Moments of the model's format that came from the microphone. */
  captured: number
  /** Of these, moments that were lost because nobody took them in time. */
  dropped: number
  /** Moments of the model's format that were given to the speaker. */
  produced: number
  /** Moments that did not fit into the speaker's buffer. */
  refused: number
}

export interface Studio {
  readonly settings: Settings
  readonly backend: Backend
  readonly clock: Clock.Clock
  readonly events: PubSub.PubSub<AudioEvent>
  readonly counts: Counts
  playing: Playing | undefined
  /** The last tenth of a second of the microphone, as the model hears it. */
  readonly heard: Array<Uint8Array>
}

export const make = Effect.fnUntraced(function* (settings: Settings, backend: Backend) {
  return {
    settings,
    backend,
    clock: yield* Clock.Clock,
    events: yield* Effect.acquireRelease(PubSub.sliding<AudioEvent>(64), PubSub.shutdown),
    counts: { captured: 0, dropped: 0, produced: 0, refused: 0 },
    playing: undefined,
    heard: []
  } satisfies Studio as Studio
})

const noun: Record<Direction, string> = { input: "microphone", output: "speaker" }

/** Tells everybody that a device is open. */
export const opened = ({ events }: Studio, event: Extract<AudioEvent, { _tag: "DeviceOpened" }>) =>
  Effect.andThen(
    PubSub.publish(events, event),
    event.again
      ? Effect.logInfo(`the ${noun[event.direction]} is back: ${event.device}`)
      : Effect.logDebug(`${noun[event.direction]}: ${event.device} at ${event.sampleRate} Hz`)
  )

/** Tells everybody that a device is lost. */
export const lost = ({ events }: Studio, direction: Direction, device: string, message: string) =>
  Effect.andThen(
    PubSub.publish(events, { _tag: "DeviceLost", direction, device, message }),
    Effect.logWarning(`the ${noun[direction]} was lost and is being opened again: ${device}: ${message}`)
  )

/** The device that was asked for, found anew each time: after a loss its index may be another. */
export const device = ({ backend, settings }: Studio, direction: Direction) =>
  backend.find(direction, direction === "input" ? settings.inputDevice : settings.outputDevice)

/** Names a device in a line. */
export const describe = (device: AudioDevice.AudioDevice): string =>
  device.description === device.name ? device.name : `${device.description} (${device.name})`
