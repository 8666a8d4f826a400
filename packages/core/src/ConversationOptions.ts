/**
 * The options of a conversation: connections, interruption, limits, tools; and hooks.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type { BidiError } from "./BidiError.ts"
import type * as Schema from "effect/Schema"
import type { Output, OutputTag } from "./BidiEvent.ts"
import type { Entry } from "./Transcript.ts"

/**
 * How a conversation connects, retries and renews. A value that is not a duration fails `run` and `start` with
 * `InvalidRequest`, which names the option.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionOptions {
  /**
   * How long a connection may take to open and to receive the history, and how long the provider may take to confirm new
   * instructions or tools. Default: 10 seconds.
   */
  readonly timeout?: Duration.Input
  /**
   * With `false` the first connection is the only one: it is neither renewed nor replaced, and when it ends the
   * conversation fails with the reason. A known end is announced by `ConnectionWarning` all the same. `retry` and `renew` then
   * have no effect. Default: `true`.
   */
  readonly reconnect?: boolean
  /**
   * When to try again after a lost connection. The first attempt after a plain loss is made at once. When the schedule is
   * exhausted the conversation fails with the last error. A connection that lived for 10 seconds resets the schedule.
   * Default: 0.5 to 8 seconds, doubling, with jitter, 5 times.
   */
  readonly retry?: Schedule.Schedule<unknown, BidiError>
  /**
   * The longest that a provider's own `retryAfter` (of `RateLimited`) is honoured. Default: 1 minute.
   */
  readonly maxRetryAfter?: Duration.Input
  /**
   * Whether to replace a connection before the provider's limit ends it. `after` is the age at which to do so (default:
   * the provider's own; a known earlier end takes precedence); `wait` is how long to wait for the end of a turn (default:
   * 10 seconds). A connection is not renewed within its first second, and the pause grows each time that a provider asks
   * again at once. With `false` the limit fails the conversation with `SessionExpired`. Default: `true`.
   */
  readonly renew?: boolean | { readonly after?: Duration.Input; readonly wait?: Duration.Input }
}

/**
 * Which speech of the user interrupts the agent. Default: all speech that the provider reports.
 *
 * @category models
 * @since 0.1.0
 */
export interface InterruptionOptions {
  /** Speech interrupts when it has lasted so long. Default: at once. */
  readonly minDuration?: Duration.Input
  /**
   * Speech only pauses the agent. If no turn of the user comes of it within this time after it stopped, the agent goes
   * on where it was. Needs outputs that can pause; with others speech interrupts. Default: off.
   */
  readonly falseInterruptionTimeout?: Duration.Input
}

/**
 * Limits of one conversation. It is idle while nobody speaks, no reply is on its way or audible, and no tool runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConversationLimits {
  /** Emits `UserIdle` each time the conversation has been idle for this long. */
  readonly userIdle?: Duration.Input
  /** Ends the conversation with the reason `timeout` after it has been idle for this long. */
  readonly maxIdle?: Duration.Input
  /** Ends the conversation with the reason `timeout` after this long in all. */
  readonly maxDuration?: Duration.Input
}

/**
 * Defaults for the tools of a conversation. The annotations of a tool (`BidiTool`) take precedence.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolOptions {
  /**
   * How long a call may run before it is stopped and the model is told. Overridden by `BidiTool.Timeout`. Default: 2
   * minutes.
   */
  readonly timeout?: Duration.Input
  /**
   * How much of a result the model receives, in bytes of UTF-8; it is told how much was left out. Overridden by
   * `BidiTool.ResultLimit`. Default: 64 KiB.
   */
  readonly resultLimit?: number
}

/**
 * A call of a tool that the model asks for, before it is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface PendingToolCall {
  readonly id: string
  readonly name: string
  readonly input: Schema.Json
}

/**
 * What becomes of a tool call: it is made, made with another input, or refused with a reason that the model is told.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolDecision =
  | { readonly _tag: "Proceed" }
  | { readonly _tag: "Change"; readonly input: Schema.Json }
  | { readonly _tag: "Refuse"; readonly reason: string }

/**
 * A decision about tool calls, and what is done with a call about which nothing was decided in time.
 *
 * @category models
 * @since 0.1.0
 */
export interface BeforeTool<out R = never> {
  readonly decide: (call: PendingToolCall) => Effect.Effect<ToolDecision, never, R>
  readonly timeout: Duration.Input
  readonly onTimeout: "proceed" | "refuse"
}

/**
 * A hook of a conversation. Made by `BidiAgent.on`, which observes, or `BidiAgent.beforeTool` and `BidiAgent.beforeEntry`,
 * which decide.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hook<out R = never> {
  readonly tags: ReadonlyArray<OutputTag>
  readonly handle: (event: Output) => Effect.Effect<void, never, R>
  readonly beforeTool?: BeforeTool<R>
  readonly beforeEntry?: (entry: Entry) => Entry
}
