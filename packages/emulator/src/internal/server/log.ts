/**
 * The log of an emulator: its entries, and those who wait for them.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Entry, Message } from "../../Emulator.ts"

export interface Log {
  readonly append: (entry: Entry) => void
  readonly entries: () => ReadonlyArray<Entry>
  readonly stream: Stream.Stream<Entry>
  readonly messages: (kind: Message["kind"], connection: number | undefined) => ReadonlyArray<Message>
  /** Waits until `done` returns a value. It is called now and after every change. */
  readonly waitFor: <A>(done: () => A | undefined) => Effect.Effect<A>
  /** Waits for the `times`-th message of this type. */
  readonly awaitMessage: (kind: Message["kind"], type: string, times: number) => Effect.Effect<Message>
  /** Something changed that is not logged. */
  readonly notify: () => void
}

/** How many entries a reader of the stream may be behind. A slower one loses the oldest entries. */
const STREAM_BUFFER = 4096

const isMessage = (entry: Entry): entry is Message => entry.kind === "received" || entry.kind === "sent"

/** A log that keeps `limit` entries. */
export const make = (limit: number): Log => {
  let kept: Array<Entry> = []
  // of all messages, those included that the log has dropped
  const counts = new Map<string, { readonly count: number; readonly last: Message }>()
  const waiting = new Set<() => void>()
  const readers = new Set<(entry: Entry) => void>()
  // waiting effects resume after the whole step, when faults with the same trigger have happened
  let isNotified = false
  const notify = () => {
    if (isNotified) return
    isNotified = true
    queueMicrotask(() => {
      isNotified = false
      for (const ask of waiting) ask()
    })
  }
  const entries = (): ReadonlyArray<Entry> => kept.slice(-limit)
  const messages: Log["messages"] = (kind, connection) =>
    entries()
      .filter(isMessage)
      .filter((entry) => entry.kind === kind && (connection === undefined || entry.connection === connection))
  const waitFor: Log["waitFor"] = <A>(done: () => A | undefined) =>
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
  return {
    entries,
    messages,
    notify,
    waitFor,
    append: (entry) => {
      if (isMessage(entry)) {
        for (const type of entry.types) {
          const key = `${entry.kind} ${type}`
          counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, last: entry })
        }
      }
      kept.push(entry)
      // not for every entry, because it copies
      if (kept.length > limit * 1.25) kept = kept.slice(-limit)
      for (const read of readers) read(entry)
      notify()
    },
    awaitMessage: (kind, type, times) =>
      waitFor(() => {
        const { count, last } = counts.get(`${kind} ${type}`) ?? { count: 0, last: undefined }
        if (count < times) return undefined
        const same = messages(kind, undefined).filter(({ types }) => types.includes(type))
        return same[Math.max(0, times - 1 - (count - same.length))] ?? last
      }),
    stream: Stream.callback<Entry>(
      (queue) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const read = (entry: Entry) => void Queue.offerUnsafe(queue, entry)
            readers.add(read)
            return read
          }),
          (read) => Effect.sync(() => readers.delete(read))
        ),
      { bufferSize: STREAM_BUFFER, strategy: "sliding" }
    )
  }
}
