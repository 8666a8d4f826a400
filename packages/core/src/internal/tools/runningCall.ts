/**
 * The tool call that a fiber works for. What it does inside a conversation is seen as part of that call: it does not wait
 * for itself.
 */
import * as Context from "effect/Context"
import type * as Semaphore from "effect/Semaphore"

export interface RunningCall {
  /** The call of the model that all this is for. None where the application called the tool. */
  readonly ofModel: object | undefined
  /** The queues of tools whose turn it has already. */
  readonly queues: ReadonlySet<Semaphore.Semaphore>
}

/** Nobody's, outside of tools. */
export const RunningCall = Context.Reference<RunningCall | undefined>("@effect-bidi/core/internal/RunningCall", {
  defaultValue: () => undefined
})
