/**
 * The contract of a realtime speech model.
 *
 * A provider package implements {@link BidiModel} as a Layer. Its `connect` opens **one** connection and never
 * reconnects: it says how a connection ended, the conversation decides what follows. An adapter translates, in both
 * directions, between its wire and the {@link Command}s and {@link ModelEvent}s below; it holds no history, plays no
 * audio and retries nothing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as JsonSchema from "effect/JsonSchema"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { AudioFormat } from "./Audio.ts"
import type { BidiError } from "./BidiError.ts"
import type { ImageInput, ResponseComplete, Usage } from "./BidiEvent.ts"
import type { Consume } from "./adapter/Inbox.ts"
import type { Entry } from "./Transcript.ts"

/**
 * What a provider can do. Asking for what it cannot do fails with `Unsupported` before anything is sent.
 *
 * @category models
 */
export interface Capabilities {
  /** The model can be told how much of its speech was heard. */
  readonly truncation: boolean
  /** The user can send pictures. */
  readonly images: boolean
  /** The client decides where the user's turns begin and end (push to talk), with the options of this layer. */
  readonly manualTurns: boolean
  /** A lost connection can be resumed on the provider's side by a handle. */
  readonly resumption: boolean
  /** A second connection may be open before the first is closed. */
  readonly overlap: boolean
  /** Instructions and tools can be changed on a live connection. Without it a new connection that is ready confirms them. */
  readonly midSessionUpdate: boolean
}

/**
 * The provider's limits, known before connecting.
 *
 * @category models
 */
export interface Limits {
  /** How long one connection may live. */
  readonly maxDuration?: Duration.Duration
  /** At which age of a connection to renew it, unless it ends before that or names its own end (`expiresAt`). */
  readonly renewAfter?: Duration.Duration
  /** How long before `expiresAt` to renew it. */
  readonly renewBefore?: Duration.Duration
  /** How much text a new connection takes as history, in bytes of UTF-8. */
  readonly history?: number
}

/**
 * A tool as the model is told about it. `parameters` is a JSON Schema of an object.
 *
 * @category models
 */
export interface ToolDefinition {
  readonly name: string
  readonly description: string | undefined
  readonly parameters: JsonSchema.JsonSchema
}

/**
 * What makes a model an agent: its instructions and its tools.
 *
 * @category models
 */
export interface Profile {
  readonly instructions: string | undefined
  readonly tools: ReadonlyArray<ToolDefinition>
}

/**
 * What a connection is opened with.
 *
 * @category models
 */
export interface Setup extends Profile {
  /** A handle of an earlier connection (`Resumable`), where the provider keeps the state itself. */
  readonly resume: string | undefined
}

/**
 * One tool call of the model. `arguments` is the JSON text as the model wrote it, valid or not.
 *
 * @category models
 */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/**
 * The answer to one tool call.
 *
 * @category models
 */
export interface ToolOutput {
  readonly id: string
  readonly name: string
  readonly result: Schema.Json
  readonly isFailure: boolean
}

/**
 * What of an audio item left the speaker, of all that was produced of it: in whole milliseconds, `heard` at most
 * `produced`.
 *
 * @category models
 */
export interface HeardItem {
  readonly itemId: string
  readonly heard: number
  readonly produced: number
}

/**
 * A part of a user's message.
 *
 * @category models
 */
export type UserPart = string | ImageInput

/**
 * What a conversation asks of a connection. Each command is one unit on the wire: an adapter sends all frames of it, or
 * fails.
 *
 * - `UserMessage`: one message of text and images, and the request for a reply. `id` is ours.
 * - `ToolOutputs`: the answers to all calls of one `ToolCalls`, in its order, and the request for **one** reply.
 * - `Note`: a fact for the model from the application, not from the user; a reply is asked for when `respond`.
 * - `Respond`: the request for a reply with nothing new, following `instructions` where given, in addition to the system
 *   prompt.
 * - `Interrupt`: the user cut the reply off. Cancel it if it is still generating, and tell what was heard of each item;
 *   an item of which nothing was heard is forgotten.
 * - `TurnStart`, `TurnCommit`, `TurnClear`: manual turns.
 * - `Update`: other instructions and tools from now on. Only with `capabilities.midSessionUpdate`. It is sent once the
 *   provider has confirmed it.
 *
 * @category models
 */
