/**
 * The port between this package and whatever reaches a sound card.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AudioDevice } from "../AudioDevice.ts"
import type { AudioError, Direction } from "../AudioError.ts"

/** Signed 16-bit PCM at `sampleRate` Hz, channels interleaved. */
export interface Pcm {
  readonly sampleRate: number
  readonly channels: number
}

/** How a device is asked for. A backend comes as near as the device can. */
export interface Request extends Pcm {
  /** The sound a device takes or gives at a time, in milliseconds. */
  readonly frameMillis: number
}

/** A microphone that is open. */
export interface Microphone {
  readonly format: Pcm
  /** Succeeds when there will be no more sound, fails when the device is lost. */
  readonly done: Effect.Effect<void, AudioError>
  /** Moments that were lost before they reached this process, so far. */
  readonly lost: () => number
}

/** A speaker that is open. Positions are in moments (samples of all channels) since it was opened or cut. */
export interface Speaker {
  readonly format: Pcm
  /** Puts sound behind what waits. The device's own queue is as long as it takes. Never throws. */
  readonly write: (pcm: Uint8Array) => void
  /** How much of what was written has been heard. */
  readonly position: () => number
  /** Silence: forgets what waits. Answers how much was heard, or is on its way out and cannot be held back. */
  readonly cut: Effect.Effect<number>
  /** Succeeds never, fails when the device is lost. */
  readonly done: Effect.Effect<void, AudioError>
}

export interface Backend {
  readonly name: string
  readonly devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError>
  readonly find: (direction: Direction, wanted: number | string | undefined) => Effect.Effect<AudioDevice, AudioError>
  /** `onSound` gets what the device gives, piece by piece, in memory of its own; it must return at once. */
  readonly microphone: (
    device: AudioDevice,
    request: Request,
    onSound: (pcm: Uint8Array) => void
  ) => Effect.Effect<Microphone, AudioError, Scope.Scope>
  readonly speaker: (device: AudioDevice, request: Request) => Effect.Effect<Speaker, AudioError, Scope.Scope>
}
