/**
 * The five steps of an interruption. One at a time; what is not audible and not being generated cannot be interrupted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Interruption } from "../BidiEvent.ts"
import type { HeardItem } from "../BidiModel.ts"
import type { Rooms } from "./rooms.ts"

export interface Interrupter {
  /** Answers whether there was anything to interrupt. `andThen` runs before any other interruption. */
  readonly interrupt: (reason: Interruption["reason"]) => Effect.Effect<boolean>
}

export const make = Effect.fnUntraced(function* (rooms: Rooms) {
  const { fanout, generation, ledger, outbox, outputs, turn, words } = rooms
  const one = yield* Semaphore.make(1)

  const finish = (
    reason: Interruption["reason"],
    responseId: string,
    cuts: ReadonlyArray<HeardItem>,
    wasActive: boolean
  ): boolean => {
    // everything was heard after all
    if (!wasActive && cuts.every((cut) => cut.heard >= cut.produced)) return false
    const connection = generation.current
    // 3. remember what was heard
    words.cut(responseId, cuts)
    // 4. tell the model
    outbox.offerUnsafe({ _tag: "Interrupt", responseId, items: cuts }, { bound: { generation: connection } })
    // 5. tell everybody
    const heard = Duration.millis(cuts.reduce((sum, cut) => sum + cut.heard, 0))
    fanout.emit({ _tag: "Interruption", reason, responseId, heard })
    if (wasActive) fanout.emit({ _tag: "ResponseComplete", responseId, stopReason: "interrupted" })
    return true
  }

  const interrupt = Effect.fnUntraced(function* (reason: Interruption["reason"]) {
    const active = turn.active
    const targets = new Set(ledger.unheard())
    if (active !== undefined) targets.add(active)
    if (targets.size === 0) return false
    // 1. close the door: what still comes of these replies is dropped
    for (const responseId of targets) turn.cancelled(responseId)
    // 2. silence
    yield* outputs.flush
    const cuts = Array.from(targets, (responseId) => [responseId, ledger.heard(responseId)] as const)
    ledger.flushed()
    turn.changed()
    const interrupted = cuts.filter(([responseId, cut]) => finish(reason, responseId, cut, responseId === active))
    yield* Effect.logDebug(`interrupted (${reason})`, ...interrupted.map(([id]) => id))
    return interrupted.length > 0
  }, one.withPermit)

  return { interrupt } satisfies Interrupter
})
