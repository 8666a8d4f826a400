/**
 * One step of a session while it is being made. Only the new state and the commands outlive it.
 */
import type { Assistant } from "../../Assistant.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Command } from "./machine.ts"

/** What every session is made with. */
export interface Setup {
  readonly seed: number
  /** How many times faster than real time replies are generated. `Infinity` waits for nothing, not for playback either. */
  readonly speed: number
  /** The audio in one message, in whole milliseconds. */
  readonly chunkMs: number
  /** From the request for a reply to its first chunk. */
  readonly latencyMs: number
  /** How long a connection lasts. */
  readonly sessionMs: number
  readonly assistant: Assistant
}

/** What every session remembers. */
export interface State {
  /** How many ids were made. */
  readonly ids: number
  /** Replies pause. */
  readonly isHeld: boolean
  /** Faults of the next reply. */
  readonly armed: ReadonlyArray<ResponseFault>
  readonly ended: boolean
}

export const initial: State = { ids: 0, isHeld: false, armed: [], ended: false }

export abstract class Step<Given extends Setup, Memory extends State> {
  readonly setup: Given
  readonly now: number
  readonly commands: Array<Command> = []
  state: Memory

  constructor(setup: Given, state: Memory, now: number) {
    this.setup = setup
    this.state = state
    this.now = now
  }

  get isInstant(): boolean {
    return this.setup.speed === Number.POSITIVE_INFINITY
  }

  set(change: Partial<Memory>): void {
    this.state = { ...this.state, ...change }
  }

  /** A new id, as `make` writes it. */
  protected newId(make: (seed: number, count: number) => string): string {
    const { ids } = this.state
    this.state = { ...this.state, ids: ids + 1 }
    return make(this.setup.seed, ids)
  }

  do(command: Command): void {
    this.commands.push(command)
  }

  /** Asks for `Woken` at that time; a time in the past is now. */
  wake(key: string, at: number): void {
    this.do({ _tag: "Wake", key, afterMs: Math.max(0, at - this.now) })
  }
}
