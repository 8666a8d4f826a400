/**
 * The running conversation, as a service for tools, hooks, inputs and outputs.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { BidiError } from "./BidiError.ts"
import type { CloseReason, ImageInput, Input, TextInput } from "./BidiEvent.ts"
import type { ModelInfo } from "./BidiModel.ts"

/**
 * What `send` accepts: a text, an input event, or several texts and images that form one message of the user.
 *
 * @category models
 * @since 0.1.0
 */
export type Sendable = string | Input | ReadonlyArray<string | TextInput | ImageInput>

/**
 * How something is said.
 *
 * @category models
 * @since 0.1.0
 */
export interface SayOptions {
  /**
   * With `false` the user cannot cut it off: not by speech, which the model does not hear meanwhile, nor by text, which
   * waits. Only `interrupt({ force: true })` does. Default: `true`.
   */
  readonly interruptible?: boolean
}

/**
 * How the agent speaks first: following instructions, or word for word.
 *
 * @category models
 * @since 0.1.0
 */
export type Greeting = { readonly instructions: string } | ({ readonly text: string } & SayOptions)

/**
 * How a requested reply is made: `instructions` apply to this reply, in addition to those of the agent.
 *
 * @category models
 * @since 0.1.0
 */
export interface RespondOptions {
  readonly instructions?: string
}

/**
 * Who the agent is: its name, its instructions, and its tools with their handlers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile<Tools extends Record<string, Tool.Any> = Record<string, Tool.Any>> {
  readonly name: string
  readonly instructions: string | undefined
  readonly toolkit: Toolkit.WithHandler<Tools>
}

type HandlerServices<Tools extends Record<string, Tool.Any>> = Tool.HandlerServices<Tools[keyof Tools]>

/**
 * The services that tools require, other than `CurrentConversation`. For tools of type `any`: none.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ToolServices<Tools extends Record<string, Tool.Any>> =
  unknown extends HandlerServices<Tools> ? never : Exclude<HandlerServices<Tools>, CurrentConversation>

/**
 * The name of one of the tools. A name that is known only at run time may be any string.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ToolName<Tools extends Record<string, Tool.Any>, Name extends string> = [keyof Tools] extends [never]
  ? Name
  : string extends Name
    ? Name
    : Extract<Name, keyof Tools> extends never
      ? keyof Tools & string
      : Name

/**
 * The parameters of a tool, encoded as a model writes them.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ToolInput<Tools extends Record<string, Tool.Any>, Name> = 0 extends 1 & Tools
  ? Schema.Json
  : Name extends keyof Tools
    ? Tool.ParametersEncoded<Tools[Name]>
    : Schema.Json

/**
 * What was heard of a reply: `text` is the part of `full`, the words known so far, that was heard. `left` is how much audio
 * is still to be played: infinite while the reply is being generated; zero once it was heard or cut off, or if there is no
 * speaker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heard {
  readonly text: string
  readonly full: string
  readonly left: Duration.Duration
}

/**
 * Values of the application that belong to the session, as JSON by their keys; `AgentState` gives them a schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateValues {
  readonly get: (key: string) => Schema.Json | undefined
  /** Succeeds when the change is durable. */
  readonly set: (key: string, value: Schema.Json) => Effect.Effect<void, BidiError>
  /** Changes a value by what `change` makes of it, and returns its result when the change is durable. */
  readonly modify: <A, E, R>(
    key: string,
    change: (value: Schema.Json | undefined) => Effect.Effect<readonly [result: A, value: Schema.Json], E, R>
  ) => Effect.Effect<A, E | BidiError, R>
}

