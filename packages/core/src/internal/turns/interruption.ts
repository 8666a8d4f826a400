/**
 * The five steps of an interruption. Interruptions run one at a time, and each runs to its end, even if its caller is
 * interrupted or the connection is lost meanwhile. Only a reply that is audible, being generated or owed can be interrupted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Interruption } from "../../BidiEvent.ts"
import type { Command } from "../../BidiModel.ts"
import type { Services } from "../conversation/services.ts"

export interface Interrupter {
  /** Returns whether there was anything to interrupt. Uninterruptible speech is cut only with `force`. */
  readonly interrupt: (reason: Interruption["reason"], force?: boolean) => Effect.Effect<boolean>
  readonly isRunning: () => boolean
  /** Waits until no interruption is running (at most as long as devices may take to go silent), then calls `what`. */
  readonly between: <A>(what: () => A) => Effect.Effect<A>
}

/** `onInterruption` runs for every reply that is interrupted, when everybody has been told. */
export const make = Effect.fnUntraced(function* (services: Services, onInterruption: () => void) {
  const { fanout, generation, ledger, outbox, outputs, uninterruptible, turn, transcriber } = services
  const one = yield* Semaphore.make(1)
  let running = false

  const interrupt = Effect.fnUntraced(
    function* (reason: Interruption["reason"], force = false) {
      if (uninterruptible.active) {
        if (!force) return false
        uninterruptible.lift()
      }
      const { active } = turn
      const targets = new Set(ledger.unheard())
      // the rest of a reply that is due on the next connection is cut off as well
      const cutOff = turn.discardOwed(reason === "manual")
      if (cutOff !== undefined) targets.add(cutOff)
      if (active !== undefined) targets.add(active)
      if (targets.size === 0) return false
      const bound = { generation: generation.current }
      const known = new Set(Array.from(targets).filter((responseId) => turn.stage(responseId) !== undefined))
      // 1. drop everything that still arrives of these replies
      running = true
      for (const responseId of targets) turn.cancelled(responseId)
      // 2. silence the outputs
      yield* outputs.flush
      const cuts = Array.from(targets, (responseId) => ({ responseId, items: ledger.heard(responseId) }))
      ledger.flushed()
      turn.changed()
      // a reply that was heard to its end was not interrupted
      const interrupted = cuts.filter(
        ({ items, responseId }) =>
          responseId === active || responseId === cutOff || items.some((item) => item.heard < item.produced)
      )
      for (const { items, responseId } of interrupted) {
        // 3. record what was heard
        const text = transcriber.cut(responseId, items, responseId === active || responseId === cutOff)
        // 4. tell the model; a connection that knows the reply from its history only is told by a note
        const command: Command = known.has(responseId)
          ? { _tag: "Interrupt", responseId, items }
          : {
              _tag: "Note",
              text: `You were interrupted. Of your last message only this was heard: "${text}"`,
              respond: false
            }
        if (bound.generation > generation.gone) outbox.offerUnsafe(command, { bound })
        // 5. tell the observers
        const heard = Duration.millis(items.reduce((sum, item) => sum + item.heard, 0))
        fanout.emit({ _tag: "Interruption", reason, responseId, heard })
        onInterruption()
        if (responseId === active) fanout.emit({ _tag: "ResponseComplete", responseId, stopReason: "interrupted" })
        yield* Effect.logDebug(`interrupted (${reason}) after ${Math.round(Duration.toMillis(heard))} ms`)
      }
      return interrupted.length > 0
    },
    Effect.ensuring(Effect.sync(() => void (running = false))),
    Effect.uninterruptible,
    one.withPermit,
    turn.whileSending
  )

  return {
    interrupt,
    isRunning: () => running,
    between: (what) => one.withPermit(Effect.sync(what))
  } satisfies Interrupter
})
