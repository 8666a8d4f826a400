/**
 * The devices of a PulseAudio server (or PipeWire in its place), listed by `pactl`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AudioDevice } from "../../../AudioDevice.ts"
import type { AudioError, Direction } from "../../../AudioError.ts"
import { backendMissing } from "../../errors.ts"
import { type ChildEnd, output } from "../child.ts"

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

/** Explains why a program of PulseAudio failed, and what to do. */
export const missing = (program: string, { message, missing }: ChildEnd): AudioError =>
  backendMissing(
    BACKEND,
    missing
      ? `${program} is not installed (Debian, Ubuntu: apt-get install pulseaudio-utils)`
      : /refused|timeout|not respond|no such file/i.test(message)
        ? `no sound server is running (${message.split("\n")[0]}); start PulseAudio or PipeWire`
        : message
  )

const query = <A>(schema: Schema.Decoder<A>, ...args: ReadonlyArray<string>) =>
  output("pactl", ["-f", "json", ...args]).pipe(
    Effect.mapError((ended) => missing("pactl", ended)),
    Effect.flatMap((text) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema)(text), () =>
        backendMissing(BACKEND, "pactl did not list devices as JSON; install PulseAudio 15 or newer")
      )
    )
  )

/** The name and version of the server. Fails when there is none. */
export const info = query(Info, "info")

/** Parses `s16le 2ch 48000Hz`. */
const parseFormat = (text: string) => {
  const [, channels = "1", sampleRate = "48000"] = /(\d+)ch (\d+)Hz/.exec(text) ?? []
  return { channels: Number(channels), sampleRate: Number(sampleRate) }
}

/** All sources and sinks. Sources include monitors, which capture what a sink plays. */
export const devices: Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> = Effect.gen(function* () {
  const { default_sink_name, default_source_name } = yield* info
  const list = (what: string, direction: Direction, byDefault: string | undefined) =>
    Effect.map(query(Devices, "list", what), (all) =>
      all.map(({ description, index, mute, name, sample_specification }): AudioDevice => ({
        index,
        name,
        description,
        direction,
        ...parseFormat(sample_specification),
        isDefault: name === byDefault,
        muted: mute
      }))
    )
  const sources = yield* list("sources", "input", default_source_name)
  const sinks = yield* list("sinks", "output", default_sink_name)
  return [...sources, ...sinks]
})
