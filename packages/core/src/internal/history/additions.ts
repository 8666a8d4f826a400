import * as Schema from "effect/Schema"
import { Entry, type Transcript } from "../../Transcript.ts"

const isSame = Schema.toEquivalence(Entry)

/**
 * The entries of `that` to be written behind `self`, without replacing anything there. An entry that is there already is
 * left out; another one under an id that is there gets a new id.
 */
export const additions = (self: Transcript, that: Transcript, newId: () => string): Transcript => {
  const known = new Map(self.map((entry) => [entry.id, entry]))
  return that.flatMap((entry) => {
    const other = known.get(entry.id)
    if (other === undefined) return [entry]
    return isSame(other, entry) ? [] : [{ ...entry, id: newId() }]
  })
}
