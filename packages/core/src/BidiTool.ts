/**
 * How a conversation treats a tool, said where the tool is defined.
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
 * How long a call may take from its first step; then it is stopped, whatever `OnInterruption` says, and the model is
 * told. `Duration.infinity`: as long as it wants. Default: what `tools.timeout` of the conversation says, 2 minutes
 * without. Tools of an MCP server are no exception.
 *
 * @category annotations
 */
export const Timeout = Context.Reference<Duration.Input | undefined>("@effect-bidi/core/BidiTool/Timeout", {
  defaultValue: () => undefined
})

/**
 * How much of a result the model is told, in bytes of UTF-8 of its text or JSON, at least 256. Of a larger one it is told
 * the beginning, as a text that ends with how much is left out; events and history hold the same. `Infinity`: all of it.
 * Default: what `tools.resultLimit` of the conversation says, 64 KiB without.
 *
 * @category annotations
 */
export const ResultLimit = Context.Reference<number | undefined>("@effect-bidi/core/BidiTool/ResultLimit", {
  defaultValue: () => undefined
})

/**
 * What becomes of a running call when the user interrupts the agent: `continue` (the default), `cancel`, or
 * `uninterruptible`: nothing but its `Timeout` stops it once it has begun, not the provider and not the end of the
 * conversation.
 *
 * @category annotations
 */
export const OnInterruption = Context.Reference<"continue" | "cancel" | "uninterruptible">(
  "@effect-bidi/core/BidiTool/OnInterruption",
  { defaultValue: () => "continue" }
)

/**
 * How many calls of this tool may run at once in one conversation, at least one; others wait. Default: any number, within
 * the 32 calls of the model that may run of all tools together. A call that waits for its turn is none of these, and
 * neither is one that a tool or the application makes itself (`callTool`).
 *
 * @category annotations
 */
export const Concurrency = Context.Reference<number>("@effect-bidi/core/BidiTool/Concurrency", {
  defaultValue: () => Infinity
})

/**
 * When a call takes longer, the model is told that it is still being worked on, and the conversation goes on; the result
 * follows as context when nobody speaks, and causes a reply. Default: the model waits for the result.
 *
 * @category annotations
 */
export const StillWorkingAfter = Context.Reference<Duration.Input | undefined>(
  "@effect-bidi/core/BidiTool/StillWorkingAfter",
  { defaultValue: () => undefined }
)

/**
 * How long a call that needs approval waits for it before it is rejected. Default: 2 minutes.
 *
 * @category annotations
 */
export const ApprovalTimeout = Context.Reference<Duration.Input>("@effect-bidi/core/BidiTool/ApprovalTimeout", {
  defaultValue: () => "2 minutes"
})

/**
 * What this tool is given and what it gives are not written into the log, also not at the level `Debug`. Default: they are,
 * there.
 *
 * @category annotations
 */
export const Confidential = Context.Reference<boolean>("@effect-bidi/core/BidiTool/Confidential", {
  defaultValue: () => false
})
