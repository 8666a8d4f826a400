/**
 * Replies that were cut off: the history keeps what was heard of them, also of text and sound that come late.
 */
import type { HeardItem, ModelEvent } from "../../BidiModel.ts"
import type { Ledger } from "../playback/ledger.ts"
import { Recent } from "../recent.ts"
import type { HeardLog } from "./heardLog.ts"
import type { HeardReplies } from "./heardReplies.ts"
import type { History } from "./history.ts"
import { WholeCharacters } from "./wholeCharacters.ts"

export type Delta = Extract<ModelEvent, { readonly _tag: "TranscriptDelta" }>
export type Done = Extract<ModelEvent, { readonly _tag: "TranscriptDone" }>

// Text and sound come late by a few items at most.
const MAX_ITEMS = 32

/** An item of a reply that was cut off: milliseconds that were heard, of all that were produced until the model stopped. */
interface CutItem {
  readonly heard: number
  produced: number
  readonly characters: WholeCharacters
}

export class CutReplies {
  private readonly items = new Recent<string, CutItem>(MAX_ITEMS)
  private readonly history: History
  private readonly ledger: Ledger
  private readonly heard: HeardReplies
  private readonly heardLog: HeardLog

  constructor(history: History, ledger: Ledger, heard: HeardReplies, heardLog: HeardLog) {
    this.history = history
    this.ledger = ledger
    this.heard = heard
    this.heardLog = heardLog
  }

  /**
   * A reply is cut off. `items` names its sound: all of it, unless the reply was still being generated (`unfinished`);
   * `begun` its items whose text was not complete. Returns what was heard of it.
   */
  cut(
    responseId: string,
    items: ReadonlyArray<HeardItem>,
    { begun, unfinished }: { readonly begun: ReadonlySet<string>; readonly unfinished: boolean }
  ): string {
    if (this.ledger.hasDevices) {
      for (const { heard, itemId, produced } of items) {
        this.items.set(itemId, { heard, produced, characters: new WholeCharacters() })
        // the place of text that is still to come
        if (this.history.get(itemId) === undefined) {
          this.heardLog.put({ _tag: "Assistant", id: itemId, responseId, text: "", interrupted: true, full: "" })
        }
      }
    }
    const texts = this.heard.entries(responseId).map((entry) => {
      const full = entry.full ?? entry.text
      const text = this.heard.ofEntry(entry, items, unfinished)
      if (text !== full || begun.has(entry.id)) this.heardLog.put({ ...entry, text, interrupted: true, full })
      return text
    })
    return texts.join(" ")
  }

  /** The reply ended with its connection: all of its sound will be heard, and text without sound will not. */
  lost(responseId: string): void {
    if (!this.ledger.hasDevices) return
    const items = this.ledger.heard(responseId).map((item) => ({ ...item, heard: item.produced }))
    for (const entry of this.heard.entries(responseId)) {
      const text = this.heard.ofEntry(entry, items, true)
      if (text !== entry.text) this.heardLog.put({ ...entry, text, interrupted: true, full: entry.full ?? entry.text })
    }
  }

  /** Sound that comes late is not heard, but text that comes late may belong to it. */
  lateAudio(itemId: string, millis: number): void {
    const item = this.items.get(itemId)
    if (item !== undefined) item.produced += millis
  }

  /** Some providers send text after its sound. */
  lateText(piece: Delta | Done): void {
    const item = this.items.get(piece.itemId)
    const entry = this.history.get(piece.itemId)
    if (item === undefined || entry?._tag !== "Assistant") return
    if (piece._tag === "TranscriptDelta" && piece.preview === true) return
    const before = entry.full ?? entry.text
    const full = piece._tag === "TranscriptDelta" ? before + item.characters.take(piece.delta) : piece.text
    if (!full.startsWith(before)) this.heard.unmark(entry.id)
    if (piece._tag === "TranscriptDelta" && piece.until !== undefined) this.heard.mark(entry.id, full, piece.until)
    const text = this.heard.textOf(entry.id, full, item, true)
    this.heardLog.put({ ...entry, text, interrupted: true, full })
  }

  /** Nothing comes late from a connection that is gone. */
  clear(): void {
    this.items.clear()
  }
}
