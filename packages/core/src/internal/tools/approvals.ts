/**
 * Calls that wait for approval. A decision is about one call, with the arguments it was made with.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Fanout } from "../events/fanout.ts"

export type Decision = { readonly approved: true } | { readonly approved: false; readonly reason: string }

export interface Approvals {
  /** Decides about a call. Returns false if the call does not wait for a decision: the first one counts. */
  readonly decide: (id: string, decision: Decision) => Effect.Effect<boolean>
  /** Asks for a decision, and waits for it. */
  readonly ask: (
    call: { readonly id: string; readonly name: string; readonly input: Schema.Json },
    timeout: Duration.Input
  ) => Effect.Effect<Decision>
}

export const make = (fanout: Fanout): Approvals => {
  const waiting = new Map<string, Deferred.Deferred<Decision>>()
  return {
    decide: (id, decision) =>
      Effect.suspend(() => {
        const call = waiting.get(id)
        return call === undefined ? Effect.succeed(false) : Deferred.succeed(call, decision)
      }),
    ask: ({ id, input, name }, timeout) =>
      Effect.suspend(() => {
        const call = Deferred.makeUnsafe<Decision>()
        const resolved = (decision: Decision) =>
          Effect.sync(() => {
            waiting.delete(id)
            fanout.emit({ _tag: "ApprovalResolved", id, name, ...decision })
          })
        waiting.set(id, call)
        fanout.emit({ _tag: "ApprovalRequest", id, name, input })
        return Effect.timeoutOption(Deferred.await(call), timeout).pipe(
          Effect.map(Option.getOrElse((): Decision => ({ approved: false, reason: "nobody decided in time" }))),
          Effect.tap(resolved),
          Effect.onInterrupt(() => resolved({ approved: false, reason: "the call was stopped" }))
        )
      })
  }
}
