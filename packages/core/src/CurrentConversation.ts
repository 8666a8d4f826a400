/**
 * The conversation one is in. Tools, hooks, inputs and outputs reach it as a service.
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
 * What can be sent: text, an event, or several texts and pictures that make up one message of the user.
 *
 * @category models
 */
export type Sendable = string | Input | ReadonlyArray<string | TextInput | ImageInput>

/**
 * How something is said.
 *
 * @category models
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
 */
export type Greeting = { readonly instructions: string } | ({ readonly text: string } & SayOptions)

/**
 * How a reply that the application asks for is made: by `instructions`, in addition to those of the agent.
 *
 * @category models
 */
export interface RespondOptions {
  readonly instructions?: string
}

/**
 * What makes an agent who it is.
 *
 * @category models
 */
export interface Profile<Tools extends Record<string, Tool.Any> = Record<string, Tool.Any>> {
  readonly name: string
  readonly instructions: string | undefined
  readonly toolkit: Toolkit.WithHandler<Tools>
}

type HandlerServices<Tools extends Record<string, Tool.Any>> = Tool.HandlerServices<Tools[keyof Tools]>

/**
 * What tools need besides the conversation they run in. Of tools that are not known (`any`) it is not known: nothing.
 *
 * @category utility types
 */
export type ToolServices<Tools extends Record<string, Tool.Any>> =
  unknown extends HandlerServices<Tools> ? never : Exclude<HandlerServices<Tools>, CurrentConversation>

/**
 * A name of one of the tools, where they are known. A name that is known only at run time is any string.
 *
 * @category utility types
 */
export type ToolName<Tools extends Record<string, Tool.Any>, Name extends string> = [keyof Tools] extends [never]
  ? Name
  : string extends Name
    ? Name
    : Extract<Name, keyof Tools> extends never
      ? keyof Tools & string
      : Name

/**
 * What a tool takes, as a model writes it.
 *
 * @category utility types
 */
export type ToolInput<Tools extends Record<string, Tool.Any>, Name> = 0 extends 1 & Tools
  ? Schema.Json
  : Name extends keyof Tools
    ? Tool.ParametersEncoded<Tools[Name]>
    : Schema.Json

/**
 * What was heard of the words of a reply: `text` of `full`, all that is known of it. `left` is how much of its sound is
 * still to be heard: infinitely much while it is being generated, none after it was heard or cut off, or without a speaker.
 *
 * @category models
 */
export interface Heard {
  readonly text: string
  readonly full: string
  readonly left: Duration.Duration
}

/**
 * A running conversation. All of it may be used at any time from any fiber, also inside a tool, a hook or an output.
 *
 * @category models
 */
