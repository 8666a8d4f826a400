/**
 * The tool call that a fiber works for. What the fiber does in the conversation is seen as part of that call: the call
 * does not wait for itself.
 */
import * as Context from "effect/Context"
import type * as Semaphore from "effect/Semaphore"

export interface RunningCall {
  /** The call of the model that all this is for. `undefined` where the application called the tool. */
  readonly ofModel: object | undefined
  /** The queues of tools in which it has a place already. */
  readonly queues: ReadonlySet<Semaphore.Semaphore>
}

/** `undefined` outside of tools. */
export const RunningCall = Context.Reference<RunningCall | undefined>("@effect-bidi/core/internal/RunningCall", {
  defaultValue: () => undefined
})