/**
 * A running conversation. Everything may be used at any time and from any fiber, including tools, hooks and outputs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conversation<Tools extends Record<string, Tool.Any> = any> {
  readonly sessionId: string
  /** The model in use: its name, audio formats and capabilities. */
  readonly model: ModelInfo
  /**
   * Sends input to the model. Text interrupts the agent if it is speaking. Texts, images and turn signals wait for the
   * connection, arrive once and in order, and succeed when they have left; audio and playback reports never wait.
   * Interrupting a `send` that still waits withdraws it.
   *
   * Fails with `ConversationEnded` after the end; with `InvalidRequest` for audio in a format that the model does not take,
   * and for a `TurnCommit` of a turn without speech; and with `Unsupported` for what the provider cannot do.
   */
  readonly send: (input: Sendable) => Effect.Effect<void, BidiError>
  /**
   * Makes the agent say a text, as soon as nobody speaks and no reply is on its way. Succeeds when the request has left. The
   * model is instructed to say it word for word; models usually do, but none guarantees it.
   */
  readonly say: (text: string, options?: SayOptions) => Effect.Effect<void, BidiError>
  /**
   * Requests a reply, as soon as nobody speaks and no other reply is on its way. Succeeds when the request has left. For
   * turns that are not answered automatically (`createResponse: false` of OpenAI), and for an agent that speaks unasked.
   *
   * Fails with `ConversationEnded` after the end, and with `Unsupported` if the provider has no such request.
   */
  readonly respond: (options?: RespondOptions) => Effect.Effect<void, BidiError>
  /**
   * Tells the model a fact, as information from the application rather than the user, without requesting a reply. Succeeds
   * when it has left; it is then part of the history.
   *
   * Fails with `ConversationEnded` after the end, with `InvalidRequest` for an empty text, and with `Unsupported` if the
   * provider replies to everything it receives.
   */
  readonly note: (text: string) => Effect.Effect<void, BidiError>
  /**
   * Cuts the agent off, as the user's speech would. Does nothing if the agent is silent, or says something that is not
   * interruptible, unless `force` is set. Between two connections it discards what the next connection would have been asked
   * to say, except replies to the user.
   */
  readonly interrupt: (options?: { readonly force?: boolean }) => Effect.Effect<void>
  /**
   * Mutes an input until `unmute`; without a name, all inputs and `send`. If the user is in the middle of a turn, the model
   * hears silence until it accepts the turn.
   */
  readonly mute: (input?: string) => Effect.Effect<void>
  /** Unmutes an input; without a name, all of them. */
  readonly unmute: (input?: string) => Effect.Effect<void>
  /** Approves a tool call that waits for approval (`ApprovalRequest`). Returns whether it was waiting; the first decision counts. */
  readonly approve: (toolCallId: string) => Effect.Effect<boolean>
  /** Rejects a tool call that waits for approval, and tells the model the reason. Returns whether it was waiting. */
  readonly reject: (toolCallId: string, reason?: string) => Effect.Effect<boolean>
  /**
   * Calls one of the agent's tools directly, without the model and without approval. A failing tool is a result with
   * `isFailure`, as for the model. With `record` the call enters the history and the model is told about it. The types are
   * those of the tools of the agent that was started; after a `handoff` the tools may differ. Fails with
   * `ConversationEnded` after the end.
   */
  callTool<const Name extends string>(
    name: ToolName<Tools, Name>,
    input: ToolInput<Tools, Name>,
    options?: { readonly record?: boolean }
  ): Effect.Effect<{ readonly result: Schema.Json; readonly isFailure: boolean }, BidiError>
  /**
   * Changes the instructions or the tools; what is omitted stays. Succeeds when the provider has confirmed the change: soon
   * if it can change a live connection (`capabilities.midSessionUpdate`), otherwise when a new connection is ready, which is
   * opened as soon as nobody speaks, and after 10 seconds at the latest. Running tool calls continue.
   *
   * A change that fails or is interrupted has no effect: conversation, tools and model stay as they were. Fails with the
   * provider's refusal (`InvalidRequest`); with `ServerFault` if two connections did not confirm it in time; with the last
   * error if three attempts to connect with it failed; and with `Unsupported` if it needs a new connection and
   * `connection.reconnect` is `false`.
   */
  readonly update: <Tools extends Record<string, Tool.Any> = {}, E = never, R = never>(changes: {
    readonly instructions?: string
    readonly toolkit?: Effect.Effect<Toolkit.WithHandler<Tools>, E, R>
  }) => Effect.Effect<void, BidiError | E, R | ToolServices<Tools>>
  /**
   * Hands the conversation over to another agent: the same call, history and model, with the instructions and tools of that
   * agent. Succeeds and fails like `update`, and emits `Handoff`. When a tool calls it, the result of the tool goes to the
   * agent that took over, which speaks next.
   */
  readonly handoff: <Tools extends Record<string, Tool.Any>>(
    to: Profile<Tools>
  ) => Effect.Effect<void, BidiError, ToolServices<Tools>>
  /** Requests the end of the conversation and returns at once. The first reason counts. */
  readonly stop: (reason?: CloseReason) => Effect.Effect<void>
  /** Values of the application that belong to the session. See `AgentState`. */
  readonly state: StateValues
  /**
   * The conversation so far, as heard: a reply that is still audible appears with the words that were heard by now, and with
   * all of its words as `full` in the message's options under `effect-bidi`. A reply of which nothing was heard does not
   * appear yet. Without a speaker, words count as heard when they arrive.
   */
  readonly history: Effect.Effect<Prompt.Prompt>
  /**
   * What was heard of a reply by now, for captions that follow the voice. Without a speaker, words count as heard when they
   * arrive.
   */
  readonly heard: (responseId: string) => Effect.Effect<Heard>
  /** Waits until the agent is not audible any more. */
  readonly awaitSilence: Effect.Effect<void>
  /**
   * Waits until nobody speaks, no reply is on its way, audible, or owed after a lost connection, nothing waits to be sent,
   * and no tool runs. Inside a tool, its own call does not count, nor do other calls that wait for the same. Readers of
   * `events` have handled the events before it, unless that takes them longer than a second.
   */
  readonly awaitIdle: Effect.Effect<void>
}

/**
 * The conversation this code runs in.
 *
 * @category services
 * @since 0.1.0
 */
export class CurrentConversation extends Context.Service<CurrentConversation, Conversation>()(
  "@effect-bidi/core/CurrentConversation"
) {}
