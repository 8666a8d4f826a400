/**
 * The error of microphones and speakers: one error, many reasons, each with a message that says what to do.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const id = (name: string) => `@effect-bidi/audio/AudioError/${name}`

/**
 * The direction of a device: `input` is a microphone, `output` a speaker.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Direction = Schema.Literals(["input", "output"])

/**
 * The type of {@link Direction}.
 *
 * @category models
 * @since 0.1.0
 */
export type Direction = typeof Direction.Type

/**
 * A backend does not work on this machine: a program, a module or a library is missing, or the sound server does not
 * answer.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BackendMissing extends Schema.TaggedError<BackendMissing>(id("BackendMissing"))("BackendMissing", {
  message: Schema.String,
  backend: Schema.String
}) {}

/**
 * There is no such device; `known` lists the devices there are.
 *
 * @category reasons
 * @since 0.1.0
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
 * @since 0.1.0
 */
export class DeviceFailed extends Schema.TaggedError<DeviceFailed>(id("DeviceFailed"))("DeviceFailed", {
  message: Schema.String,
  direction: Direction,
  device: Schema.String
}) {}

/**
 * An option is invalid, or needs something that is missing.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidOption extends Schema.TaggedError<InvalidOption>(id("InvalidOption"))("InvalidOption", {
  message: Schema.String,
  option: Schema.String
}) {}

/**
 * The union of all reasons.
 *
 * @category reasons
 * @since 0.1.0
 */
export const Reason = Schema.Union([BackendMissing, DeviceNotFound, DeviceFailed, InvalidOption])

/**
 * The type of {@link Reason}.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * The error of this package. Match on `reason._tag`, or use `Effect.catchReason("AudioError", "DeviceNotFound", …)`.
 *
 * @category errors
 * @since 0.1.0
 */
export class AudioError extends Schema.TaggedError<AudioError>("@effect-bidi/audio/AudioError")("AudioError", {
  reason: Reason
}) {
  override get message(): string {
    return this.reason.message
  }
}
