/**
 * A reply that is being made and sent, whatever the provider.
 */
import type { ResponseFault } from "../../Fault.ts"
import type { Reply } from "../../Prompt.ts"

export interface ActiveReply<F> {
  readonly id: string
  /**
   * `transcribing`: the user's speech is being transcribed. `synthesizing`: the voice is at work. `sending`: frames are
   * sent. `playing`: everything was sent and is being played. `blocked`: the reply waits for results of tools.
   */
  readonly stage: "transcribing" | "synthesizing" | "sending" | "playing" | "blocked"
  /** What the assistant decided. */
  readonly reply: Reply | undefined
  readonly frames: ReadonlyArray<F>
  /** Index of the next frame, and when it is due, in milliseconds since the epoch. */
  readonly next: number
  readonly dueAt: number
  readonly faults: ReadonlyArray<ResponseFault>
}

/** A reply that was only asked for. */
export const newReply = <F>(id: string, dueAt: number, faults: ReadonlyArray<ResponseFault>): ActiveReply<F> => ({
  id,
  stage: "transcribing",
  reply: undefined,
  frames: [],
  next: 0,
  dueAt,
  faults
})
