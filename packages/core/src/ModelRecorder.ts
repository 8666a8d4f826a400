/**
 * Records what reached the model and what it said, so that a real call becomes a test (`BidiTest.replay`).
 *
 * A recorder is a layer over `BidiModel`: the conversation notices nothing. Sound is recorded as its length only; words,
 * tool calls and results are recorded as they are, so keep recordings as you keep what was said.
 *
 * @example
 * ```ts
 * const recorder = yield* ModelRecorder.make
 * const model = Layer.provide(recorder.layer, OpenAiRealtime.layerFromEnv)
 * yield* agent.pipe(Effect.flatMap((agent) => agent.run({ outputs: [speaker] })), Effect.provide(model))
 * yield* fs.writeFileString("call.json", ModelRecorder.encode(recorder.recording()))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { BidiError } from "./BidiError.ts"
import { BidiModel, type Command, type Connection, type ModelEvent, type ModelInfo, type Setup } from "./BidiModel.ts"
import type { Entry } from "./Transcript.ts"

/**
 * Something that passed between a conversation and its model, `at` milliseconds since 1970. `generation` counts the
 * connections from 1. The `bytes` of `Audio` are those of a frame of the user.
 *
 * @category models
 * @since 0.1.0
 */
export type Passed = { readonly at: number; readonly generation: number } & (
  | { readonly _tag: "Dialed"; readonly setup: Setup }
  | { readonly _tag: "Connected"; readonly id: string; readonly expiresAt?: number }
  | { readonly _tag: "NotConnected"; readonly error: BidiError }
  | { readonly _tag: "Seeded"; readonly history: ReadonlyArray<Entry> }
  | { readonly _tag: "Command"; readonly command: Command }
  | { readonly _tag: "Audio"; readonly bytes: number }
  | { readonly _tag: "Said"; readonly event: ModelEvent }
  | { readonly _tag: "Lost"; readonly error: BidiError }
)

/**
 * What one conversation and its model said to each other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recording {
  readonly version: 1
  readonly model: ModelInfo
  readonly passed: ReadonlyArray<Passed>
}

/**
 * A recorder, for one conversation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder {
  readonly layer: Layer.Layer<BidiModel, never, BidiModel>
  /** What was recorded so far. */
  readonly recording: () => Recording
}

type What<P = Passed> = P extends Passed ? Omit<P, "at" | "generation"> : never

/**
 * Makes a recorder.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Recorder> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const passed: Array<Passed> = []
  let info: ModelInfo | undefined
  let generations = 0

  const over = (model: BidiModel["Service"]): BidiModel["Service"] => {
    const { connect, ...rest } = model
    info = rest
    return {
      ...model,
      connect: Effect.fnUntraced(function* (setup: Setup) {
        const generation = ++generations
        const record = (what: What) =>
          void passed.push({ at: clock.currentTimeMillisUnsafe(), generation, ...what } as Passed)
        record({ _tag: "Dialed", setup })
        const connection = yield* Effect.onError(connect(setup), (cause) =>
          Effect.sync(() => failed(Exit.failCause(cause), (error) => record({ _tag: "NotConnected", error })))
        )
        const { expiresAt, id } = connection
        record({ _tag: "Connected", id, ...(expiresAt === undefined ? {} : { expiresAt }) })
        return {
          id,
          expiresAt,
          seed: (history) =>
            Effect.suspend(() => {
              record({ _tag: "Seeded", history })
              return connection.seed(history)
            }),
          send: (command) =>
            Effect.suspend(() => {
              record({ _tag: "Command", command })
              return connection.send(command)
            }),
          sendAudio: (frame) => {
            const taken = connection.sendAudio(frame)
            if (taken) record({ _tag: "Audio", bytes: frame.length })
            return taken
          },
          listen: (take) =>
            Effect.onError(
              connection.listen((event) => {
                record({ _tag: "Said", event: withoutSound(event) })
                return take(event)
              }),
              (cause) => Effect.sync(() => failed(Exit.failCause(cause), (error) => record({ _tag: "Lost", error })))
            )
        } satisfies Connection
      })
    }
  }

  return {
    layer: Layer.effect(BidiModel, Effect.map(BidiModel, over)),
    recording: () => ({ version: 1, model: info!, passed: passed.slice() })
  }
})

const failed = (exit: Exit.Exit<unknown, BidiError>, then: (error: BidiError) => void) => {
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error !== undefined) then(error)
}

const withoutSound = (event: ModelEvent): ModelEvent =>
  event._tag === "AudioDelta" ? { ...event, audio: new Uint8Array(event.audio.length) } : event

// ---------------------------------------------------------------------------------------------------------------------
// as text
// ---------------------------------------------------------------------------------------------------------------------

const errorToJson = Schema.encodeSync(Schema.toCodecJson(BidiError))
const errorFromJson = Schema.decodeUnknownSync(Schema.toCodecJson(BidiError))

/**
 * A recording as JSON text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encode = (recording: Recording): string => JSON.stringify(toJson(recording))

const toJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) {
    return value.every((byte) => byte === 0) ? { $silence: value.length } : { $bytes: base64(value) }
  }
  if (Duration.isDuration(value)) return { $millis: Duration.toMillis(value) }
  if (value instanceof BidiError) return { $error: errorToJson(value) }
  if (Array.isArray(value)) return value.map(toJson)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJson(part)]))
}

const base64 = Schema.encodeSync(Schema.Uint8ArrayFromBase64)
const bytes = Schema.decodeUnknownSync(Schema.Uint8ArrayFromBase64)

/**
 * A recording from its text. Throws if the text is none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decode = (text: string): Recording => {
  const value = fromJson(JSON.parse(text)) as Recording
  if (value.version !== 1) throw new Error(`a recording of version ${String(value.version)} cannot be read`)
  return value
}

const fromJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromJson)
  if (!Predicate.isObject(value)) return value
  const entries = Object.entries(value)
  if (entries.length === 1) {
    const [key, part] = entries[0]!
    if (key === "$silence") return new Uint8Array(part as number)
    if (key === "$bytes") return bytes(part)
    if (key === "$millis") return Duration.millis(part === null ? Infinity : (part as number))
    if (key === "$error") return errorFromJson(part)
  }
  return Object.fromEntries(entries.map(([key, part]) => [key, fromJson(part)]))
}
