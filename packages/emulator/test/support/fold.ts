/**
 * A session of OpenAI Realtime alone: no socket, virtual time.
 */
import * as Assistant from "@effect-bidi/emulator/Assistant"
import type { Pcm } from "@effect-bidi/emulator/Pcm"
import * as Session from "../../src/internal/openai/session.ts"
import type { Session as State } from "../../src/internal/openai/state.ts"
import type { Setup } from "../../src/internal/openai/step.ts"
import { Run } from "./run.ts"

export interface Options extends Partial<Setup> {
  readonly hear?: (pcm: Pcm) => string
}

/** Any JSON, read without ceremony. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Event = { readonly type: string; readonly [key: string]: any }

export class Fold extends Run<State, Event> {
  constructor({ hear, ...setup }: Options = {}) {
    super(
      Session.make({
        model: "gpt-realtime-2.1",
        seed: 7,
        speed: 8,
        chunkMs: 100,
        latencyMs: 0,
        sessionMs: 3_600_000,
        assistant: Assistant.scripted,
        ...setup
      }),
      { hear }
    )
  }

  /** Lets `ms` pass. Without a number: until all replies are over. Answers what was sent meanwhile. */
  override pass(ms?: number): ReadonlyArray<Event> {
    return ms === undefined ? this.passWhile(() => this.hasReplies) : super.pass(ms)
  }

  get hasReplies(): boolean {
    return this.state.active.length > 0
  }

  /** Says it, asks for a reply and waits for its end; answers what was sent meanwhile. */
  ask(text: string, response: object = {}): ReadonlyArray<Event> {
    const before = this.events.length
    this.send(userText(text), { type: "response.create", response })
    this.pass()
    return this.events.slice(before)
  }
}

export const userText = (text: string) => ({
  type: "conversation.item.create",
  item: { type: "message", role: "user", content: [{ type: "input_text", text }] }
})

export const assistantText = (text: string) => ({
  type: "conversation.item.create",
  item: { type: "message", role: "assistant", content: [{ type: "output_text", text }] }
})

export const systemText = (text: string) => ({
  type: "conversation.item.create",
  item: { type: "message", role: "system", content: [{ type: "input_text", text }] }
})

export const toolOutput = (callId: string, output: unknown) => ({
  type: "conversation.item.create",
  item: { type: "function_call_output", call_id: callId, output: JSON.stringify(output) }
})

export const update = (session: object) => ({ type: "session.update", session: { type: "realtime", ...session } })

export const tool = (name: string, properties: object = {}, description = "") => ({
  type: "function",
  name,
  description,
  parameters: { type: "object", properties, required: Object.keys(properties) }
})

export const clock = tool("current_time")
export const calculator = tool("calculator", { expression: { type: "string" } })
export const weather = tool("get_weather", { city: { type: "string" } })

export const typesOf = (events: ReadonlyArray<Event>): ReadonlyArray<string> => events.map(({ type }) => type)

export const of = (events: ReadonlyArray<Event>, type: string): ReadonlyArray<Event> =>
  events.filter((event) => event.type === type)

export const one = (events: ReadonlyArray<Event>, type: string): Event => {
  const found = of(events, type)
  if (found.length !== 1) throw new Error(`${found.length} events ${type} in ${typesOf(events).join(" ")}`)
  return found[0]!
}

/** What the assistant said or wrote in these events. */
export const saidIn = (events: ReadonlyArray<Event>): string =>
  events
    .flatMap((event) =>
      event.type === "response.output_audio_transcript.done"
        ? [event.transcript as string]
        : event.type === "response.output_text.done"
          ? [event.text as string]
          : []
    )
    .join(" ")

/** The calls that were made in these events. */
export const callsIn = (events: ReadonlyArray<Event>) =>
  of(events, "response.function_call_arguments.done").map((event) => ({
    name: event.name as string,
    callId: event.call_id as string,
    arguments: JSON.parse(event.arguments as string) as unknown
  }))

/** Milliseconds of 24 kHz sound in these events. */
export const msIn = (events: ReadonlyArray<Event>): number =>
  of(events, "response.output_audio.delta").reduce(
    (ms, event) => ms + Buffer.from(event.delta as string, "base64").length / 48,
    0
  )
