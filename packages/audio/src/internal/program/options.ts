/**
 * Flags that all commands understand.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"

export const backend = Flag.Literals("backend", ["auto", "portaudio", "pulse"]).pipe(
  Flag.withDescription("The way to the sound card; auto takes the first that works"),
  Flag.withDefault("auto")
)

export const input = Flag.String("input").pipe(
  Flag.withDescription("Index of a microphone, its name, or a part of it"),
  Flag.optional
)

export const output = Flag.String("output").pipe(
  Flag.withDescription("Index of a speaker, its name, or a part of it"),
  Flag.optional
)

/** `3` is an index, anything else a name. */
export const wanted = (flag: Option.Option<string>): number | string | undefined =>
  Option.getOrUndefined(Option.map(flag, (text) => (/^\d+$/.test(text) ? Number(text) : text)))
