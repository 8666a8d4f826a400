/**
 * The rooms of one conversation, as they see each other.
 */
import type { BidiModel } from "../../BidiModel.ts"
import type { Ears } from "../turns/inputGate.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Gaps } from "../connection/metrics.ts"
import type { Memory } from "../history/history.ts"
import type { Outbox } from "../connection/outbox.ts"
import type { Outputs } from "../playback/outputs.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { Protection } from "../turns/uninterruptible.ts"
import type { Turn } from "../turns/turnState.ts"
import type { Words } from "../history/transcriber.ts"

export interface Rooms {
  readonly model: BidiModel["Service"]
  readonly fanout: Fanout
  readonly memory: Memory
  readonly words: Words
  readonly gaps: Gaps
  readonly ledger: Ledger
  readonly turn: Turn
  readonly protection: Protection
  readonly ears: Ears
  readonly outbox: Outbox
  readonly outputs: Outputs
  /** The tool calls, by the id of their entry, whose result no connection was told. */
  readonly untold: Set<string>
  /** Counts the connections: the number of the current one, and of the last one that is gone. */
  readonly generation: { current: number; gone: number }
  /** Milliseconds of the clock. */
  readonly now: () => number
}
