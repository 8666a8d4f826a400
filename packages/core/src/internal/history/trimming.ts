/**
 * The part of a history that a provider takes. First large entries are shortened; then whole exchanges are left out, the
 * oldest first. Sizes are in bytes of UTF-8.
 *
 * - The newest exchanges that fit are kept. None of their entries is shortened that takes less than a third of the limit.
 * - Something is always kept.
 */
import type { Transcript } from "../../Transcript.ts"
import { beginsExchange } from "./exchanges.ts"
import { level, MIN_ENTRY_BYTES, shortened, sizeOf } from "./shortening.ts"

export interface Trimmed {
  readonly kept: Transcript
  /** How many entries are left out, and how many of the others are shortened. */
  readonly dropped: number
  readonly shortened: number
}

export const trim = (history: Transcript, limit: number | undefined): Trimmed => {
  if (limit === undefined || total(history) <= limit) return { kept: history, dropped: 0, shortened: 0 }
  const kept = lastEntries(lastExchanges(shorten(history, limit, limit / 3), limit), limit)
  return {
    kept,
    dropped: history.length - kept.length,
    shortened: kept.filter((entry) => !history.includes(entry)).length
  }
}

/** Leaves out the oldest exchanges, whole, until the rest fits; the last one stays. */
const lastExchanges = (history: Transcript, limit: number): Transcript => {
  let size = total(history)
  let start = 0
  for (let next = 1; size > limit && next < history.length; next++) {
    if (!beginsExchange(history, next)) continue
    size -= total(history.slice(start, next))
    start = next
  }
  return history.slice(start)
}

/** Shortens one exchange that is too large alone, and leaves out its beginning if that is not enough. */
const lastEntries = (exchange: Transcript, limit: number): Transcript => {
  for (let start = 0; start < exchange.length; start++) {
    const kept = shorten(exchange.slice(start), limit, MIN_ENTRY_BYTES)
    if (total(kept) <= limit || start === exchange.length - 1) return kept
  }
  return exchange
}

/** Shortens the largest entries until all fit, but none to less than `least`. */
const shorten = (history: Transcript, limit: number, least: number): Transcript => {
  const most = Math.max(least, level(history.map(sizeOf), limit))
  return history.map((entry) => (sizeOf(entry) > most ? shortened(entry, most) : entry))
}

const total = (history: Transcript): number => history.reduce((sum, entry) => sum + sizeOf(entry), 0)
