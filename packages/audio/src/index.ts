/**
 * The machine's own microphone and speakers for effect-bidi.
 *
 * @since 0.1.0
 */
export * as AudioDevice from "./AudioDevice.ts"
export * as AudioError from "./AudioError.ts"
export * as AudioEvent from "./AudioEvent.ts"
export * as AudioIO from "./AudioIO.ts"
export * as Level from "./Level.ts"
export * as Options from "./Options.ts"
export * as Wav from "./Wav.ts"
