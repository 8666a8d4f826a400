/**
 * What a PulseAudio server (or PipeWire in its place) has, asked through `pactl`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AudioDevice } from "../../../AudioDevice.ts"
import { type AudioError, backendMissing, type Direction } from "../../../AudioError.ts"
import { type ChildEnd, output } from "../../process/child.ts"

export const BACKEND = "pulse"

const Info = Schema.fromJsonString(
  Schema.Struct({
    server_name: Schema.String,
    server_version: Schema.String,
    default_sink_name: Schema.optionalKey(Schema.String),
    default_source_name: Schema.optionalKey(Schema.String)
  })
)

const Devices = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      index: Schema.Int,
      name: Schema.String,
      description: Schema.String,
      mute: Schema.Boolean,
      sample_specification: Schema.String
    })
  )
)

/** Why a program of PulseAudio failed, and what to do about it. */
export const missing = (program: string, { missing, words }: ChildEnd): AudioError =>
  backendMissing(
    BACKEND,
    missing
      ? `${program} is not installed (Debian, Ubuntu: apt-get install pulseaudio-utils)`
      : /refused|timeout|does not answer|no such file/i.test(words)
        ? `no sound server answers (${words.split("\n", 1)[0]}); start PulseAudio or PipeWire`
        : words
  )

const ask = <A>(schema: Schema.Decoder<A>, ...args: ReadonlyArray<string>) =>
  output("pactl", ["-f", "json", ...args]).pipe(
    Effect.mapError((ended) => missing("pactl", ended)),
    Effect.flatMap((text) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema)(text), () =>
        backendMissing(BACKEND, "pactl does not list devices as JSON; PulseAudio 15 or newer is needed")
      )
    )
  )

/** The server's name and version. Fails when there is none. */
export const info = ask(Info, "info")

/** `s16le 2ch 48000Hz` */
const shape = (text: string) => {
  const [, channels = "1", sampleRate = "48000"] = /(\d+)ch (\d+)Hz/.exec(text) ?? []
  return { channels: Number(channels), sampleRate: Number(sampleRate) }
}

/** All sinks and sources, monitors (which hear a sink) included. */
export const devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> = Effect.gen(function* () {
  const { default_sink_name, default_source_name } = yield* info
  const list = (what: string, direction: Direction, byDefault: string | undefined) =>
    Effect.map(ask(Devices, "list", what), (all) =>
      all.map(({ description, index, mute, name, sample_specification }): AudioDevice => ({
        index,
        name,
        description,
        direction,
        ...shape(sample_specification),
        isDefault: name === byDefault,
        muted: mute
      }))
    )
  const sources = yield* list("sources", "input", default_source_name)
  const sinks = yield* list("sinks", "output", default_sink_name)
  return [...sources, ...sinks]
})