export interface Conversation<Tools extends Record<string, Tool.Any> = any> {
  readonly sessionId: string
  /** The model in use: its name, its audio formats, what it can do. */
  readonly model: ModelInfo
  /**
   * Sends something into the conversation. Text interrupts the agent if it is speaking. Text, pictures and turn
   * signals wait for the connection, arrive once and in order, and succeed when they have left; audio and playback
   * reports never wait. Interrupting a `send` that waits takes it back.
   *
   * Fails with `ConversationEnded` after the end, with `InvalidRequest` for audio the model does not take and for a
   * `TurnCommit` of a turn in which nothing was said, and with `Unsupported` for what the provider cannot do.
   */
  readonly send: (input: Sendable) => Effect.Effect<void, BidiError>
  /**
   * Has the agent say a text, once nobody speaks and no reply is on its way; succeeds when it was asked for. The model is
   * told to say it word for word: models mostly do, none promises to.
   */
  readonly say: (text: string, options?: SayOptions) => Effect.Effect<void, BidiError>
  /**
   * Asks for a reply, once nobody speaks and no other is on its way; succeeds when it was asked for. For turns that are
   * not answered by themselves (`createResponse: false` of OpenAI), and for an agent that is to speak unasked.
   *
   * Fails with `ConversationEnded` after the end, and with `Unsupported` where the provider cannot be asked.
   */
  readonly respond: (options?: RespondOptions) => Effect.Effect<void, BidiError>
  /**
   * Tells the model a fact, as a word of the application and not of the user, without asking for a reply; succeeds when it
   * has left. It is part of the history from then on.
   *
   * Fails with `ConversationEnded` after the end, with `InvalidRequest` when there are no words, and with `Unsupported`
   * where the provider answers whatever it is told.
   */
  readonly note: (text: string) => Effect.Effect<void, BidiError>
  /**
   * Cuts the agent off, as the user's speech would. Nothing happens if it is silent, or protected and not forced. While
   * nobody is connected: what the next connection would have been asked to say, but for replies to the user, is not.
   */
  readonly interrupt: (options?: { readonly force?: boolean }) => Effect.Effect<void>
  /**
   * Frames of audio of this input (default: of all, and those given to `send`) are not heard until `unmute`. A turn of
   * the user that is not finished ends here: the model is given silence until it takes it.
   */
  readonly mute: (input?: string) => Effect.Effect<void>
  /** Frames are heard again. Without a name: all of them. */
  readonly unmute: (input?: string) => Effect.Effect<void>
  /**
   * Consents to a tool call that waits for it (`ApprovalRequest`). Answers whether it did; the first decision counts.
   */
  readonly approve: (toolCallId: string) => Effect.Effect<boolean>
  /** Rejects a tool call that waits for consent; the model is told the reason. Answers whether it did wait. */
  readonly reject: (toolCallId: string, reason?: string) => Effect.Effect<boolean>
  /**
   * Calls one of the agent's tools, without the model and without asking for consent. A failure is an answer, as it
   * would be for the model. With `record` the call becomes part of the history, and the model is told about it. Names and
   * inputs are those of the agent that was started, where these are known; after a `handoff` they may be others. Fails
   * with `ConversationEnded` after the end.
   */
  callTool<const Name extends string>(
    name: ToolName<Tools, Name>,
    input: ToolInput<Tools, Name>,
    options?: { readonly record?: boolean }
  ): Effect.Effect<{ readonly result: Schema.Json; readonly isFailure: boolean }, BidiError>
  /**
   * Changes the instructions or the tools; what is left out stays. Succeeds when the provider has confirmed the change:
   * soon where it can change a live connection (`capabilities.midSessionUpdate`), elsewhere when a new connection is ready,
   * which is made as soon as nobody speaks, at the latest after 10 seconds. Calls that run go on.
   *
   * A change that fails, or is interrupted, is none: conversation, tools and model are as before. It fails with what the
   * provider says of it (`InvalidRequest`), with `ServerFault` when two connections did not confirm it in time, with the
   * last error when no connection is to be had with it in three tries, and with `Unsupported` where it needs a new
   * connection and `connection.reconnect` is `false`.
   */
  readonly update: <Tools extends Record<string, Tool.Any> = {}, E = never, R = never>(changes: {
    readonly instructions?: string
    readonly toolkit?: Effect.Effect<Toolkit.WithHandler<Tools>, E, R>
  }) => Effect.Effect<void, BidiError | E, R | ToolServices<Tools>>
  /**
   * Lets another agent take over: its instructions and its tools, from now on, in the same call with the same history,
   * over the same model. Otherwise as `update`; a `Handoff` event follows. From a tool: what the tool answers is told to
   * the agent that took over, which then speaks.
   */
  readonly handoff: <Tools extends Record<string, Tool.Any>>(
    to: Profile<Tools>
  ) => Effect.Effect<void, BidiError, ToolServices<Tools>>
  /** Asks for the end of the conversation and returns at once. The first reason given is the one reported. */
  readonly stop: (reason?: CloseReason) => Effect.Effect<void>
  /**
   * What was said so far, as heard: of a reply that is still audible, the words that were heard by now; the message has
   * all of its words as `full` in its options under `effect-bidi`, until they were heard. A reply of which nothing was
   * heard yet is not there. Without a speaker words count when they come.
   */
  readonly history: Effect.Effect<Prompt.Prompt>
  /**
   * What was heard of a reply by now, for captions that go with the voice. Without a speaker words are read: all of them
   * are heard when they come.
   */
  readonly heard: (responseId: string) => Effect.Effect<Heard>
  /** Waits until nothing of the agent's speech is audible any more. */
  readonly awaitSilence: Effect.Effect<void>
  /**
   * Waits until nobody speaks, no reply is on its way, owed by a lost connection, or audible, nothing is about to be sent,
   * and no tool runs. In a tool its own call does not count, nor do others that wait for the same. Whoever reads `events`
   * has dealt with those that led to it, unless that takes longer than a second.
   */
  readonly awaitIdle: Effect.Effect<void>
}

/**
 * The conversation this code runs in.
 *
 * @category services
 */
export class CurrentConversation extends Context.Service<CurrentConversation, Conversation>()(
  "@effect-bidi/core/CurrentConversation"
) {}
