/**
 * Text on its way: from the pieces that a provider sends to `TranscriptStream` events and entries of the history.
 */
import type { HeardItem } from "../../BidiModel.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { Journal } from "../session/journal.ts"
import { text as wellFormed } from "../conversation/wellFormed.ts"
import { CutReplies, type Delta, type Done } from "./cutReplies.ts"
import { ExpectedWords } from "./expectedWords.ts"
import { HeardLog } from "./heardLog.ts"
import { HeardReplies } from "./heardReplies.ts"
import type { History } from "./history.ts"
import { WholeCharacters } from "./wholeCharacters.ts"

/** An item whose text is not complete. */
interface OpenItem {
  readonly role: "user" | "assistant"
  readonly itemId: string
  readonly responseId: string | undefined
  text: string
  readonly characters: WholeCharacters
  /** There was an event for it. */
  emitted: boolean
  /** A reply to these words of the user has begun: their sound is not kept any more. */
  answered: boolean
}

// What the user said may be understood as nothing, or as a few blanks.
const isBlank = ({ role, text }: OpenItem): boolean => role === "user" && text.trim() === ""

export class Transcriber {
  /** What was heard of the agent's replies. */
  readonly heard: HeardReplies
  /** What the session's log knows of that. */
  readonly heardLog: HeardLog
  /** The replies that were cut off. */
  readonly cutReplies: CutReplies
  /** The words of the user that are still to come. */
  readonly expected: ExpectedWords
  private readonly spoken = new Map<string, OpenItem>()
  private readonly planned = new Map<string, OpenItem>()
  private readonly fanout: Fanout
  private readonly history: History

  constructor(
    fanout: Fanout,
    journal: Journal,
    history: History,
    ledger: Ledger,
    turn: { readonly active: string | undefined },
    now: () => number
  ) {
    this.fanout = fanout
    this.history = history
    this.heard = new HeardReplies(history, ledger, turn)
    this.heardLog = new HeardLog(journal, history, ledger, turn, this.heard)
    this.cutReplies = new CutReplies(history, ledger, this.heard, this.heardLog)
    this.expected = new ExpectedWords(now)
  }

  /** The provider took a turn of the user; its words will come into this place. */
  userTurn(itemId: string): void {
    if (this.history.get(itemId) !== undefined) return
    this.history.put({ _tag: "User", id: itemId, parts: [] })
    this.expected.expect(itemId)
  }

  /** The words of this turn will never come; those that came stay. */
  failed(itemId: string): void {
    this.expected.giveUp(itemId)
    const item = this.spoken.get(itemId)
    if (item !== undefined) this.finish(item, "")
  }

  /** The provider does not take this message of the user: it is not part of the conversation. */
  refused(id: string): void {
    // the refusal may be heard before the message is known to have left
    const entry = this.history.get(id)
    if (entry === undefined || entry._tag === "User") this.history.put({ _tag: "User", id, parts: [] })
  }

  /** The turns so far have a reply: their sound is not kept any more. */
  answered(): void {
    for (const item of this.spoken.values()) {
      if (item.role === "user" && this.expected.isExpected(item.itemId)) item.answered = true
    }
  }

  /**
   * The connection is gone, and with it the words that were still to come. The words so far of a turn that is sent again
   * as sound were a preview.
   */
  abandoned(): void {
    this.expected.clear()
    this.cutReplies.clear()
    for (const item of this.spoken.values()) {
      if (item.role !== "user") continue
      if (item.answered) this.finish(item, "")
      else this.forget(item)
    }
  }

  private forget({ itemId }: OpenItem): void {
    this.spoken.delete(itemId)
    this.history.update({ _tag: "User", id: itemId, parts: [] })
  }

  delta(piece: Delta): void {
    const items = piece.preview === true ? this.planned : this.spoken
    const item = this.item(items, piece)
    const wasBlank = isBlank(item)
    const delta = item.characters.take(piece.delta)
    item.text += delta
    if (isBlank(item) || (delta === "" && piece.delta !== "")) return
    if (piece.until !== undefined) this.heard.mark(piece.itemId, item.text, piece.until)
    if (piece.preview !== true) this.remember(item, "update")
    this.emit(item, wasBlank ? item.text : delta, false, piece.preview === true)
  }

  done(whole: Done): void {
    const item = this.item(this.spoken, whole)
    const before = isBlank(item) ? "" : item.text
    const text = wellFormed(whole.text)
    const continues = text.startsWith(before)
    if (!continues) this.heard.unmark(item.itemId)
    item.text = text
    this.finish(item, continues ? text.slice(before.length) : "")
  }

  /** No more text of this reply will come. */
  finishResponse(responseId: string): void {
    for (const item of this.planned.values()) {
      if (item.responseId === responseId) this.planned.delete(item.itemId)
    }
    for (const item of this.spoken.values()) {
      if (item.responseId === responseId) this.finish(item, "")
    }
  }

  /** The reply was cut off while `unfinished`, or while it was audible: what was heard of it, which this returns, stays. */
  cut(responseId: string, items: ReadonlyArray<HeardItem>, unfinished: boolean): string {
    const begun = new Set(this.spoken.keys())
    this.finishResponse(responseId)
    return this.cutReplies.cut(responseId, items, { begun, unfinished })
  }

  private item(items: Map<string, OpenItem>, { itemId, responseId, role }: Delta | Done): OpenItem {
    let item = items.get(itemId)
    if (item === undefined) {
      item = { role, itemId, responseId, text: "", characters: new WholeCharacters(), emitted: false, answered: false }
      items.set(itemId, item)
      // its place in the conversation is where its first words were spoken
      if (items === this.spoken && this.history.get(itemId) === undefined) this.remember(item, "put")
    }
    return item
  }

  private finish(item: OpenItem, rest: string): void {
    this.spoken.delete(item.itemId)
    if (item.role === "user") this.expected.arrived(item.itemId)
    if (isBlank(item)) item.text = ""
    this.remember(item, "put")
    // a turn in which nothing was understood causes no event, unless there was one before
    if (!isBlank(item) || item.emitted) this.emit(item, rest, true, false)
  }

  private remember({ itemId: id, responseId = "", role, text }: OpenItem, how: "put" | "update"): void {
    if (role === "user") return this.history[how]({ _tag: "User", id, parts: text === "" ? [] : [text] })
    const entry = { _tag: "Assistant", id, responseId, text, interrupted: false } as const
    if (how === "put") this.heardLog.put(entry)
    else this.history.update(entry)
  }

  private emit(item: OpenItem, delta: string, isFinal: boolean, preview: boolean): void {
    const { itemId, responseId, role, text } = item
    item.emitted = true
    this.fanout.emit({
      _tag: "TranscriptStream",
      role,
      delta,
      isFinal,
      currentTranscript: text,
      itemId,
      ...(responseId === undefined ? {} : { responseId }),
      ...(preview ? { preview } : {})
    })
  }
}
