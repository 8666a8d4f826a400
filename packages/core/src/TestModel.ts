/**
 * The types of the scripted model of `BidiTest`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { AudioFormat } from "./Audio.ts"
import type { BidiError } from "./BidiError.ts"
import type { BidiModel, Capabilities, Command, Limits, ModelEvent, Setup } from "./BidiModel.ts"
import type { Entry } from "./Transcript.ts"

/**
 * Something that reached the model. `at` is in milliseconds of the clock, `generation` counts connections from 1.
 *
 * @category models
 * @since 0.1.0
 */
export type Logged = { readonly at: number; readonly generation: number } & (
  | { readonly _tag: "Dialed"; readonly setup: Setup }
  | { readonly _tag: "Seeded"; readonly history: ReadonlyArray<Entry> }
  | { readonly _tag: "Command"; readonly command: Command }
  | { readonly _tag: "Audio"; readonly audio: Uint8Array }
  | { readonly _tag: "Closed" }
)

/**
 * One reply of the scripted model.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly text?: string
  /** The length of the speech, which is sent in frames of 100 ms. */
  readonly audio?: Duration.Input
  /** How long the model takes to produce all of it. Default: no time. */
  readonly over?: Duration.Input
  readonly responseId?: string
  readonly itemId?: string
  /** Leaves the reply open: there is no `ResponseDone`. */
  readonly unfinished?: boolean
}

/**
 * The command with a tag.
 *
 * @category utility types
 * @since 0.1.0
 */
export type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/**
 * The model's end of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  /** Counts the connections, from 1. */
  readonly generation: number
  readonly setup: Setup
  /** The history that this connection was given so far. */
  readonly history: () => ReadonlyArray<Entry>
  /** Makes the connection ready. Everything below that sends or expects something does so too; waiting does not. */
  readonly accept: Effect.Effect<void>
  /** Fails the attempt to connect. */
  readonly refuse: (error: BidiError) => Effect.Effect<never>
  /** The next command, whatever it is. */
  readonly next: Effect.Effect<Command>
  /** The next command, which must have this tag; any other fails the test. */
  readonly expect: <Tag extends Command["_tag"]>(tag: Tag) => Effect.Effect<CommandOf<Tag>>
  /** The next command, which must be this text of the user. */
  readonly expectText: (text: string) => Effect.Effect<void>
  /** The next frame of the user's audio. */
  readonly nextAudio: Effect.Effect<Uint8Array>
  /** Sends events to the conversation. */
  readonly emit: (...events: ReadonlyArray<ModelEvent>) => Effect.Effect<void>
  /** Says something, from `ResponseStarted` to `ResponseDone`. Returns the id of the response. */
  readonly reply: (reply: Reply) => Effect.Effect<string>
  /** Calls tools in one response, by name and arguments. The ids are `call-1`, `call-2`, … Returns the id of the response. */
  readonly callTools: (...calls: ReadonlyArray<readonly [name: string, input: unknown]>) => Effect.Effect<string>
  /** Hears the user: speech starts, lasts, stops, is taken as a turn, and its words are known. */
  readonly hear: (text: string, options?: { readonly lasting?: Duration.Input }) => Effect.Effect<void>
  /** Lets time pass. */
  readonly wait: (duration: Duration.Input) => Effect.Effect<void>
  /** Ends the connection from the model's side, with this error. Default: `ConnectionLost`. */
  readonly drop: (error?: BidiError) => Effect.Effect<void>
  /** Refuses the next command with this error, which must be `InvalidRequest` or `Unsupported`. */
  readonly rejectNext: (error: BidiError) => Effect.Effect<void>
  /** From now on an `Update` is not confirmed until `confirmUpdate` or `refuseUpdate`. */
  readonly holdUpdates: Effect.Effect<void>
  /** Confirms the `Update` that waits, once there is one. */
  readonly confirmUpdate: Effect.Effect<void>
  /** Refuses the `Update` that waits, once there is one, with `InvalidRequest` or `Unsupported`. */
  readonly refuseUpdate: (error: BidiError) => Effect.Effect<void>
  /** From now on frames of audio are refused (`true`) or taken again. */
  readonly congest: (congested: boolean) => Effect.Effect<void>
}

/**
 * What the model does on a connection. When the script ends, the connection stays open.
 *
 * @category models
 * @since 0.1.0
 */
export type Script = (line: Line) => Effect.Effect<void>

/**
 * A model that follows a script, and keeps everything that reached it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestModel {
  readonly layer: Layer.Layer<BidiModel>
  /** Everything that reached the model so far, on any connection. */
  readonly log: () => ReadonlyArray<Logged>
  /** The commands among it. */
  readonly commands: () => ReadonlyArray<Command>
  /** How many connections are open now. */
  readonly open: () => number
}

/**
 * The properties of a scripted model.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelOptions {
  /** The format of the user's audio. Default: `pcm` at 24000 Hz, one channel. */
  readonly input?: AudioFormat
  /** The format of the model's audio. Default: `pcm` at 24000 Hz, one channel. */
  readonly output?: AudioFormat
  /** Default: everything but `resumption`. */
  readonly capabilities?: Partial<Capabilities>
  /** Default: none. */
  readonly limits?: Limits
  /**
   * How long each connection may live, from which the conversation gets `expiresAt`. It is negative where the clock of the
   * provider is slow. Default: there is no limit.
   */
  readonly lifetime?: Duration.Input
}
