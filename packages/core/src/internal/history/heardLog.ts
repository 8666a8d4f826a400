/**
 * What the session's log knows of the replies that are being heard: as much as was heard of them by now, written again
 * while they are. A process that dies leaves a log in which a reply ends where it was heard last.
 */
import * as Effect from "effect/Effect"
import type { Assistant } from "../../Transcript.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { Journal } from "../session/journal.ts"
import type { TurnState } from "../turns/turnState.ts"
import type { HeardReplies } from "./heardReplies.ts"
import type { History } from "./history.ts"

const EVERY = "1 second"

/** What the log says of a reply. */
interface Known {
  readonly full: string
  readonly chars: number
  readonly millis: number
}

export class HeardLog {
  private readonly open = new Map<string, Known>() // by the id of the entry
  private readonly journal: Journal
  private readonly history: History
  private readonly ledger: Ledger
  private readonly turn: { readonly active: string | undefined }
  private readonly heard: HeardReplies

  constructor(
    journal: Journal,
    history: History,
    ledger: Ledger,
    turn: { readonly active: string | undefined },
    heard: HeardReplies
  ) {
    this.journal = journal
    this.history = history
    this.ledger = ledger
    this.turn = turn
    this.heard = heard
  }

  /** Remembers a reply; the log is told what was heard of it. */
  put(entry: Assistant): void {
    if (!this.journal.on) return this.history.put(entry)
    this.open.delete(entry.id)
    if (!this.isOpen(entry)) return this.history.put(entry)
    const { text } = this.heard.entry(entry)
    const full = entry.full ?? entry.text
    this.open.set(entry.id, { full, chars: text.length, millis: this.millis(entry) })
    this.history.put(entry, { ...entry, text, full })
  }

  /** Tells the log how far the replies are. */
  checkpoint(): void {
    for (const [id, known] of this.open) {
      const entry = this.history.get(id)
      if (entry?._tag === "Assistant") this.tell(entry, known)
      else this.open.delete(id)
    }
  }

  private tell(entry: Assistant, known: Known): void {
    const { id, responseId } = entry
    // of words that are still coming nobody knows what may be kept
    if (this.history.redacts && responseId === this.turn.active) return
    const full = entry.full ?? entry.text
    // other words than those that were known
    if (!full.startsWith(known.full)) return this.put(entry)
    const final = !this.isOpen(entry)
    const chars = (final ? entry : this.heard.entry(entry)).text.length
    const millis = Math.max(known.millis, this.millis(entry))
    const more = full.slice(known.full.length)
    if (final) this.open.delete(id)
    else if (more === "" && chars === known.chars) return
    else this.open.set(id, { full, chars, millis })
    this.journal.write({ _tag: "Heard", id, chars, millis, final, ...(more === "" ? {} : { more }) })
  }

  // Something of it is still to be produced, or to be heard.
  private isOpen({ responseId }: Assistant): boolean {
    return responseId === this.turn.active || (this.ledger.hasDevices && this.ledger.isUnheard(responseId))
  }

  private millis({ id, responseId }: Assistant): number {
    return this.ledger.heard(responseId).find(({ itemId }) => itemId === id)?.heard ?? 0
  }

  /** Tells the log every second while a reply is made or heard, and once it was. */
  watch(turn: TurnState): Effect.Effect<void> {
    if (!this.journal.on) return Effect.void
    const sounds = () => turn.active !== undefined || this.ledger.remaining() > 0
    return turn.until(sounds).pipe(
      Effect.andThen(
        Effect.raceFirst(
          Effect.sleep(EVERY),
          turn.until(() => !sounds())
        )
      ),
      Effect.andThen(Effect.sync(() => this.checkpoint())),
      Effect.forever
    )
  }
}
