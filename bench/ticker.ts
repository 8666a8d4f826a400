/**
 * One timer for many lines: each gets a tick every 20 ms, at its own place within them. Late ticks are made up for, so
 * that nothing drifts.
 */
import { FRAME_MILLIS } from "./frame.ts"

const SLOTS = 20

export class Ticker {
  private readonly slots: ReadonlyArray<Set<() => void>> = Array.from({ length: SLOTS }, () => new Set())
  private readonly late: (millis: number) => void
  private timer: NodeJS.Timeout | undefined
  private slot = 0
  private due = 0

  /** `late` hears of every tick by how much it was late. */
  constructor(late: (millis: number) => void = () => {}) {
    this.late = late
  }

  /** Ticks until the answer is called. */
  add(tick: () => void): () => void {
    const slot = this.slots.reduce((emptiest, slot) => (slot.size < emptiest.size ? slot : emptiest))
    slot.add(tick)
    if (this.timer === undefined) {
      this.due = performance.now()
      this.advance()
      this.sleep()
    }
    return () => {
      slot.delete(tick)
      if (this.slots.every((slot) => slot.size === 0)) this.stop()
    }
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    for (const slot of this.slots) slot.clear()
  }

  private sleep(): void {
    this.timer = setTimeout(
      () => {
        this.catchUp()
        if (this.timer !== undefined) this.sleep()
      },
      Math.max(0, this.due - performance.now())
    )
  }

  private catchUp(): void {
    for (let now = performance.now(); this.due <= now && this.timer !== undefined; now = performance.now()) {
      this.late(now - this.due)
      for (const tick of this.slots[this.slot]!) tick()
      this.advance()
    }
  }

  // To the next slot that has anybody in it.
  private advance(): void {
    for (let i = 0; i < SLOTS; i++) {
      this.slot = (this.slot + 1) % SLOTS
      this.due += FRAME_MILLIS / SLOTS
      if (this.slots[this.slot]!.size > 0) return
    }
  }
}
