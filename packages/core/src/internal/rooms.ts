/**
 * The rooms of one conversation, as they see each other.
 */
import type { BidiModel } from "../BidiModel.ts"
import type { Ears } from "./ears.ts"
import type { Fanout } from "./fanout.ts"
import type { Gaps } from "./gaps.ts"
import type { Memory } from "./memory.ts"
import type { Outbox } from "./outbox.ts"
import type { Outputs } from "./outputs.ts"
import type { Ledger } from "./playback.ts"
import type { Protection } from "./protection.ts"
import type { Turn } from "./turn.ts"
import type { Words } from "./words.ts"

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
