/**
 * Calls that wait for approval. A decision is about one call, with the arguments it was made with. A call that waits when the
 * conversation ends goes on waiting in the log of the session.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Fanout } from "../events/fanout.ts"
import type { Journal } from "../session/journal.ts"

export type Decision = { readonly approved: true } | { readonly approved: false; readonly reason: string }

export interface Approvals {
  /** Decides about a call. Returns false if the call does not wait for a decision: the first one counts. */
  readonly decide: (id: string, decision: Decision) => Effect.Effect<boolean>
  /** Asks for a decision, and waits for it. */
  readonly ask: (
    call: { readonly id: string; readonly name: string; readonly input: Schema.Json },
    timeout: Duration.Input
  ) => Effect.Effect<Decision>
  /** Whether the conversation has ended before somebody decided about the call: a later one may. */
  readonly isPostponed: (id: string) => boolean
}

/** `isOver` returns whether the conversation has ended. */
export const make = (fanout: Fanout, journal: Journal, isOver: () => boolean): Approvals => {
  const waiting = new Map<string, Deferred.Deferred<Decision>>()
  const postponed = new Set<string>()
  return {
    decide: (id, decision) =>
      Effect.suspend(() => {
        const call = waiting.get(id)
        return call === undefined ? Effect.succeed(false) : Deferred.succeed(call, decision)
      }),
    ask: ({ id, input, name }, timeout) =>
      Effect.suspend(() => {
        const call = Deferred.makeUnsafe<Decision>()
        const resolved = (decision: Decision) => {
          waiting.delete(id)
          journal.write({
            _tag: "Approval",
            id,
            ...(decision.approved ? { decision: "approved" } : { decision: "rejected", reason: decision.reason })
          })
          fanout.emit({ _tag: "ApprovalResolved", id, name, ...decision })
        }
        const stopped = () => {
          if (journal.on && isOver()) postponed.add(id)
          else resolved({ approved: false, reason: "the call was stopped" })
        }
        waiting.set(id, call)
        journal.write({ _tag: "Approval", id, decision: "asked" })
        fanout.emit({ _tag: "ApprovalRequest", id, name, input })
        return Effect.timeoutOption(Deferred.await(call), timeout).pipe(
          Effect.map(Option.getOrElse((): Decision => ({ approved: false, reason: "nobody decided in time" }))),
          Effect.onInterrupt(() => Effect.sync(stopped)),
          Effect.tap((decision) => Effect.sync(() => resolved(decision))),
          // that a call was approved is in the log before the call does anything
          Effect.tap(journal.durable)
        )
      }),
    isPostponed: (id) => postponed.has(id)
  }
}
