/**
 * Turns of the user whose words are still to come.
 */
import { Recent } from "../recent.ts"

// Words that have not come after this time are not waited for any more.
const TRANSCRIPTION_TIMEOUT_MILLIS = 5000

const MAX_TURNS = 32

export class ExpectedWords {
  private readonly since = new Recent<string, number>(MAX_TURNS)
  private transcribes = false
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** The provider has taken a turn of the user. */
  expect(itemId: string): void {
    this.since.set(itemId, this.now())
  }

  isExpected(itemId: string): boolean {
    return this.since.has(itemId)
  }

  /** The words of this turn are there. */
  arrived(itemId: string): void {
    this.transcribes = true
    this.since.delete(itemId)
  }

  /** The words of this turn will never come. */
  giveUp(itemId: string): void {
    this.since.delete(itemId)
  }

  /** No words come from a connection that is gone. */
  clear(): void {
    this.since.clear()
  }

  /**
   * Milliseconds until the last of them are given up; 0 when none are expected. A provider that has never sent words is
   * not expected to.
   */
  millisLeft(): number {
    if (!this.transcribes) return 0
    const latest = Math.max(-Infinity, ...this.since.values())
    return Math.max(0, latest + TRANSCRIPTION_TIMEOUT_MILLIS - this.now())
  }
}