export type Command =
  | { readonly _tag: "UserMessage"; readonly id: string; readonly parts: ReadonlyArray<UserPart> }
  | { readonly _tag: "ToolOutputs"; readonly outputs: ReadonlyArray<ToolOutput> }
  | { readonly _tag: "Note"; readonly text: string; readonly respond: boolean }
  | { readonly _tag: "Respond"; readonly instructions?: string }
  | { readonly _tag: "Interrupt"; readonly responseId: string; readonly items: ReadonlyArray<HeardItem> }
  | { readonly _tag: "TurnStart" }
  | { readonly _tag: "TurnCommit" }
  | { readonly _tag: "TurnClear" }
  | ({ readonly _tag: "Update" } & Profile)

/**
 * What a connection reports. Ids are the provider's; an adapter of a provider without them makes them up.
 *
 * - `ResponseStarted` precedes everything of a response, `ResponseDone` follows it, both exactly once. With `more`, this
 *   reply was begun before the last request for one, and another follows.
 * - `NoResponse`: a reply that was asked for will not come; `error` says why.
 * - `AudioDelta`: speech, in `BidiModel.output`'s format.
 * - `TranscriptDelta`, `TranscriptDone`: words of either side. A final without deltas brings all of its text. `preview`
 *   text may still change and is not part of history.
 * - `Reasoning`: what the model thinks, or writes beside its speech. It is no part of what is said.
 * - `TranscriptFailed`: the words of this turn of the user will never come; `error` says why.
 * - `Refused`: the provider does not take the message of the user with this id, ours; it will not be sent again.
 * - `UserTurn`: the provider took what the user said as a turn of the talk, under `itemId`; its words may come later.
 *   `respond` says that a reply follows by itself; `interrupts` that it is the first sign of speech that interrupts the
 *   agent, where it is only still audible: the provider thinks that it has been heard to its end.
 * - `SpeechStarted`, `SpeechStopped`: the provider's ear. Speech interrupts the agent, unless `interrupts` is `false`: the
 *   provider was told to let it finish.
 * - `Interrupted`: the provider itself cut a reply off because the user spoke.
 * - `ToolCalls`: calls that are to be answered together, once the model is ready for the answers.
 * - `ToolCallsCancelled`: the provider no longer wants these answers.
 * - `Expiring`: the connection ends in `timeLeft`.
 * - `Resumable`: the connection can be resumed by `handle`; `undefined` means not at this moment.
 * - `Problem`: an error that does not end the connection.
 * - `Unknown`: the provider said something that the adapter has no name for; `type` is the provider's, `raw` all of it.
 *   What an adapter knows and has no use for is not unknown.
 *
 * @category models
 */
