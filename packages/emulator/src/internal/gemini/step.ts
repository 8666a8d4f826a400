/**
 * One step of a Gemini Live session.
 */
import type { Stored } from "../server/provider.ts"
import { makeUuid } from "../session/ids.ts"
import type { WireEvent } from "../session/machine.ts"
import * as Common from "../session/step.ts"
import type { Refused } from "./check.ts"
import type { Settings } from "./settings.ts"
import type { Conversation, Entry, ModelTurn, Session } from "./state.ts"

export interface Setup extends Common.Setup {
  /** How long before the end of a connection the client is told. */
  readonly goAwayMs: number
  /** How long a conversation lasts over all its connections, unless its context is compressed. */
  readonly uncompressedMs: number
  readonly handleMs: number
  /** The close code at the end of a connection. */
  readonly endCode: number
  readonly isKeyGood: boolean
  readonly hasModel: (model: string) => boolean
  /** Whether voice activity is reported; `undefined` leaves it to the model. */
  readonly reportsActivity: boolean | undefined
  readonly lookup: (handle: string) => Stored | undefined
}

export class Step extends Common.Step<Setup, Session> {
  /** The settings, in a session that has been set up. */
  get settings(): Settings {
    return this.state.settings!
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

  id(): string {
    return this.newId(makeUuid)
  }

  send(event: WireEvent): void {
    this.do({ _tag: "Send", event })
  }

  /** The only error of this protocol is the end of the connection. */
  close(code: number, reason: string): void {
    this.set({ ended: true, turn: undefined })
    this.do({ _tag: "Close", code, reason })
  }

  /** The client sent something invalid. */
  refuse(reason: string | Refused): void {
    this.close(1007, typeof reason === "string" ? reason : reason.problem.message)
  }
}
