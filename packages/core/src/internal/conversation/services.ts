/**
 * The rooms of one conversation, as they see each other.
 */
import type { BidiModel } from "../../BidiModel.ts"
import type { InputGate } from "../turns/inputGate.ts"
import type { Fanout } from "../events/fanout.ts"
import type { ConnectionMetrics } from "../connection/metrics.ts"
import type { History } from "../history/history.ts"
import type { Outbox } from "../connection/outbox.ts"
import type { Outputs } from "../playback/outputs.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { UninterruptibleSpeech } from "../turns/uninterruptible.ts"
import type { TurnState } from "../turns/turnState.ts"
import type { Transcriber } from "../history/transcriber.ts"

export interface Services {
  readonly model: BidiModel["Service"]
  readonly fanout: Fanout
  readonly history: History
  readonly transcriber: Transcriber
  readonly metrics: ConnectionMetrics
  readonly ledger: Ledger
  readonly turn: TurnState
  readonly uninterruptible: UninterruptibleSpeech
  readonly inputGate: InputGate
  readonly outbox: Outbox
  readonly outputs: Outputs
  /** The tool calls, by the id of their entry, whose result no connection was told. */
  readonly untold: Set<string>
  /** Counts the connections: the number of the current one, and of the last one that is gone. */
  readonly generation: { current: number; gone: number }
  /** Milliseconds of the clock. */
  readonly now: () => number
}
