/**
 * The history of a conversation, which is written to the log of its session as it grows.
 */
import * as Effect from "effect/Effect"
import type { Entry, Transcript } from "../../Transcript.ts"
import type { Fanout } from "../events/fanout.ts"
import * as WellFormed from "../conversation/wellFormed.ts"
import * as Ids from "../ids.ts"
import type { Journal } from "../session/journal.ts"
import { settle } from "../session/settling.ts"
import type { Redact } from "./redaction.ts"
import { additions } from "./additions.ts"

export interface History {
  readonly transcript: () => Transcript
  readonly get: (id: string) => Entry | undefined
  /** Writes an entry, in the place of the one with its id. */
  readonly update: (entry: Entry) => void
  /** Writes an entry, also to the session's log: as it is, or in another form. */
  readonly put: (entry: Entry, inLog?: Entry) => void
  /** What is kept of an entry may be other than what it was. */
  readonly redacts: boolean
}

/** `initial` was said elsewhere: it follows what the log holds. */
export const make = Effect.fnUntraced(function* (
  fanout: Fanout,
  journal: Journal,
  initial: Transcript,
  redact?: Redact
) {
  const newId = yield* Ids.generator
  const entries = new Map<string, Entry>()

  const kept = (entry: Entry) => WellFormed.entry(redact === undefined ? entry : redact(entry))

  const put = (given: Entry, inLog = given) => {
    const entry = kept(given)
    const isUpdate = entries.has(entry.id)
    entries.set(entry.id, entry)
    if (fanout.wants("MessageAdded")) fanout.emit({ _tag: "MessageAdded", entry, isUpdate })
    if (journal.on) journal.write({ _tag: "Entry", entry: inLog === given ? entry : kept(inLog) })
  }

  const begin = (before: Transcript) => {
    for (const entry of before) entries.set(entry.id, entry)
    journal.begin(before.map((entry) => ({ _tag: "Entry", entry })))
  }

  for (const entry of journal.restored.transcript) entries.set(entry.id, WellFormed.entry(entry))
  begin(settle(journal.restored).map(WellFormed.entry))
  begin(additions(Array.from(entries.values()), initial.map(kept), newId))

  return {
    transcript: () => Array.from(entries.values()),
    get: (id) => entries.get(id),
    update: (entry) => void entries.set(entry.id, kept(entry)),
    put,
    redacts: redact !== undefined
  } satisfies History
})
