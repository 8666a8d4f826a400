/**
 * What was heard of the agent's replies so far, by the sound that was played.
 *
 * Without a speaker, text counts as heard when it arrives. With one, an item without any sound was not reached.
 */
import * as Duration from "effect/Duration"
import type { HeardItem } from "../../BidiModel.ts"
import type { Heard } from "../../CurrentConversation.ts"
import type { Assistant, Transcript } from "../../Transcript.ts"
import type { Ledger } from "../playback/ledger.ts"
import { Recent } from "../recent.ts"
import { heardText, heardTextUnfinished, type Mark, type Played } from "./heardText.ts"
import type { History } from "./history.ts"
import { minMillis } from "./spoken.ts"

// Replies are cut off soon after they were produced: marks of older items are not needed any more.
const MAX_MARKED_ITEMS = 32

// A shorter text does not show how fast a voice is; and some texts are spoken faster than others.
const MIN_PACE_CHARS = 10
const PACE_MARGIN = 0.8

export class HeardReplies {
  private readonly marks = new Recent<string, Array<Mark>>(MAX_MARKED_ITEMS)
  private pace = 1 // the shortest time that a text took, as a share of the least time that voices take
  private readonly history: History
  private readonly ledger: Ledger
  private readonly turn: { readonly active: string | undefined }

  constructor(history: History, ledger: Ledger, turn: { readonly active: string | undefined }) {
    this.history = history
    this.ledger = ledger
    this.turn = turn
  }

  /** The voice has spoken `text` of the item when `until` milliseconds of its sound are over. */
  mark(itemId: string, text: string, until: number): void {
    const marks = this.marks.get(itemId) ?? []
    marks.push({ chars: text.trimEnd().length, until })
    this.marks.set(itemId, marks)
  }

  /** The item has another text. */
  unmark(itemId: string): void {
    this.marks.delete(itemId)
  }

  /** All of the reply was produced, text and sound: its voice may be faster than those before. */
  completed(responseId: string): void {
    for (const { itemId, produced } of this.ledger.heard(responseId)) {
      const entry = this.history.get(itemId)
      if (entry?._tag !== "Assistant" || entry.text.length < MIN_PACE_CHARS || produced === 0) continue
      this.pace = Math.min(this.pace, (PACE_MARGIN * produced) / minMillis(entry.text))
    }
  }

  /** The entries of a reply. */
  entries(responseId: string): ReadonlyArray<Assistant> {
    return this.history
      .transcript()
      .filter((entry): entry is Assistant => entry._tag === "Assistant" && entry.responseId === responseId)
  }

  /** What was heard of an item's text. */
  textOf(itemId: string, text: string, played: Played, unfinished: boolean): string {
    const marks = this.marks.get(itemId)
    return unfinished ? heardTextUnfinished(text, played, this.pace, marks) : heardText(text, played, marks)
  }

  /** What was heard of an entry, if so much of the items of its reply was. */
  ofEntry(entry: Assistant, items: ReadonlyArray<HeardItem>, unfinished: boolean): string {
    const full = entry.full ?? entry.text
    if (!this.ledger.hasDevices) return full
    const item = items.find(({ itemId }) => itemId === entry.id)
    return item === undefined ? "" : this.textOf(entry.id, full, item, unfinished || entry.interrupted)
  }

  /** The history, with the agent's text as heard so far. */
  transcript(): Transcript {
    const audible = this.audible()
    const entries = this.history.transcript()
    return audible.size === 0
      ? entries
      : entries.map((entry) => (entry._tag === "Assistant" ? this.soFar(entry, audible) : entry))
  }

  /** What was heard of one reply so far. */
  ofResponse(responseId: string): Heard {
    const audible = this.audible()
    const entries = this.entries(responseId)
    const unfinished = responseId === this.turn.active && this.ledger.hasDevices
    return {
      text: entries.map((entry) => this.soFar(entry, audible).text).join(""),
      full: entries.map((entry) => entry.full ?? entry.text).join(""),
      left: unfinished ? Duration.infinity : Duration.millis(this.ledger.left(responseId))
    }
  }

  private audible(): ReadonlySet<string> {
    if (!this.ledger.hasDevices) return new Set()
    const audible = new Set(this.ledger.unheard())
    const { active } = this.turn
    if (active !== undefined) audible.add(active)
    return audible
  }

  /** An entry, with its text as heard so far. */
  entry(entry: Assistant): Assistant {
    return this.soFar(entry, this.audible())
  }

  private soFar(entry: Assistant, audible: ReadonlySet<string>): Assistant {
    if (!audible.has(entry.responseId)) return entry
    const full = entry.full ?? entry.text
    // of a reply that ended with its connection, not all of the text has a sound
    const unfinished = entry.responseId === this.turn.active || entry.interrupted
    const text = this.ofEntry(entry, this.ledger.heard(entry.responseId), unfinished)
    return text === full ? entry : { ...entry, text, full }
  }
}
