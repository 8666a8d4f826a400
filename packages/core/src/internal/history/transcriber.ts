/**
 * Words on their way: from the pieces a provider sends to `TranscriptStream` events and transcript entries.
 */
import * as Duration from "effect/Duration"
import type { HeardItem, ModelEvent } from "../../BidiModel.ts"
import type { Heard } from "../../CurrentConversation.ts"
import type { Assistant } from "../../Transcript.ts"
import * as Transcript from "../../Transcript.ts"
import type { Fanout } from "../events/fanout.ts"
import type { History } from "./history.ts"
import type { Ledger } from "../playback/ledger.ts"
import { shortest } from "../../Spoken.ts"

type Piece = Extract<ModelEvent, { readonly _tag: "TranscriptDelta" }>
type Whole = Extract<ModelEvent, { readonly _tag: "TranscriptDone" }>

/** An item of a reply that was cut off: what was heard of it, of all that was produced until the model stopped. */
interface Cut {
  readonly responseId: string
  readonly heard: number
  produced: number
}

interface Open {
  readonly role: "user" | "assistant"
  readonly itemId: string
  readonly responseId: string | undefined
  text: string
  /** Something of it was told. */
  shown: boolean
  /** Words of the user that a reply has followed: the sound of them is not kept any more. */
  answered: boolean
}

// What the user said may be understood as nothing, or as a few blanks.
const isNothing = ({ role, text }: Open): boolean => role === "user" && text.trim() === ""

// Words of the user that have not come by then, in milliseconds, are not waited for any more.
const OVERDUE = 5000

// Of fewer characters than this nobody can tell how fast they are spoken; and some are spoken faster than others.
const FEW = 10
const MARGIN = 0.8

// Replies are cut soon after they were produced; when words of older ones were spoken does not matter any more.
const REMEMBERED = 32

export class Transcriber {
  private readonly marks = new Map<string, Array<Transcript.Mark>>()
  private readonly spoken = new Map<string, Open>()
  private readonly planned = new Map<string, Open>()
  private readonly missing = new Map<string, number>() // turns of the user whose words are not known, and since when
  private readonly cuts = new Map<string, Cut>()
  private pace = 1 // the least time that words took, of what a voice takes at least
  private transcribes = false
  private readonly fanout: Fanout
  private readonly history: History
  private readonly ledger: Ledger
  private readonly turn: { readonly active: string | undefined }
  private readonly now: () => number

  constructor(
    fanout: Fanout,
    history: History,
    ledger: Ledger,
    turn: { readonly active: string | undefined },
    now: () => number
  ) {
    this.fanout = fanout
    this.history = history
    this.ledger = ledger
    this.turn = turn
    this.now = now
  }

  /** The provider took a turn of the user; its words will come into this place. */
  userTurn(itemId: string): void {
    if (this.history.get(itemId) !== undefined) return
    this.history.put({ _tag: "User", id: itemId, parts: [] })
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
    if (this.history.get(id)?._tag === "User") this.history.put({ _tag: "User", id, parts: [] })
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
    this.cuts.clear()
    for (const item of this.spoken.values()) {
      if (item.role !== "user") continue
      if (item.answered) this.finish(item, "")
      else this.forget(item)
    }
  }

  private forget({ itemId }: Open): void {
    this.spoken.delete(itemId)
    this.history.update({ _tag: "User", id: itemId, parts: [] })
  }

  delta(piece: Piece): void {
    const items = piece.preview === true ? this.planned : this.spoken
    const item = this.item(items, piece)
    const nothing = isNothing(item)
    item.text += piece.delta
    if (isNothing(item)) return
    if (piece.until !== undefined) this.mark(piece.itemId, item.text.trimEnd().length, piece.until)
    if (piece.preview !== true) this.remember(item, "update")
    this.emit(item, nothing ? item.text : piece.delta, false, piece.preview === true)
  }

