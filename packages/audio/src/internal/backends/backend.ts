/**
 * The interface of a backend, which gives access to a sound card.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AudioDevice } from "../../AudioDevice.ts"
import type { AudioError, Direction } from "../../AudioError.ts"

/** Signed 16-bit PCM at `sampleRate` Hz, channels interleaved. */
export interface Pcm {
  readonly sampleRate: number
  readonly channels: number
}

/** How to open a device. A backend comes as close as the device allows. */
export interface Request extends Pcm {
  /** How much audio a device takes or delivers at a time, in milliseconds. */
  readonly frameMillis: number
}

/** An open microphone. */
export interface Microphone {
  readonly format: Pcm
  /** Succeeds when the audio ends, fails when the device is lost. */
  readonly done: Effect.Effect<void, AudioError>
  /** How many samples were lost so far before they reached this process. */
  readonly lost: () => number
}

/** An open speaker. Positions are in samples per channel since it was opened or cut. */
export interface Speaker {
  readonly format: Pcm
  /** Appends audio to the queue of the device, which is unbounded. Never throws. */
  readonly write: (pcm: Uint8Array) => void
  /** How much of what was written has been heard. */
  readonly position: () => number
  /** Goes silent and drops what waits. Returns how much was heard, including what cannot be held back any more. */
  readonly cut: Effect.Effect<number>
  /** Never succeeds, fails when the device is lost. */
  readonly done: Effect.Effect<void, AudioError>
}

export interface Backend {
  readonly name: string
  readonly devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError>
  readonly find: (direction: Direction, wanted: number | string | undefined) => Effect.Effect<AudioDevice, AudioError>
  /** `onAudio` is called with each piece of audio, in its own memory, and must return at once. */
  readonly microphone: (
    device: AudioDevice,
    request: Request,
    onAudio: (pcm: Uint8Array) => void
  ) => Effect.Effect<Microphone, AudioError, Scope.Scope>
  readonly speaker: (device: AudioDevice, request: Request) => Effect.Effect<Speaker, AudioError, Scope.Scope>
}
