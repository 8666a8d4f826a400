/**
 * A distribution of times.
 */
import { createHistogram } from "node:perf_hooks"

/** In milliseconds. */
export interface Distribution {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class Latency {
  private readonly micros = createHistogram()

  record(millis: number): void {
    this.micros.record(Math.max(1, Math.round(millis * 1000)))
  }

  reset(): void {
    this.micros.reset()
  }

  summary(): Distribution {
    const { micros } = this
    if (micros.count === 0) return { p50: 0, p99: 0, max: 0 }
    return { p50: micros.percentile(50) / 1000, p99: micros.percentile(99) / 1000, max: micros.max / 1000 }
  }
}
