/**
 * One step of an OpenAI Realtime session.
 */
import { makeId } from "../session/ids.ts"
import * as Common from "../session/step.ts"
import type { Problem } from "./check.ts"
import type { Active, Item, ServerEvent, Session } from "./state.ts"
import { disguise } from "./disguise.ts"

export interface Setup extends Common.Setup {
  readonly model: string
}

export class Step extends Common.Step<Setup, Session> {
  /** `event_id` of the client event that is being handled. */
  eventId: string | null = null

  id(prefix: string): string {
    return this.newId((seed, count) => makeId(prefix, seed, count))
  }

  send({ type, ...fields }: ServerEvent): void {
    this.do({ _tag: "Send", event: disguise(this.state.quirks, { type, event_id: this.id("event"), ...fields }) })
  }

  /** Replies to the client event with an error. The session continues. */
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
