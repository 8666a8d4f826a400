/**
 * One step of a session while it is being made. Nothing of it outlives the step but the new state and the commands.
 */
import type { Assistant } from "../../Assistant.ts"
import { makeId } from "../emulator/ids.ts"
import type { Command } from "../emulator/machine.ts"
import type { Problem } from "./check.ts"
import { disguise } from "./disguise.ts"
import type { Active, Item, ServerEvent, Session } from "./state.ts"

/** What a session is made with. */
export interface Setup {
  readonly model: string
  readonly seed: number
  /** How many times faster than real time replies are generated; `Infinity` waits for nothing. */
  readonly speed: number
  /** Audio in one delta, in whole milliseconds. */
  readonly deltaMs: number
  /** From `response.create` to the first delta, in milliseconds. */
  readonly latencyMs: number
  readonly sessionMs: number
  readonly assistant: Assistant
}

export class Step {
  readonly setup: Setup
  readonly now: number
  readonly commands: Array<Command> = []
  state: Session
  /** `event_id` of the client event that is being answered. */
  eventId: string | null = null

  constructor(setup: Setup, state: Session, now: number) {
    this.setup = setup
    this.state = state
    this.now = now
  }

  set(change: Partial<Session>): void {
    this.state = { ...this.state, ...change }
  }

  /** A new name. */
  id(prefix: string): string {
    const { issued, seed } = this.state
    this.set({ issued: issued + 1 })
    return makeId(prefix, seed, issued)
  }

  do(command: Command): void {
    this.commands.push(command)
  }

  send({ type, ...fields }: ServerEvent): void {
    this.do({ _tag: "Send", event: disguise(this.state.quirks, { type, event_id: this.id("event"), ...fields }) })
  }

  /** Answers the client event with an error; the session goes on. */
  refuse(code: string | null, message: string, param: string | null = null, type = "invalid_request_error"): void {
    this.send({ type: "error", error: { type, code, message, param, event_id: this.eventId } })
  }

  refuseFor({ code, message, param }: Problem): void {
    this.refuse(code, message, param)
  }

  item(id: string): Item | undefined {
    return this.state.items.find((item) => item.id === id)
  }

  get lastItemId(): string | null {
    return this.state.items.at(-1)?.id ?? null
  }

  /** Puts the item behind another one, at the very beginning (`null`) or, by default, at the end. */
  insert(item: Item, after: string | null = this.lastItemId): void {
    const at = after === null ? 0 : this.state.items.findIndex(({ id }) => id === after) + 1
    this.set({ items: this.state.items.toSpliced(at, 0, item) })
  }

  change(id: string, change: (item: Item) => Item): void {
    this.set({ items: this.state.items.map((item) => (item.id === id ? change(item) : item)) })
  }

  active(id: string): Active | undefined {
    return this.state.active.find((active) => active.id === id)
  }

  /** The one response that writes to the conversation. */
  get speaking(): Active | undefined {
    return this.state.active.find(({ isDefault }) => isDefault)
  }

  changeActive(id: string, change: Partial<Active>): void {
    this.set({ active: this.state.active.map((active) => (active.id === id ? { ...active, ...change } : active)) })
  }
}
