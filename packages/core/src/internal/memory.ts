/**
 * What the conversation remembers: the transcript, and its log in the session store.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import { BidiError, StoreFailed } from "../BidiError.ts"
import { SessionStore } from "../SessionStore.ts"
import type { Entry } from "../Transcript.ts"
import * as Transcript from "../Transcript.ts"

// A few writes a turn: a store that falls this far behind is not working.
const LOG_CAPACITY = 1024

export interface Memory {
  readonly transcript: () => Transcript.Transcript
  readonly get: (id: string) => Entry | undefined
  /** Remembers an entry, in the place of the one with its id. */
  readonly update: (entry: Entry) => void
  /** Remembers an entry and writes it to the session's log. */
  readonly put: (entry: Entry) => void
  /** Writes the log until {@link end}. */
  readonly write: Effect.Effect<void, BidiError>
  readonly end: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (sessionId: string, initial: Transcript.Transcript) {
  const store = yield* SessionStore
  const entries = new Map<string, Entry>()
  for (const entry of yield* store.load(sessionId)) entries.set(entry.id, entry)
  const log = yield* Queue.dropping<Entry, Cause.Done | BidiError>(LOG_CAPACITY)

  const put = (entry: Entry) => {
    entries.set(entry.id, entry)
    if (Queue.offerUnsafe(log, entry) || log.state._tag !== "Open") return
    const message = `the session store is ${LOG_CAPACITY} entries behind`
    Queue.failCauseUnsafe(log, Cause.fail(new BidiError({ reason: new StoreFailed({ message }) })))
  }
  for (const entry of Transcript.additions(Array.from(entries.values()), initial)) put(entry)

  return {
    transcript: () => Array.from(entries.values()),
    get: (id) => entries.get(id),
    update: (entry) => void entries.set(entry.id, entry),
    put,
    write: Queue.takeAll(log).pipe(
      Effect.flatMap((batch) => store.append(sessionId, batch)),
      Effect.forever({ disableYield: true }),
      Pull.catchDone(() => Effect.void)
    ),
    end: Effect.asVoid(Queue.end(log))
  } satisfies Memory
})
