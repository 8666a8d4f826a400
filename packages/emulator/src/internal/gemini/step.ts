/**
 * One step of a session while it is being made. Nothing of it outlives the step but the new state and the commands.
 */
import type { Assistant } from "../../Assistant.ts"
import { makeUuid } from "../emulator/ids.ts"
import type { Command, WireEvent } from "../emulator/machine.ts"
import type { Kept } from "../emulator/provider.ts"
import type { Refused } from "./check.ts"
import type { Settings } from "./settings.ts"
import type { Conversation, Entry, ModelTurn, Session } from "./state.ts"

/** What a session is made with. Times are milliseconds. */
export interface Setup {
  readonly seed: number
  /** How many times faster than real time replies are generated; `Infinity` waits for nothing, not for playback either. */
  readonly speed: number
  /** Sound in one message, whole. */
  readonly deltaMs: number
  /** From the wish for a reply to its first piece. */
  readonly latencyMs: number
  /** How long a connection lasts, and how long before its end the client is told. */
  readonly sessionMs: number
  readonly goAwayMs: number
  /** How long a conversation lasts over all its connections, unless its context is compressed. */
  readonly uncompressedMs: number
  readonly handleMs: number
  /** The close code at the end of a connection. */
  readonly endCode: number
  readonly isKeyGood: boolean
  readonly hasModel: (model: string) => boolean
  /** Speech is told of, whatever the model; `undefined` leaves it to the model. */
  readonly tellsActivity: boolean | undefined
  readonly assistant: Assistant
  readonly recall: (handle: string) => Kept | undefined
}

export class Step {
  readonly setup: Setup
  readonly now: number
  readonly commands: Array<Command> = []
  state: Session

  constructor(setup: Setup, state: Session, now: number) {
    this.setup = setup
    this.state = state
    this.now = now
  }

  /** The settings, in a session that has been set up. */
  get settings(): Settings {
    return this.state.settings!
  }

  get isInstant(): boolean {
    return this.setup.speed === Number.POSITIVE_INFINITY
  }

  set(change: Partial<Session>): void {
    this.state = { ...this.state, ...change }
  }

  setTurn(change: Partial<ModelTurn>): void {
    this.set({ turn: { ...this.state.turn!, ...change } })
  }

  setConversation(change: Partial<Conversation>): void {
    this.set({ conversation: { ...this.state.conversation, ...change } })
  }

  add(...entries: ReadonlyArray<Entry>): void {
    this.setConversation({ entries: [...this.state.conversation.entries, ...entries] })
  }

  /** Adds what the turn has said or called. */
  addToTurn(...entries: ReadonlyArray<Entry>): void {
    const { place } = this.state.turn!
    this.setConversation({ entries: this.state.conversation.entries.toSpliced(place, 0, ...entries) })
    this.setTurn({ place: place + entries.length })
  }

  /** A new name. */
  id(): string {
    const { issued, seed } = this.state
    this.set({ issued: issued + 1 })
    return makeUuid(seed, issued)
  }

  do(command: Command): void {
    this.commands.push(command)
  }

  send(event: WireEvent): void {
    this.do({ _tag: "Send", event })
  }

  /** This wire knows no errors but the end of the connection. */
  close(code: number, reason: string): void {
    this.set({ ended: true, turn: undefined })
    this.do({ _tag: "Close", code, reason })
  }

  /** The client said something that cannot be. */
  refuse(reason: string | Refused): void {
    this.close(1007, typeof reason === "string" ? reason : reason.problem.message)
  }
}
