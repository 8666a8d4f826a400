/**
 * What the conversation remembers: the transcript, which is written to the log of the session as it grows.
 */
import type { Entry } from "../../Transcript.ts"
import * as Transcript from "../../Transcript.ts"
import * as WellFormed from "../conversation/wellFormed.ts"
import type { Journal } from "../session/journal.ts"
import { settle } from "../session/settling.ts"

export interface History {
  readonly transcript: () => Transcript.Transcript
  readonly get: (id: string) => Entry | undefined
  /** Remembers an entry, in the place of the one with its id. */
  readonly update: (entry: Entry) => void
  /** Remembers an entry and writes it to the session's log: as it is, or in another form. */
  readonly put: (entry: Entry, inLog?: Entry) => void
}

/** `initial` was said elsewhere: it stands behind what the log holds. */
export const make = (journal: Journal, initial: Transcript.Transcript): History => {
  const entries = new Map<string, Entry>()

  const put = (given: Entry, inLog = given) => {
    const entry = WellFormed.entry(given)
    entries.set(entry.id, entry)
    if (journal.on) journal.write({ _tag: "Entry", entry: inLog === given ? entry : WellFormed.entry(inLog) })
  }

  const begin = (before: Transcript.Transcript) => {
    for (const entry of before) entries.set(entry.id, entry)
    journal.begin(before.map((entry) => ({ _tag: "Entry", entry })))
  }

  for (const entry of journal.restored.transcript) entries.set(entry.id, WellFormed.entry(entry))
  begin(settle(journal.restored).map(WellFormed.entry))
  begin(Transcript.additions(Array.from(entries.values()), initial.map(WellFormed.entry)))

  return {
    transcript: () => Array.from(entries.values()),
    get: (id) => entries.get(id),
    update: (entry) => void entries.set(entry.id, WellFormed.entry(entry)),
    put
  } satisfies History
}
