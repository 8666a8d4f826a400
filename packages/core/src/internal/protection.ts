/**
 * Speech of the agent that the user's voice and text must not cut: from the moment it is asked for until it has been
 * heard. Providers interrupt themselves when they hear speech, so they hear silence meanwhile.
 */
import type { Ledger } from "./playback.ts"
import { PATIENCE, type Turn } from "./turn.ts"

export class Protection {
  private asked: number | undefined // when a reply was asked for that has not begun
  private responseId: string | undefined
  private readonly turn: Turn
  private readonly ledger: Ledger
  private readonly now: () => number

  constructor(turn: Turn, ledger: Ledger, now: () => number) {
    this.turn = turn
    this.ledger = ledger
    this.now = now
  }

  /** The reply that was just asked for is to be protected. */
  readonly ask = (): void => {
    this.asked = this.now()
  }

  /** A reply begins; with `more` it is not the one that was asked for last. */
  started(responseId: string, more: boolean): void {
    if (this.asked === undefined || more) return
    this.asked = undefined
    this.responseId = responseId
  }

  /** No reply will come, or it was allowed to be cut. */
  lift(): void {
    this.asked = undefined
    this.responseId = undefined
  }

  /** The connection is gone: what is said again, or the rest of it, is protected too. */
  abandoned(active: string | undefined): void {
    if (active !== undefined && active === this.responseId) this.asked = this.now()
  }

  covers(responseId: string): boolean {
    return responseId === this.responseId
  }

  get on(): boolean {
    const { asked, responseId } = this
    if (asked !== undefined && this.now() - asked < PATIENCE) return true
    return responseId !== undefined && (this.turn.active === responseId || this.ledger.isUnheard(responseId))
  }
}
