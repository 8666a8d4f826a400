/**
 * What the log can be asked.
 */
import type * as Effect from "effect/Effect"
import type { Entry, Message } from "../../Emulator.ts"
import type { Journal } from "./log.ts"

export interface Observer {
  readonly append: (entry: Entry) => void
  readonly messages: (kind: Message["kind"], connection: number | undefined) => ReadonlyArray<Message>
  /** The `times`-th message that carries `type`; waits for it. */
  readonly awaitMessage: (kind: Message["kind"], type: string, times: number) => Effect.Effect<Message>
}

/** Counts what goes into the journal: lines that it has let go of are still counted. */
export const make = (journal: Journal): Observer => {
  const counts = new Map<string, { readonly count: number; readonly last: Message }>()
  const messages = (kind: Message["kind"], connection: number | undefined) =>
    journal
      .entries()
      .filter(
        (entry): entry is Message =>
          entry.kind === kind && (connection === undefined || entry.connection === connection)
      )
  return {
    messages,
    append: (entry) => {
      if (entry.kind === "received" || entry.kind === "sent") {
        for (const type of entry.types) {
          const key = `${entry.kind} ${type}`
          counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, last: entry })
        }
      }
      journal.append(entry)
    },
    awaitMessage: (kind, type, times) =>
      journal.waitFor(() => {
        const { count, last } = counts.get(`${kind} ${type}`) ?? { count: 0, last: undefined }
        if (count < times) return undefined
        const kept = messages(kind, undefined).filter(({ types }) => types.includes(type))
        return kept[Math.max(0, times - 1 - (count - kept.length))] ?? last
      })
  }
}
