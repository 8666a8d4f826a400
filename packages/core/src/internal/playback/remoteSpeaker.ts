/**
 * A device that cannot be asked how much it has played, but may report it.
 */
import type * as Clock from "effect/Clock"
import type { Ledger, Position } from "./ledger.ts"
import { RemoteClock } from "./remoteClock.ts"

export class RemoteSpeaker {
  private readonly played = new RemoteClock()
  private readonly ledger: Ledger
  private readonly clock: Clock.Clock
  private readonly position: Position

  constructor(ledger: Ledger, clock: Clock.Clock) {
    this.ledger = ledger
    this.clock = clock
    this.position = () => this.played.played(this.now())
    ledger.add(this.position)
  }

  append(millis: number): void {
    this.played.append(millis, this.now())
  }

  /** The device has played so many milliseconds of an item. */
  report(itemId: string, millis: number): void {
    const position = this.ledger.locate(this.position, itemId, millis)
    if (position !== undefined) this.played.report(position, this.now())
  }

  readonly flush = (): void => this.played.flush(this.now())

  readonly pause = (): void => this.played.pause(this.now())

  readonly resume = (): void => this.played.resume(this.now())

  private now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }
}
