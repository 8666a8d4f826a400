/**
 * Words on their way: from the pieces a provider sends to `TranscriptStream` events and transcript entries.
 */
import type { HeardItem, ModelEvent } from "../BidiModel.ts"
import type { Assistant } from "../Transcript.ts"
import * as Transcript from "../Transcript.ts"
import type { Fanout } from "./fanout.ts"
import type { Memory } from "./memory.ts"

type Piece = Extract<ModelEvent, { readonly _tag: "TranscriptDelta" }>
type Whole = Extract<ModelEvent, { readonly _tag: "TranscriptDone" }>

interface Open {
  readonly role: "user" | "assistant"
  readonly itemId: string
  readonly responseId: string | undefined
  text: string
  /** Words of the user that a reply has followed: the sound of them is not kept any more. */
  answered: boolean
}

// Words of the user that have not come by then, in milliseconds, are not waited for any more.
const OVERDUE = 5000

// Replies are cut soon after they were produced; when words of older ones were spoken does not matter any more.
const REMEMBERED = 32

export class Words {
  private readonly marks = new Map<string, Array<Transcript.Mark>>()
  private readonly spoken = new Map<string, Open>()
  private readonly planned = new Map<string, Open>()
  private readonly missing = new Map<string, number>() // turns of the user whose words are not known, and since when
  private transcribes = false
  private readonly fanout: Fanout
  private readonly memory: Memory
  private readonly now: () => number

  constructor(fanout: Fanout, memory: Memory, now: () => number) {
    this.fanout = fanout
    this.memory = memory
    this.now = now
  }

  /** The provider took a turn of the user; its words will come into this place. */
  userTurn(itemId: string): void {
    if (this.memory.get(itemId) !== undefined) return
    this.memory.put({ _tag: "User", id: itemId, parts: [] })
    this.missing.set(itemId, this.now())
    if (this.missing.size > REMEMBERED) this.missing.delete(this.missing.keys().next().value!)
  }

  /**
   * In how many milliseconds words of the user that are still to come are given up; 0 when none are. A provider that never
   * sent any is not expected to.
   */
  missingFor(): number {
    if (!this.transcribes) return 0
    let latest = -Infinity
    for (const since of this.missing.values()) latest = Math.max(latest, since)
    return Math.max(0, latest + OVERDUE - this.now())
  }

  /** The words of this turn will never come; what there is of them stays. */
  failed(itemId: string): void {
    this.missing.delete(itemId)
    const item = this.spoken.get(itemId)
    if (item !== undefined) this.finish(item, "")
  }

  /** The provider does not take this message of the user: it is no part of the talk. */
  refused(id: string): void {
    if (this.memory.get(id)?._tag === "User") this.memory.put({ _tag: "User", id, parts: [] })
  }

  /** The turns so far have a reply: their sound is not kept any more. */
  answered(): void {
    for (const item of this.spoken.values()) {
      if (item.role === "user" && this.missing.has(item.itemId)) item.answered = true
    }
  }

  /**
   * The connection is gone, and with it the words that were still to come. Of a turn that is sent again as sound the words
   * so far were a preview.
   */
  abandoned(): void {
    this.missing.clear()
    for (const item of this.spoken.values()) {
      if (item.role !== "user") continue
      if (item.answered) this.finish(item, "")
      else this.forget(item)
    }
  }

  private forget({ itemId }: Open): void {
    this.spoken.delete(itemId)
    this.memory.update({ _tag: "User", id: itemId, parts: [] })
  }

  delta(piece: Piece): void {
    const items = piece.preview === true ? this.planned : this.spoken
    const item = this.item(items, piece)
    item.text += piece.delta
    if (piece.until !== undefined) this.mark(piece.itemId, item.text.trimEnd().length, piece.until)
    if (piece.preview !== true) this.remember(item, "update")
    this.emit(item, piece.delta, false, piece.preview === true)
  }

  done(whole: Whole): void {
    const item = this.item(this.spoken, whole)
    const goesOn = whole.text.startsWith(item.text)
    const rest = goesOn ? whole.text.slice(item.text.length) : ""
    if (!goesOn) this.marks.delete(item.itemId)
    item.text = whole.text
    this.finish(item, rest)
  }

  /** No more words of this reply will come. */
  finishResponse(responseId: string): void {
    for (const item of this.planned.values()) {
      if (item.responseId === responseId) this.planned.delete(item.itemId)
    }
    for (const item of this.spoken.values()) {
      if (item.responseId === responseId) this.finish(item, "")
    }
  }

  /** The reply was cut off: from now on, what was heard of it is what was said. `cuts` names its audio. Answers that. */
  cut(responseId: string, cuts: ReadonlyArray<HeardItem>): string {
    const begun = new Set(this.spoken.keys())
    const heard: Array<string> = []
    this.finishResponse(responseId)
    for (const entry of this.memory.transcript()) {
      if (entry._tag !== "Assistant" || entry.responseId !== responseId) continue
      const full = entry.full ?? entry.text
      const text = heardText(full, entry.id, cuts, this.marks.get(entry.id))
      heard.push(text)
      if (text === full && !begun.has(entry.id)) continue
      this.memory.put({ ...entry, text, interrupted: true, full })
    }
    return heard.join(" ")
  }

  private mark(itemId: string, chars: number, until: number): void {
    const marks = this.marks.get(itemId) ?? []
    marks.push({ chars, until })
    this.marks.set(itemId, marks)
    if (this.marks.size > REMEMBERED) this.marks.delete(this.marks.keys().next().value!)
  }

  private item(items: Map<string, Open>, { itemId, responseId, role }: Piece | Whole): Open {
    let item = items.get(itemId)
    if (item === undefined) {
      item = { role, itemId, responseId, text: "", answered: false }
      items.set(itemId, item)
      // its place in the talk is where its first words were spoken
      if (items === this.spoken && this.memory.get(itemId) === undefined) this.remember(item, "put")
    }
    return item
  }

  private finish(item: Open, rest: string): void {
    this.spoken.delete(item.itemId)
    if (item.role === "user") {
      this.transcribes = true
      this.missing.delete(item.itemId)
    }
    this.remember(item, "put")
    this.emit(item, rest, true, false)
  }

  private remember(item: Open, how: "put" | "update"): void {
    const { itemId: id, responseId = "", role, text } = item
    if (role === "user") {
      this.memory[how]({ _tag: "User", id, parts: text === "" ? [] : [text] })
    } else {
      const entry: Assistant = { _tag: "Assistant", id, responseId, text, interrupted: false }
      this.memory[how](entry)
    }
  }

  private emit({ itemId, responseId, role, text }: Open, delta: string, isFinal: boolean, preview: boolean): void {
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

// A reply without audio was read, all of it. In one with audio, an item without any was not reached.
const heardText = (
  full: string,
  itemId: string,
  cuts: ReadonlyArray<HeardItem>,
  marks: ReadonlyArray<Transcript.Mark> | undefined
): string => {
  if (cuts.length === 0) return full
  const cut = cuts.find((cut) => cut.itemId === itemId)
  return cut === undefined ? "" : Transcript.heardText(full, cut.heard, cut.produced, marks)
}