export type ModelEvent =
  | { readonly _tag: "ResponseStarted"; readonly responseId: string; readonly more?: boolean }
  | {
      readonly _tag: "ResponseDone"
      readonly responseId: string
      readonly stopReason: ResponseComplete["stopReason"]
      readonly detail?: "max_tokens" | "content_filter"
      readonly error?: BidiError
    }
  | { readonly _tag: "NoResponse"; readonly error: BidiError }
  | {
      readonly _tag: "AudioDelta"
      readonly responseId: string
      readonly itemId: string
      readonly audio: Uint8Array
    }
  | {
      readonly _tag: "TranscriptDelta"
      readonly role: "user" | "assistant"
      readonly itemId: string
      readonly responseId?: string
      readonly delta: string
      readonly preview?: boolean
      /** How much of the item's audio has been spoken when these words have, in milliseconds, if that is known. */
      readonly until?: number
    }
  | {
      readonly _tag: "TranscriptDone"
      readonly role: "user" | "assistant"
      readonly itemId: string
      readonly responseId?: string
      readonly text: string
    }
  | { readonly _tag: "Reasoning"; readonly responseId: string; readonly delta: string }
  | { readonly _tag: "TranscriptFailed"; readonly itemId: string; readonly error: BidiError }
  | { readonly _tag: "Refused"; readonly id: string; readonly error: BidiError; readonly details?: Schema.Json }
  | {
      readonly _tag: "UserTurn"
      readonly itemId: string
      readonly respond: boolean
      readonly interrupts?: boolean
    }
  | { readonly _tag: "SpeechStarted"; readonly interrupts?: boolean }
  | { readonly _tag: "SpeechStopped" }
  | { readonly _tag: "Interrupted"; readonly responseId: string }
  | { readonly _tag: "ToolCalls"; readonly responseId: string; readonly calls: ReadonlyArray<ToolCall> }
  | { readonly _tag: "ToolCallsCancelled"; readonly ids: ReadonlyArray<string> }
  | Usage
  | { readonly _tag: "Expiring"; readonly timeLeft: Duration.Duration }
  | { readonly _tag: "Resumable"; readonly handle: string | undefined }
  | { readonly _tag: "Problem"; readonly error: BidiError; readonly details?: Schema.Json }
  | { readonly _tag: "Unknown"; readonly type: string; readonly raw: Schema.Json }

/**
 * One live connection.
 *
 * @category models
 */
export interface Connection {
  /** The provider's id of the session. */
  readonly id: string
  /** When the provider will end it, in milliseconds of the epoch, where it says so. What is past says nothing. */
  readonly expiresAt: number | undefined
  /**
   * Puts the talk so far before the model; on a connection that was resumed, only what the provider does not know yet.
   * Called once, before anything else is sent; causes no reply.
   */
  readonly seed: (history: ReadonlyArray<Entry>) => Effect.Effect<void, BidiError>
  /**
   * Sends a command. Success means that all of it left for the provider; of an `Update`, that the provider has confirmed
   * it. `InvalidRequest` and `Unsupported` refuse this command, the connection is as it was without it and goes on; every
   * other failure is the end of it. The conversation adds the time limit of an `Update`, and ends the connection then.
   */
  readonly send: (command: Command) => Effect.Effect<void, BidiError>
  /**
   * Sends a frame of the user's speech, at once. `false` means that the connection does not take it now (congested or
   * gone); the caller keeps the frame. Never throws.
   */
  readonly sendAudio: (frame: Uint8Array) => boolean
  /**
   * Has what the provider reports taken, in order and one after the other, until the connection ends. What was reported
   * before comes first. It never ends without an error: every end of a connection has a reason. Called once.
   */
  readonly listen: (take: Consume<ModelEvent>) => Effect.Effect<void, BidiError>
}

/**
 * What a model is, and what it can do.
 *
 * @category models
 */
export interface ModelInfo {
  /** The provider's short name: `openai`, `google`, `bedrock`. */
  readonly provider: string
  /** The model's own name. */
  readonly model: string
  /** The format of the user's audio. */
  readonly input: AudioFormat
  /** The format of the agent's audio. */
  readonly output: AudioFormat
  readonly capabilities: Capabilities
  readonly limits: Limits
}

/**
 * A realtime speech model.
 *
 * @category services
 */
export class BidiModel extends Context.Service<
  BidiModel,
  ModelInfo & {
    /**
     * Opens one connection and waits until the provider has accepted its configuration. Closing the scope closes the
     * connection hard and at once. The conversation adds the connect timeout; an adapter need only be interruptible.
     */
    readonly connect: (setup: Setup) => Effect.Effect<Connection, BidiError, Scope.Scope>
  }
>()("@effect-bidi/core/BidiModel") {}
