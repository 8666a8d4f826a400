/**
 * What is known of one connection. It is mutated in place, because one frame of audio must cost next to nothing; the
 * functions over it are deterministic: no clock, no randomness, no IO.
 */
import type { RealtimeClientEvent } from "openai/resources/realtime/realtime"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent, ToolCall } from "@effect-bidi/core/BidiModel"
import type { Errors } from "./errors.ts"
import { RecentIds, remember } from "./recent.ts"
import * as Sequencer from "./sequencer.ts"

export type ClientEvent = RealtimeClientEvent

/** What the session that the provider confirmed means for the protocol. */
export interface Session {
  /** Bytes of a millisecond of the agent's audio. */
  readonly bytesPerMilli: number
  /** What the model was told at the start; the instructions of a single reply are put behind it. */
  readonly instructions: string
  /** The provider's turn detection starts a reply by itself. */
  readonly responds: boolean
  /** The user's speech cuts a reply off. */
  readonly interrupts: boolean
}

/** An item with audio. */
export interface AudioItem {
  readonly responseId: string
  readonly itemId: string
  readonly contentIndex: number
  bytes: number
}

/** A response that is being generated. */
export interface Response {
  readonly id: string
  /** By call id, with their place in the output. */
  readonly calls: Map<string, { readonly index: number; readonly call: ToolCall }>
  /** Finished texts of items that are not finished themselves, by item id and part. */
  readonly words: Map<string, Array<string>>
}

/** A control event that was sent; an error may still name it. */
export interface Sent {
  readonly type: ClientEvent["type"]
  /** The item or response it was about. */
  readonly about: string | undefined
}

export interface State {
  readonly errors: Errors
  session: Session
  sequencer: Sequencer.Sequencer
  readonly responses: Map<string, Response>
  readonly finished: RecentIds
  readonly items: Map<string, AudioItem>
  /** The item that audio came of last, as long as its response is generated. */
  speaking: AudioItem | undefined
  readonly sent: Map<string, Sent>
  /** The provider's ids of the last events without audio. */
  readonly seen: RecentIds
  /** And that of the last with audio. */
  audioId: string | undefined
  events: number
  /** The last thing the provider said was an error that explains a close, if one follows. */
  lastWords: BidiError | undefined
}

/** What frames of the provider lead to. */
export interface Outcome {
  readonly events: Array<ModelEvent>
  readonly frames: Array<ClientEvent>
  /** The connection is over for this reason; nothing after it counts. */
  fatal: BidiError | undefined
}

// How far back anything is asked about: an item that is still audible, an error for an event that was just sent.
const ITEMS = 128
const SENT = 512
const SEEN = 8

export const initial = (errors: Errors, session: Session): State => ({
  errors,
  session,
  sequencer: Sequencer.initial,
  responses: new Map(),
  finished: new RecentIds(64),
  items: new Map(),
  speaking: undefined,
  sent: new Map(),
  seen: new RecentIds(SEEN),
  audioId: undefined,
  events: 0,
  lastWords: undefined
})

export const outcome = (): Outcome => ({ events: [], frames: [], fatal: undefined })

const nextId = (state: State): string => `bidi_${++state.events}`

type Control = Exclude<ClientEvent, { readonly type: "input_audio_buffer.append" }>

/** A control event with an id of its own, by which an error finds it. */
export const control = <E extends Control>(state: State, event: E, about?: string): E => {
  const id = nextId(state)
  remember(state.sent, id, { type: event.type, about }, SENT)
  return { ...event, event_id: id }
}

export const audioItem = (state: State, responseId: string, itemId: string, contentIndex: number): AudioItem => {
  const known = state.items.get(itemId)
  if (known !== undefined) return known
  const item: AudioItem = { responseId, itemId, contentIndex, bytes: 0 }
  remember(state.items, itemId, item, ITEMS)
  return item
}

/** Asks for a reply, at once or as soon as possible. */
export const want = (state: State, wish: Sequencer.Wish): ReadonlyArray<ClientEvent> => {
  state.sequencer = Sequencer.want(state.sequencer, wish)
  return takeReply(state)
}

/** The request for a reply that is due, if one is. */
export const takeReply = (state: State): ReadonlyArray<ClientEvent> => {
  const [sequencer, create] = Sequencer.take(state.sequencer, () => nextId(state))
  state.sequencer = sequencer
  if (create === undefined) return []
  const { eventId, wish } = create
  remember(state.sent, eventId, { type: "response.create", about: undefined }, SENT)
  if (wish.length === 0) return [{ type: "response.create", event_id: eventId }]
  // the instructions of a response replace those of the session
  const instructions = [state.session.instructions, ...wish].filter((part) => part !== "").join("\n\n")
  return [{ type: "response.create", event_id: eventId, response: { instructions } }]
}
