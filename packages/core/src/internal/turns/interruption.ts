/**
 * The five steps of an interruption. One at a time, and once begun to its end, whoever asked for it and whatever becomes of
 * the connection meanwhile; what is not audible and not being generated cannot be interrupted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Interruption } from "../../BidiEvent.ts"
import type { Command } from "../../BidiModel.ts"
import type { Services } from "../conversation/services.ts"

export interface Interrupter {
  /** Answers whether there was anything to interrupt. Only by force is what is protected. */
  readonly interrupt: (reason: Interruption["reason"], force?: boolean) => Effect.Effect<boolean>
  /** Does something while no interruption is on its way, for which it waits. That takes as long as devices may to be silent. */
  readonly between: <A>(what: () => A) => Effect.Effect<A>
}

/** `onInterruption` runs for every reply that is interrupted, when everybody has been told. */
export const make = Effect.fnUntraced(function* (services: Services, onInterruption: () => void) {
  const { fanout, generation, ledger, outbox, outputs, uninterruptible, turn, transcriber } = services
  const one = yield* Semaphore.make(1)

  const interrupt = Effect.fnUntraced(
    function* (reason: Interruption["reason"], force = false) {
      if (uninterruptible.active) {
        if (!force) return false
        uninterruptible.lift()
      }
      const { active } = turn
      const targets = new Set(ledger.unheard())
      // what it would have gone on with on the next connection is cut off as well
      const cutOff = turn.discardOwed(reason === "manual")
      if (cutOff !== undefined) targets.add(cutOff)
      if (active !== undefined) targets.add(active)
      if (targets.size === 0) return false
      const bound = { generation: generation.current }
      const known = new Set(Array.from(targets).filter((responseId) => turn.stage(responseId) !== undefined))
      // 1. close the door: what still comes of these replies is dropped
      for (const responseId of targets) turn.cancelled(responseId)
      // 2. silence
      yield* outputs.flush
      const cuts = Array.from(targets, (responseId) => ({ responseId, items: ledger.heard(responseId) }))
      ledger.flushed()
      turn.changed()
      // what was heard after all was not interrupted
      const interrupted = cuts.filter(
        ({ items, responseId }) =>
          responseId === active || responseId === cutOff || items.some((item) => item.heard < item.produced)
      )
      for (const { items, responseId } of interrupted) {
        // 3. remember what was heard
        const text = transcriber.cut(responseId, items, responseId === active || responseId === cutOff)
        // 4. tell the model; one that has this reply from its history only is told in words, the next one by its history
        const command: Command = known.has(responseId)
          ? { _tag: "Interrupt", responseId, items }
          : {
              _tag: "Note",
              text: `You were interrupted. Of your last message only this was heard: "${text}"`,
              respond: false
            }
        if (bound.generation > generation.gone) outbox.offerUnsafe(command, { bound })
        // 5. tell everybody
        const heard = Duration.millis(items.reduce((sum, item) => sum + item.heard, 0))
        fanout.emit({ _tag: "Interruption", reason, responseId, heard })
        onInterruption()
        if (responseId === active) fanout.emit({ _tag: "ResponseComplete", responseId, stopReason: "interrupted" })
        yield* Effect.logDebug(`interrupted (${reason}) after ${Duration.format(heard)}`)
      }
      return interrupted.length > 0
    },
    Effect.uninterruptible,
    one.withPermit,
    turn.whileSending
  )

  return { interrupt, between: (what) => one.withPermit(Effect.sync(what)) } satisfies Interrupter
})
