/**
 * Speech of the agent that the user must not cut off, from its request until it has been heard. Providers interrupt
 * themselves when they hear speech, so they hear silence meanwhile.
 */
import type { Ledger } from "../playback/ledger.ts"
import type { TurnState } from "./turnState.ts"

export class UninterruptibleSpeech {
  private asked = false // the reply has not begun
  private responseId: string | undefined
  private readonly turn: TurnState
  private readonly ledger: Ledger

  constructor(turn: TurnState, ledger: Ledger) {
    this.turn = turn
    this.ledger = ledger
  }

  /** The reply that was just requested is uninterruptible. */
  readonly request = (): void => {
    this.asked = true
  }

  /** A reply begins; with `more` it is not the one that was requested last. */
  started(responseId: string, more: boolean): void {
    if (!this.asked || more) return
    this.asked = false
    this.responseId = responseId
  }

  /** The reply will not come, or may be interrupted now. */
  lift(): void {
    this.asked = false
    this.responseId = undefined
  }

  /** The connection is gone: the repetition or the rest of the reply is uninterruptible too. */
  abandoned(active: string | undefined): void {
    if (active !== undefined && active === this.responseId) this.asked = true
  }

  covers(responseId: string): boolean {
    return responseId === this.responseId
  }

  get active(): boolean {
    const { asked, responseId } = this
    return asked || (responseId !== undefined && (this.turn.active === responseId || this.ledger.isUnheard(responseId)))
  }
}
