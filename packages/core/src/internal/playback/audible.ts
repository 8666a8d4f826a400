/**
 * Tells when the person begins and stops hearing an item, where somebody asks for that.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Playback } from "../../BidiEvent.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Ledger, Sounding } from "./ledger.ts"

// How often a device is asked whether it has begun, in milliseconds.
const LOOK_AGAIN = 20

// Positions are sums of fractions: what differs by less than this is the same moment.
const TOLERANCE = 0.5

export class Audible {
  private readonly fanout: Fanout
  private readonly ledger: Ledger
  private readonly wanted = Latch.makeUnsafe(false)
  private readonly changed = Latch.makeUnsafe(false)
  private now: Sounding | undefined // what was said to be audible
  private due: Sounding | undefined // produced, and not heard yet
  private last: { readonly itemId: string; readonly played: number } | undefined // where it was silent
  private paused = false

  constructor(fanout: Fanout, ledger: Ledger) {
    this.fanout = fanout
    this.ledger = ledger
    fanout.onDemand("Playback", () => this.wanted.openUnsafe())
  }

  /** Watches the devices. */
  readonly watch: Effect.Effect<never> = Effect.andThen(
    this.wanted.await,
    Effect.forever(Effect.suspend(() => Effect.andThen(this.next(this.look()), this.changed.close)))
  )

  /** The devices were paused, or go on. */
  pausing(paused: boolean): void {
    if (this.paused === paused || !this.wanted.isOpen()) return
    this.look()
    this.paused = paused
    if (this.now !== undefined) this.tell(paused ? "paused" : "resumed", this.now, this.played(this.now))
    this.changed.openUnsafe()
  }

  /** The devices were silenced, and the ledger does not know it yet. */
  flushed(): void {
    if (!this.wanted.isOpen()) return
    this.look()
    if (this.now !== undefined) this.end(this.now)
    this.due = undefined
    this.changed.openUnsafe()
  }

  // Compares what is audible with what was told, and returns in how many milliseconds to look again.
  private look(): number {
    const sounding = this.ledger.sounding()
    if (this.now !== undefined && this.now.itemId !== sounding?.itemId) this.end(this.now)
    // so short that it was over before it was seen to begin
    if (this.due !== undefined && this.due.itemId !== sounding?.itemId) this.start(this.due, this.played(this.due))
    if (this.now !== undefined && this.now.itemId !== sounding?.itemId) this.end(this.now)
    if (sounding === undefined) return Infinity
    if (this.now === undefined && !this.start(sounding, sounding.played)) {
      this.due = sounding
      return Math.max(1, Math.min(LOOK_AGAIN, sounding.left))
    }
    this.now = sounding
    return Math.max(1, sounding.left)
  }

  private next(within: number): Effect.Effect<void> {
    if (within !== Infinity && !this.paused) return Effect.raceFirst(Effect.sleep(within), this.changed.await)
    // silent: the next sound wakes it
    this.ledger.onSound = () => {
      this.ledger.onSound = undefined
      this.changed.openUnsafe()
    }
    return this.changed.await
  }

  // Returns whether any of it was heard that had not been.
  private start(item: Sounding, played: number): boolean {
    this.due = undefined
    const before = item.itemId === this.last?.itemId ? this.last.played : 0
    if (played <= before + TOLERANCE) return false
    this.now = item
    this.tell("started", item, played)
    return true
  }

  private end(item: Sounding): void {
    const played = this.played(item)
    this.now = undefined
    this.last = { itemId: item.itemId, played }
    this.tell("ended", item, played)
  }

  // An item that the ledger has forgotten was played to its end.
  private played({ itemId, left, played, responseId }: Sounding): number {
    const item = this.ledger.heard(responseId).find((item) => item.itemId === itemId)
    return item?.heard ?? played + left
  }

  private tell(phase: Playback["phase"], { itemId, responseId }: Sounding, played: number): void {
    this.fanout.emit({ _tag: "Playback", phase, responseId, itemId, played: Duration.millis(Math.round(played)) })
  }
}
