/**
 * Entries as they may be kept.
 */
import type { Entry } from "../../Transcript.ts"

export type Redact = (entry: Entry) => Entry

const WITHHELD = "[withheld]"

/** All changes, one after the other. `onFailure` hears of one that throws; then nothing of the entry is kept but its place. */
export const redaction = (changes: ReadonlyArray<Redact>, onFailure: (error: unknown) => void): Redact | undefined =>
  changes.length === 0
    ? undefined
    : (entry) => {
        try {
          // what an entry is, and which, is nobody's to change
          return changes.reduce((now, change) => ({ ...change(now), id: entry.id, _tag: entry._tag }) as Entry, entry)
        } catch (error) {
          onFailure(error)
          return withheld(entry)
        }
      }

const withheld = (entry: Entry): Entry => {
  switch (entry._tag) {
    case "User":
      return { ...entry, parts: entry.parts.length === 0 ? [] : [WITHHELD] }
    case "Assistant":
      return { ...entry, text: WITHHELD, ...(entry.full === undefined ? {} : { full: WITHHELD }) }
    case "Note":
      return { ...entry, text: WITHHELD }
    case "ToolCall":
      return {
        ...entry,
        input: WITHHELD,
        ...(entry.output === undefined ? {} : { output: { ...entry.output, result: WITHHELD } })
      }
  }
}
