/**
 * One step of a Nova Sonic stream.
 */
import { makeUuid } from "../session/ids.ts"
import * as Common from "../session/step.ts"
import type { Refused } from "./check.ts"
import type { Entry, ModelTurn, Session } from "./state.ts"
import * as Usage from "./usage.ts"

export interface Setup extends Common.Setup {
  /** The longest time without an event of the client, and the longest silence of both sides. */
  readonly inputMs: number
  readonly silenceMs: number
}

export class Step extends Common.Step<Setup, Session> {
  setTurn(change: Partial<ModelTurn>): void {
    this.set({ turn: { ...this.state.turn!, ...change } })
  }

  add(entry: Pick<Entry, "key" | "turn"> & Partial<Entry>): void {
    this.set({ entries: [...this.state.entries, { isPending: false, soundMs: 0, ...entry }] })
  }

  /** Adds what the turn has said or called. */
  addToTurn(entry: Pick<Entry, "key" | "turn">): void {
    const { place } = this.state.turn!
    this.set({ entries: this.state.entries.toSpliced(place, 0, { isPending: false, soundMs: 0, ...entry }) })
    this.setTurn({ place: place + 1 })
  }

  id(): string {
    return this.newId(makeUuid)
  }

  /** Sends an event of the completion, which starts with its first event. */
  send(type: string, fields: Readonly<Record<string, unknown>>): void {
    const { completionId, hasCompletion, id: sessionId, prompt } = this.state
    const place = { sessionId, promptName: prompt?.name ?? "", completionId }
    if (!hasCompletion) {
      this.set({ hasCompletion: true })
      this.do({ _tag: "Send", event: { event: { completionStart: place } } })
    }
    this.do({ _tag: "Send", event: { event: { [type]: { ...place, ...fields } } } })
  }

  count(way: "input" | "output", kinds: Usage.Kinds): void {
    this.set({ usage: Usage.count(this.state.usage, way, kinds) })
  }

  sendUsage(): void {
    const told = Usage.tell(this.state.usage)
    if (told === undefined) return
    this.set({ usage: told[0] })
    this.send("usageEvent", told[1])
  }

  /** Ends the stream with an exception. */
  fail(type: string, message: string): void {
    this.set({ ended: true, turn: undefined })
    const text = type === "validationException" ? `RequestId=${this.id()} : ${message}` : message
    this.do({ _tag: "Send", event: { exception: { type, message: text } } })
    this.do({ _tag: "Close", code: 0, reason: type })
  }

  /** The client sent something invalid. */
  refuse(problem: string | Refused): void {
    this.fail("validationException", typeof problem === "string" ? problem : problem.problem.message)
  }
}
