/**
 * One step of a stream while it is being made. Nothing of it outlives the step but the new state and the commands.
 */
import type { Assistant } from "../../Assistant.ts"
import { makeUuid } from "../emulator/ids.ts"
import type { Command } from "../emulator/machine.ts"
import type { Refused } from "./check.ts"
import type { Entry, ModelTurn, Session } from "./state.ts"
import * as Usage from "./usage.ts"

/** What a stream is made with. Times are milliseconds. */
export interface Setup {
  readonly seed: number
  /** How many times faster than real time replies are generated; `Infinity` waits for nothing, not for playback either. */
  readonly speed: number
  /** Sound in one event, whole. */
  readonly deltaMs: number
  /** From the wish for a reply to its first event. */
  readonly latencyMs: number
  readonly sessionMs: number
  /** The longest time without an event of the client, and without a word of anybody. */
  readonly inputMs: number
  readonly silenceMs: number
  readonly assistant: Assistant
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

  get isInstant(): boolean {
    return this.setup.speed === Number.POSITIVE_INFINITY
  }

  set(change: Partial<Session>): void {
    this.state = { ...this.state, ...change }
  }

  setTurn(change: Partial<ModelTurn>): void {
    this.set({ turn: { ...this.state.turn!, ...change } })
  }

  add(entry: Pick<Entry, "key" | "turn"> & Partial<Entry>): void {
    this.set({ entries: [...this.state.entries, { isUnheard: false, soundMs: 0, ...entry }] })
  }

  /** Adds what the turn has said or called. */
  addToTurn(entry: Pick<Entry, "key" | "turn">): void {
    const { place } = this.state.turn!
    this.set({ entries: this.state.entries.toSpliced(place, 0, { isUnheard: false, soundMs: 0, ...entry }) })
    this.setTurn({ place: place + 1 })
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

  /** Sends an event of the completion, which begins with the first of them. */
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

  tellUsage(): void {
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

  /** The client said something that cannot be. */
  refuse(problem: string | Refused): void {
    this.fail("validationException", typeof problem === "string" ? problem : problem.problem.message)
  }
}
