/**
 * Metrics of reconnections: the time without a connection, and the silence in a reply that the loss interrupted.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"

const boundaries = Metric.exponentialBoundaries({ start: 0.01, factor: 2, count: 14 })

const connectionGap = Metric.histogram("bidi.connection.gap", {
  description: "Seconds without a connection, per replacement",
  boundaries
})

const audioGap = Metric.histogram("bidi.audio.gap", {
  description: "Seconds from the last audio of a reply that was cut by the end of its connection to the next audio",
  boundaries
})

export class ConnectionMetrics {
  private lostAt: number | undefined
  private silentSince: number | undefined
  private audioAt = NaN // always a number, so that the engine updates it in place
  private readonly clock: Clock.Clock
  private readonly context: Context.Context<never>

  constructor(clock: Clock.Clock, context: Context.Context<never>) {
    this.clock = clock
    this.context = context
  }

  /** The connection is gone; `inReply` if it ended during a reply. */
  lost(inReply: boolean): void {
    this.lostAt ??= this.clock.currentTimeMillisUnsafe()
    if (inReply && !Number.isNaN(this.audioAt)) this.silentSince ??= this.audioAt
  }

  /** There is a connection; `seamless` if there was one all the time. */
  connected(seamless: boolean): void {
    if (this.lostAt !== undefined && !seamless)
      connectionGap.updateUnsafe((this.clock.currentTimeMillisUnsafe() - this.lostAt) / 1000, this.context)
    this.lostAt = undefined
  }

  /** Audio arrived. Returns when. */
  audio(): number {
    const at = this.clock.currentTimeMillisUnsafe()
    this.audioAt = at
    if (this.silentSince !== undefined) {
      audioGap.updateUnsafe((at - this.silentSince) / 1000, this.context)
      this.silentSince = undefined
    }
    return at
  }
}