  done(whole: Whole): void {
    const item = this.item(this.spoken, whole)
    const before = isNothing(item) ? "" : item.text
    const goesOn = whole.text.startsWith(before)
    const rest = goesOn ? whole.text.slice(before.length) : ""
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

  /** All of the reply was produced, words and sound: a voice may be faster than voices are. */
  completed(responseId: string): void {
    for (const { itemId, produced } of this.ledger.heard(responseId)) {
      const entry = this.history.get(itemId)
      if (entry?._tag !== "Assistant" || entry.text.length < FEW || produced === 0) continue
      this.pace = Math.min(this.pace, (MARGIN * produced) / shortest(entry.text))
    }
  }

  /**
   * The reply was cut off: from now on, what was heard of it is what was said. `items` names its audio, all of it unless
   * the reply was still being generated (`unfinished`). Answers that.
   */
  cut(responseId: string, items: ReadonlyArray<HeardItem>, unfinished: boolean): string {
    const begun = new Set(this.spoken.keys())
    const heard: Array<string> = []
    this.finishResponse(responseId)
    if (this.ledger.hasDevices) {
      for (const { heard, itemId, produced } of items) {
        this.cuts.set(itemId, { responseId, heard, produced })
        if (this.cuts.size > REMEMBERED) this.cuts.delete(this.cuts.keys().next().value!)
        // the place of words that are still to come
        if (this.history.get(itemId) === undefined) {
          this.history.put({ _tag: "Assistant", id: itemId, responseId, text: "", interrupted: true, full: "" })
        }
      }
    }
    for (const entry of this.history.transcript()) {
      if (entry._tag !== "Assistant" || entry.responseId !== responseId) continue
      const full = entry.full ?? entry.text
      const text = this.heardOfItem(entry, items, unfinished)
      heard.push(text)
      if (text === full && !begun.has(entry.id)) continue
      this.history.put({ ...entry, text, interrupted: true, full })
    }
    return heard.join(" ")
  }

  /** Sound of a reply that was cut off already: nobody hears it, but words that come late may be about it. */
  lateAudio(itemId: string, millis: number): void {
    const cut = this.cuts.get(itemId)
    if (cut !== undefined) cut.produced += millis
  }

  /** Words of a reply that was cut off already: some providers send them after their sound. */
  late(piece: Piece | Whole): void {
    const cut = this.cuts.get(piece.itemId)
    const entry = this.history.get(piece.itemId)
    if (cut === undefined || entry?._tag !== "Assistant") return
    if (piece._tag === "TranscriptDelta" && piece.preview === true) return
    const before = entry.full ?? entry.text
    const full = piece._tag === "TranscriptDelta" ? before + piece.delta : piece.text
    if (!full.startsWith(before)) this.marks.delete(entry.id)
    if (piece._tag === "TranscriptDelta" && piece.until !== undefined) {
      this.mark(entry.id, full.trimEnd().length, piece.until)
    }
    const text = spokenText(full, cut.heard, cut.produced, this.marks.get(entry.id), this.pace)
    this.history.put({ ...entry, text, interrupted: true, full })
  }

  /** The reply ended with its connection: what was produced of it will be heard, and words beyond that will not. */
  lost(responseId: string): void {
    if (!this.ledger.hasDevices) return
    const items = this.ledger.heard(responseId).map((item) => ({ ...item, heard: item.produced }))
    for (const entry of this.history.transcript()) {
      if (entry._tag !== "Assistant" || entry.responseId !== responseId) continue
      const text = this.heardOfItem(entry, items, true)
      if (text !== entry.text) this.history.put({ ...entry, text, interrupted: true, full: entry.full ?? entry.text })
    }
  }

  /** What was said, as heard so far. */
  heardSoFar(): Transcript.Transcript {
    const audible = this.audible()
    const entries = this.history.transcript()
    return audible.size === 0
      ? entries
      : entries.map((entry) => (entry._tag === "Assistant" ? this.soFar(entry, audible) : entry))
  }

  /** What was heard of the words of one reply so far. */
  heardOf(responseId: string): Heard {
    const audible = this.audible()
    let text = ""
    let full = ""
    for (const entry of this.history.transcript()) {
      if (entry._tag !== "Assistant" || entry.responseId !== responseId) continue
      text += this.soFar(entry, audible).text
      full += entry.full ?? entry.text
    }
    const unfinished = responseId === this.turn.active && this.ledger.hasDevices
    return { text, full, left: unfinished ? Duration.infinity : Duration.millis(this.ledger.left(responseId)) }
  }

  private audible(): ReadonlySet<string> {
    if (!this.ledger.hasDevices) return new Set()
    const audible = new Set(this.ledger.unheard())
    const { active } = this.turn
    if (active !== undefined) audible.add(active)
    return audible
  }

  private soFar(entry: Assistant, audible: ReadonlySet<string>): Assistant {
    if (!audible.has(entry.responseId)) return entry
    const { responseId } = entry
    const full = entry.full ?? entry.text
    // of one that ended with its connection, not all words have a sound
    const unfinished = responseId === this.turn.active || entry.interrupted
    const text = this.heardOfItem(entry, this.ledger.heard(responseId), unfinished)
    return text === full ? entry : { ...entry, text, full }
  }

  // Without a speaker words are read. With one, an item without any sound was not reached.
  private heardOfItem(entry: Assistant, items: ReadonlyArray<HeardItem>, unfinished: boolean): string {
    const full = entry.full ?? entry.text
    if (!this.ledger.hasDevices) return full
    const item = items.find(({ itemId }) => itemId === entry.id)
    return item === undefined
      ? ""
      : spokenText(
          full,
          item.heard,
          item.produced,
          this.marks.get(entry.id),
          unfinished || entry.interrupted ? this.pace : undefined
        )
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
      item = { role, itemId, responseId, text: "", shown: false, answered: false }
      items.set(itemId, item)
      // its place in the talk is where its first words were spoken
      if (items === this.spoken && this.history.get(itemId) === undefined) this.remember(item, "put")
    }
    return item
  }

  private finish(item: Open, rest: string): void {
    this.spoken.delete(item.itemId)
    if (item.role === "user") {
      this.transcribes = true
      this.missing.delete(item.itemId)
    }
    if (isNothing(item)) item.text = ""
    this.remember(item, "put")
    // nobody hears of a turn in which nothing was understood, unless they were told otherwise before
    if (isNothing(item) && !item.shown) return
    this.emit(item, rest, true, false)
  }

  private remember(item: Open, how: "put" | "update"): void {
    const { itemId: id, responseId = "", role, text } = item
    if (role === "user") {
      this.history[how]({ _tag: "User", id, parts: text === "" ? [] : [text] })
    } else {
      const entry: Assistant = { _tag: "Assistant", id, responseId, text, interrupted: false }
      this.history[how](entry)
    }
  }

  private emit(item: Open, delta: string, isFinal: boolean, preview: boolean): void {
    const { itemId, responseId, role, text } = item
    item.shown = true
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

// Of an item that is unfinished there may be more words than sound. Those are not thought to have been spoken any faster
// than a voice can, at this `pace`.
const spokenText = (
  full: string,
  heard: number,
  produced: number,
  marks: ReadonlyArray<Transcript.Mark> | undefined,
  pace: number | undefined
): string => {
  if (pace === undefined) return Transcript.heardText(full, heard, produced, marks)
  const last = marks?.at(-1)
  const least = (last?.until ?? 0) + pace * shortest(full.slice(last?.chars ?? 0))
  return Transcript.heardText(full, heard, Math.max(produced, least), marks)
}
