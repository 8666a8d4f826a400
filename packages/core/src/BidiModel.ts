/**
 * The contract of a realtime speech model.
 *
 * A provider package implements {@link BidiModel} as a Layer. Its `connect` opens **one** connection and never reconnects:
 * it reports how a connection ended, and the conversation decides what to do. An adapter translates between its wire and
 * the {@link Command}s and {@link ModelEvent}s below. It keeps no history, plays no audio and retries nothing.
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
import type { ImageInput, ResponseComplete, Untimed, Usage } from "./BidiEvent.ts"
import type { Consume } from "./adapter/Inbox.ts"
import type { Entry } from "./Transcript.ts"

/**
 * What a provider can do. A request for anything else fails with `Unsupported` before it is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  /** The model can be told how much of its speech was heard. */
  readonly truncation: boolean
  /** The user can send images. */
  readonly images: boolean
  /** The client decides where the user's turns begin and end (push to talk), with the options of this layer. */
  readonly manualTurns: boolean
  /** The provider keeps the state of a lost connection, which a handle resumes. */
  readonly resumption: boolean
  /** A second connection may be opened before the first is closed. */
  readonly overlap: boolean
  /** Instructions and tools can be changed on a live connection. Otherwise a new connection brings the change. */
  readonly midSessionUpdate: boolean
}

/**
 * The provider's limits, known before connecting.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** How long one connection may live. */
  readonly maxDuration?: Duration.Duration
  /** The age at which to renew a connection, unless it ends earlier or names its own end (`expiresAt`). */
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
 * @since 0.1.0
 */
export interface ToolDefinition {
  readonly name: string
  readonly description: string | undefined
  readonly parameters: JsonSchema.JsonSchema
}

/**
 * What the model is told about itself: its instructions and its tools.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile {
  readonly instructions: string | undefined
  readonly tools: ReadonlyArray<ToolDefinition>
}

/**
 * What a connection is opened with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setup extends Profile {
  /** A handle of an earlier connection (`Resumable`), where the provider keeps the state itself. */
  readonly resume: string | undefined
}

/**
 * One tool call of the model. `arguments` is the JSON text as the model wrote it, valid or not.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/**
 * The result of one tool call.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolOutput {
  readonly id: string
  readonly name: string
  readonly result: Schema.Json
  readonly isFailure: boolean
}

/**
 * How much of an audio item was heard, of all that was generated. In whole milliseconds; `heard` is at most `produced`.
 *
 * @category models
 * @since 0.1.0
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
 * @since 0.1.0
 */
export type UserPart = string | ImageInput

/**
 * What a conversation asks of a connection. Each command is one unit on the wire: an adapter sends all of its frames, or
 * fails.
 *
 * - `UserMessage`: a message of text and images, and the request for a reply. The conversation makes its `id`.
 * - `ToolOutputs`: the results of all calls of one `ToolCalls`, in the same order, and the request for **one** reply.
 * - `Note`: a fact from the application, not from the user. A reply is requested if `respond`.
 * - `Respond`: the request for a reply with no new content, following `instructions` in addition to the agent's own.
 * - `Interrupt`: the user cut the reply off. Cancel it if it is still generating, and report what was heard of each item;
 *   remove an item of which nothing was heard.
 * - `TurnStart`, `TurnCommit`, `TurnClear`: manual turns.
 * - `Update`: new instructions and tools. Only with `capabilities.midSessionUpdate`. The command counts as sent when the
 *   provider has confirmed it.
 *
 * @category models
 * @since 0.1.0
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
 * What a connection reports. Ids are the provider's; the adapter of a provider without ids makes them.
 *
 * - `ResponseStarted` comes before everything else of a response, `ResponseDone` after it, each exactly once. `more` means
 *   that this reply began before the last request for one, so that another reply follows.
 * - `NoResponse`: a requested reply will not come; `error` says why.
 * - `AudioDelta`: speech, in the format of `BidiModel.output`.
 * - `TranscriptDelta`, `TranscriptDone`: words of either side. A `TranscriptDone` without deltas brings the whole text. A
 *   `preview` may still change and is not part of the history.
 * - `Reasoning`: what the model thinks, or writes beside its speech. It is not part of what is said.
 * - `TranscriptFailed`: the words of this turn of the user will not come; `error` says why.
 * - `Refused`: the provider rejected the user's message with this id (the conversation's). It is not sent again.
 * - `UserTurn`: the provider accepted the user's speech as a turn, under `itemId`; its words may come later. `respond`
 *   means that a reply follows without a request. `interrupts` means that this is the first sign of speech over a reply
 *   that the provider believes to be over, but that is still audible.
 * - `SpeechStarted`, `SpeechStopped`: the provider's voice activity detection. Speech interrupts the agent, unless
 *   `interrupts` is `false` because the provider was told to let the agent finish.
 * - `Interrupted`: the provider itself cut a reply off because the user spoke.
 * - `ToolCalls`: calls whose results are sent together, reported when the model is ready for the results.
 * - `ToolCallsCancelled`: the provider no longer wants the results of these calls.
 * - `Expiring`: the connection ends in `timeLeft`.
 * - `Resumable`: `handle` can resume the connection; `undefined` means that nothing can at this moment.
 * - `Problem`: an error that does not end the connection.
 * - `Unknown`: an event that the adapter does not know; `type` is the provider's name for it, `raw` the whole event.
 *   Events that an adapter knows and ignores are not reported.
 *
 * @category models
 * @since 0.1.0
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
      /** How much of the item's audio has been spoken by the end of these words, in milliseconds, if that is known. */
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
  | Untimed<Usage>
  | { readonly _tag: "Expiring"; readonly timeLeft: Duration.Duration }
  | { readonly _tag: "Resumable"; readonly handle: string | undefined }
  | { readonly _tag: "Problem"; readonly error: BidiError; readonly details?: Schema.Json }
  | { readonly _tag: "Unknown"; readonly type: string; readonly raw: Schema.Json }

/**
 * One live connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  /** The provider's id of the session. */
  readonly id: string
  /** When the provider will end it, in milliseconds since the epoch, if it says so. A time in the past is ignored. */
  readonly expiresAt: number | undefined
  /**
   * Gives the model the history; on a resumed connection, only what the provider does not know yet. Called once, before
   * anything else is sent. It causes no reply.
   */
  readonly seed: (history: ReadonlyArray<Entry>) => Effect.Effect<void, BidiError>
  /**
   * Sends a command. It succeeds when the whole command has left for the provider; an `Update` succeeds when the provider
   * has confirmed it. `InvalidRequest` and `Unsupported` refuse this command only, and the connection goes on as if it had
   * not been sent. Every other failure ends the connection. The conversation adds the time limit of an `Update`.
   */
  readonly send: (command: Command) => Effect.Effect<void, BidiError>
  /**
   * Sends a frame of the user's speech at once. Returns `false` if the connection does not take it now (congested or
   * gone); the caller then keeps the frame. Never throws.
   */
  readonly sendAudio: (frame: Uint8Array) => boolean
  /**
   * Passes everything that the provider reports to `take`, one event after the other, until the connection ends; events
   * that came before the call are passed first. It never succeeds: every end of a connection has a reason, which is its
   * error. Called once.
   */
  readonly listen: (take: Consume<ModelEvent>) => Effect.Effect<void, BidiError>
}

/**
 * What a model is, and what it can do.
 *
 * @category models
 * @since 0.1.0
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
 * @since 0.1.0
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
