/**
 * Annotations that say how a conversation treats a tool.
 *
 * @example
 * ```ts
 * const pay = Tool.make("pay", { parameters, success, failure, failureMode: "return", needsApproval: true })
 *   .annotate(BidiTool.Timeout, "20 seconds")
 *   .annotate(BidiTool.OnInterruption, "uninterruptible")
 *   .annotate(BidiTool.StillWorkingAfter, "3 seconds")
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/**
 * How long a call may run. Then it is stopped, whatever `OnInterruption` says, and the model is told so. With
 * `Duration.infinity` there is no limit. It holds for tools of MCP servers too. Default: `tools.timeout` of the
 * conversation, which is 2 minutes by default.
 *
 * @category annotations
 * @since 0.1.0
 */
export const Timeout = Context.Reference<Duration.Input | undefined>("@effect-bidi/core/BidiTool/Timeout", {
  defaultValue: () => undefined
})

/**
 * The largest result that the model gets, in bytes of UTF-8 of its text or JSON, at least 256. A larger one becomes a text:
 * its beginning, and how much was cut. Events and history have the same. `Infinity` allows any size. Default:
 * `tools.resultLimit` of the conversation, which is 64 KiB by default.
 *
 * @category annotations
 * @since 0.1.0
 */
export const ResultLimit = Context.Reference<number | undefined>("@effect-bidi/core/BidiTool/ResultLimit", {
  defaultValue: () => undefined
})

/**
 * What happens to a running call when the user interrupts the agent. With `continue` it goes on, with `cancel` it is
 * stopped. An `uninterruptible` call is stopped only by its `Timeout` once it has begun, not by the provider and not by the
 * end of the conversation. Default: `continue`.
 *
 * @category annotations
 * @since 0.1.0
 */
export const OnInterruption = Context.Reference<"continue" | "cancel" | "uninterruptible">(
  "@effect-bidi/core/BidiTool/OnInterruption",
  { defaultValue: () => "continue" }
)

/**
 * How many calls of this tool may run at once in one conversation, at least one; others wait. Of all tools together, 32
 * calls of the model may run at once. Calls that wait do not count among these, nor do those that a tool or the application
 * makes itself (`callTool`). Default: no limit for one tool.
 *
 * @category annotations
 * @since 0.1.0
 */
export const Concurrency = Context.Reference<number>("@effect-bidi/core/BidiTool/Concurrency", {
  defaultValue: () => Infinity
})

/**
 * How long the model waits for the result of a call. Then it is told that the tool is still running, and the conversation
 * continues. The result follows as a note when nobody speaks, and causes a reply. Default: the model waits for the result.
 *
 * @category annotations
 * @since 0.1.0
 */
export const StillWorkingAfter = Context.Reference<Duration.Input | undefined>(
  "@effect-bidi/core/BidiTool/StillWorkingAfter",
  { defaultValue: () => undefined }
)

/**
 * How long a call waits for approval. Then it is rejected. Default: 2 minutes.
 *
 * @category annotations
 * @since 0.1.0
 */
export const ApprovalTimeout = Context.Reference<Duration.Input>("@effect-bidi/core/BidiTool/ApprovalTimeout", {
  defaultValue: () => "2 minutes"
})

/**
 * Keeps the arguments and results of the tool out of the log, also at the level `Debug`. Default: `false`.
 *
 * @category annotations
 * @since 0.1.0
 */
export const Confidential = Context.Reference<boolean>("@effect-bidi/core/BidiTool/Confidential", {
  defaultValue: () => false
})
