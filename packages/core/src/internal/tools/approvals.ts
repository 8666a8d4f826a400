/**
 * Calls that wait for somebody's consent. A decision is about one call, with the arguments it was made with.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import type { Fanout } from "../events/fanout.ts"

export type Decision = { readonly approved: true } | { readonly approved: false; readonly reason: string }

export class Approvals {
  private readonly waiting = new Map<string, Deferred.Deferred<Decision>>()
  private readonly fanout: Fanout

  constructor(fanout: Fanout) {
    this.fanout = fanout
  }

  /** Answers whether the call waited for a decision. The first one counts. */
  decide(id: string, decision: Decision): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const call = this.waiting.get(id)
      return call === undefined ? Effect.succeed(false) : Deferred.succeed(call, decision)
    })
  }

  /** Asks, and waits. */
  ask(id: string, name: string, input: Schema.Json, timeout: Duration.Input): Effect.Effect<Decision> {
    return Effect.suspend(() => {
      const call = Deferred.makeUnsafe<Decision>()
      const resolved = (decision: Decision) => {
        this.waiting.delete(id)
        this.fanout.emit({ _tag: "ApprovalResolved", id, name, ...decision })
      }
      this.waiting.set(id, call)
      this.fanout.emit({ _tag: "ApprovalRequest", id, name, input })
      return Effect.timeoutOption(Deferred.await(call), timeout).pipe(
        Effect.map(Option.getOrElse((): Decision => ({ approved: false, reason: "nobody decided in time" }))),
        Effect.tap((decision) => Effect.sync(() => resolved(decision))),
        Effect.onInterrupt(() => Effect.sync(() => resolved({ approved: false, reason: "the call was stopped" })))
      )
    })
  }
}
