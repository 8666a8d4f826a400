/**
 * The log of an emulator: what happened, who waits for something to happen, and who looks on.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Entry } from "../../Emulator.ts"

export interface Journal {
  readonly append: (entry: Entry) => void
  readonly entries: () => ReadonlyArray<Entry>
  readonly stream: Stream.Stream<Entry>
  /** Waits until `done` answers something; it is asked now and after every new line. */
  readonly waitFor: <A>(done: () => A | undefined) => Effect.Effect<A>
  /** Something changed that is no line of the log. */
  readonly nudge: () => void
}

/** A log that keeps `limit` lines. */
export const make = (limit: number): Journal => {
  let lines: Array<Entry> = []
  const waiting = new Set<() => void>()
  const watching = new Set<(entry: Entry) => void>()
  // who waits goes on when the whole step is done: the faults that waited for the same message have happened by then
  let isNudged = false
  const nudge = () => {
    if (isNudged) return
    isNudged = true
    queueMicrotask(() => {
      isNudged = false
      for (const ask of waiting) ask()
    })
  }
  return {
    nudge,
    append: (entry) => {
      lines.push(entry)
      // cut in one go, and not too often: cutting copies
      if (lines.length > limit * 1.25) lines = lines.slice(-limit)
      for (const watch of watching) watch(entry)
      nudge()
    },
    entries: () => lines.slice(-limit),
    stream: Stream.callback<Entry>(
      (queue) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const watch = (entry: Entry) => void Queue.offerUnsafe(queue, entry)
            watching.add(watch)
            return watch
          }),
          (watch) => Effect.sync(() => watching.delete(watch))
        ),
      // a trace that falls behind loses its oldest lines, not the emulator its pace
      { bufferSize: 4096, strategy: "sliding" }
    ),
    waitFor: <A>(done: () => A | undefined) =>
      Effect.callback<A>((resume) => {
        const ask = () => {
          const found = done()
          if (found === undefined) return
          waiting.delete(ask)
          resume(Effect.succeed(found))
        }
        waiting.add(ask)
        ask()
        return Effect.sync(() => waiting.delete(ask))
      })
  }
}
