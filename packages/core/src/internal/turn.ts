/**
 * Whose turn it is: the replies of the current connection, the user's speech, the tools that run.
 */
import * as Effect from "effect/Effect"
import type { Ledger } from "./playback.ts"

type Stage = "active" | "done" | "cancelled"

// Ids of a connection's replies are kept to recognise what comes late; more than this many back, nothing does.
const REMEMBERED = 64

export class Turn {
  private readonly replies = new Map<string, Stage>()
  private readonly waiting = new Set<() => void>()
  private asked = false
  private speaking = false
  private tools = 0
  private readonly ledger: Ledger
  private readonly pending: () => boolean

  /** `pending` answers whether commands still wait to be sent. */
  constructor(ledger: Ledger, pending: () => boolean) {
    this.ledger = ledger
    this.pending = pending
  }

  /** The reply that is being generated. */
  active: string | undefined

  stage(responseId: string): Stage | undefined {
    return this.replies.get(responseId)
  }

  started(responseId: string): void {
    this.active = responseId
    this.asked = false
    this.replies.set(responseId, "active")
    if (this.replies.size > REMEMBERED) this.replies.delete(this.replies.keys().next().value!)
    this.changed()
  }

  done(responseId: string): void {
    this.replies.set(responseId, "done")
    if (this.active === responseId) this.active = undefined
    this.changed()
  }

  /** Closes the door: nothing of this reply passes any more. */
  cancelled(responseId: string): void {
    this.replies.set(responseId, "cancelled")
    if (this.active === responseId) this.active = undefined
    this.changed()
  }

  /** A reply was asked for; it has not started yet. */
  readonly awaitReply = (): void => {
    this.asked = true
    this.changed()
  }

  /** No reply will come, or it will be asked for again. */
  noReply(): void {
    this.asked = false
    this.changed()
  }

  get awaitingReply(): boolean {
    return this.asked
  }

  userSpeaks(speaking: boolean): void {
    this.speaking = speaking
    this.changed()
  }

  toolStarted(): void {
    this.tools++
    this.changed()
  }

  toolEnded(): void {
    this.tools--
    this.changed()
  }

  /** The connection is gone, and with it whatever it was doing. A reply that was on its way is still awaited. */
  abandoned(owesReply: boolean): void {
    this.asked ||= owesReply
    this.active = undefined
    this.speaking = false
    this.replies.clear()
    this.changed()
  }

  /** Whether anything is going on, apart from sound that is still playing. */
  get busy(): boolean {
    return this.active !== undefined || this.asked || this.speaking || this.tools > 0 || this.pending()
  }

  /** Tells those who wait that something may have changed. */
  readonly changed = (): void => {
    // who is resumed may wait again at once, for the next change
    const waiting = Array.from(this.waiting)
    for (const resume of waiting) resume()
  }

  private readonly change = Effect.callback<void>((resume) => {
    const done = () => {
      this.waiting.delete(done)
      resume(Effect.void)
    }
    this.waiting.add(done)
    return Effect.sync(() => this.waiting.delete(done))
  })

  /** Waits until no sound is left to play. */
  readonly quiet: Effect.Effect<void> = Effect.suspend(() => {
    const rest = this.ledger.remaining()
    if (rest === 0) return Effect.void
    return Effect.andThen(Effect.raceFirst(Effect.sleep(rest), this.change), this.quiet)
  })

  /** Waits until nothing is going on and no sound is left to play. */
  readonly idle: Effect.Effect<void> = Effect.suspend(() => {
    if (this.busy) return Effect.andThen(this.change, this.idle)
    if (this.ledger.remaining() > 0) return Effect.andThen(this.quiet, this.idle)
    return Effect.void
  })
}
