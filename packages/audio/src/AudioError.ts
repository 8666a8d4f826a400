/**
 * What can go wrong with a machine's microphone and speakers: one error, many reasons, each in words that say what to do.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const id = (name: string) => `@effect-bidi/audio/AudioError/${name}`

/**
 * Which way sound goes: `input` is a microphone, `output` a speaker.
 *
 * @category schemas
 */
export const Direction = Schema.Literals(["input", "output"])

/**
 * @category models
 */
export type Direction = typeof Direction.Type

/**
 * A way to the sound card cannot be used on this machine: a program, a module or a library is missing, or the sound
 * server does not answer.
 *
 * @category reasons
 */
export class BackendMissing extends Schema.TaggedError<BackendMissing>(id("BackendMissing"))("BackendMissing", {
  message: Schema.String,
  backend: Schema.String
}) {}

/**
 * There is no such device; `known` names those there are.
 *
 * @category reasons
 */
export class DeviceNotFound extends Schema.TaggedError<DeviceNotFound>(id("DeviceNotFound"))("DeviceNotFound", {
  message: Schema.String,
  direction: Direction,
  known: Schema.Array(Schema.String)
}) {}

/**
 * A device could not be opened, or was lost while it was in use.
 *
 * @category reasons
 */
export class DeviceFailed extends Schema.TaggedError<DeviceFailed>(id("DeviceFailed"))("DeviceFailed", {
  message: Schema.String,
  direction: Direction,
  device: Schema.String
}) {}

/**
 * An option is out of range, or needs something that is not there.
 *
 * @category reasons
 */
export class InvalidOption extends Schema.TaggedError<InvalidOption>(id("InvalidOption"))("InvalidOption", {
  message: Schema.String,
  option: Schema.String
}) {}

/**
 * Every reason there is.
 *
 * @category reasons
 */
export const Reason = Schema.Union([BackendMissing, DeviceNotFound, DeviceFailed, InvalidOption])

/**
 * @category reasons
 */
export type Reason = typeof Reason.Type

/**
 * The error of this package. Match `reason._tag`, or use `Effect.catchReason("AudioError", "DeviceNotFound", …)`.
 *
 * @category errors
 */
export class AudioError extends Schema.TaggedError<AudioError>("@effect-bidi/audio/AudioError")("AudioError", {
  reason: Reason
}) {
  override get message(): string {
    return this.reason.message
  }
}

/**
 * @category constructors
 */
export const backendMissing = (backend: string, message: string): AudioError =>
  new AudioError({ reason: new BackendMissing({ backend, message }) })

/**
 * @category constructors
 */
export const deviceFailed = (direction: Direction, device: string, message: string): AudioError =>
  new AudioError({ reason: new DeviceFailed({ direction, device, message }) })

/**
 * @category constructors
 */
export const invalidOption = (option: string, message: string): AudioError =>
  new AudioError({ reason: new InvalidOption({ option, message: `${option}: ${message}` }) })
