/**
 * What is known of one connection. It is mutated in place, because one frame of audio must cost next to nothing; the
 * functions over it are deterministic: no clock, no randomness, no IO.
 */
import type { RealtimeClientEvent } from "openai/resources/realtime/realtime"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { ModelEvent, ToolCall } from "@effect-bidi/core/BidiModel"
import type { Errors } from "./errors.ts"
import type { Frame } from "./frame.ts"
import { RecentIds, remember } from "./recentIds.ts"
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
  /** With their place in the output. */
  readonly calls: Array<{ readonly index: number; readonly call: ToolCall }>
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
  /** Changes of the session that are not confirmed yet, in their order: by the id of their event, the instructions. */
  readonly updates: Map<string, string>
  /** Turns that were closed and are not taken yet, by the id of their event. */
  readonly commits: Set<string>
  /** The last events without audio, by the provider's ids. */
  readonly seen: Map<string, Frame>
  /** And the last with audio. */
  audioId: string | undefined
  audio: unknown
  /** This provider gives one id to different events: it says nothing of what is repeated. */
  idsRepeat: boolean
  /** That the provider speaks an older protocol was told. */
  outdated: boolean
  events: number
  /** The last thing the provider said was an error that explains a close, if one follows. */
  closeExplanation: BidiError | undefined
}

/** What frames of the provider lead to. */
export interface Outcome {
  readonly events: Array<ModelEvent>
  readonly frames: Array<ClientEvent>
  /** The connection is over for this reason; nothing after it counts. */
  fatal: BidiError | undefined
  /** Events of ours that somebody waits for: the provider has confirmed or refused them. None, nearly always. */
  settled: Array<Settled> | undefined
}

/** What became of an event of ours. */
export interface Settled {
  readonly eventId: string
  readonly error?: BidiError
}

// How far back anything is asked about: an item that is still audible, an error for an event that was just sent.
const REMEMBERED_ITEMS = 128
const REMEMBERED_EVENTS = 512
const REMEMBERED_FRAMES = 16

export const initial = (errors: Errors, session: Session): State => ({
  errors,
  session,
  sequencer: Sequencer.initial,
  responses: new Map(),
  finished: new RecentIds(64),
  items: new Map(),
  speaking: undefined,
  sent: new Map(),
  updates: new Map(),
  commits: new Set(),
  seen: new Map(),
  audioId: undefined,
  audio: undefined,
  idsRepeat: false,
  outdated: false,
  events: 0,
  closeExplanation: undefined
})

export const outcome = (): Outcome => ({ events: [], frames: [], fatal: undefined, settled: undefined })

export const settle = (out: Outcome, settled: Settled): void => void (out.settled ??= []).push(settled)

/** Remembers an event without audio. Returns the one that had its id before. */
export const see = (state: State, id: string, frame: Frame): Frame | undefined => {
  const before = state.seen.get(id)
  if (before === undefined) remember(state.seen, id, frame, REMEMBERED_FRAMES)
  return before
}

const nextId = (state: State): string => `bidi_${++state.events}`

type Control = Exclude<ClientEvent, { readonly type: "input_audio_buffer.append" }>

/** A control event with an id of its own, by which an error finds it. */
export const control = <E extends Control>(
  state: State,
  event: E,
  about?: string
): E & { readonly event_id: string } => {
  const id = nextId(state)
  remember(state.sent, id, { type: event.type, about }, REMEMBERED_EVENTS)
  return { ...event, event_id: id }
}

export const audioItem = (state: State, responseId: string, itemId: string, contentIndex: number): AudioItem => {
  const known = state.items.get(itemId)
  if (known !== undefined) return known
  const item: AudioItem = { responseId, itemId, contentIndex, bytes: 0 }
  remember(state.items, itemId, item, REMEMBERED_ITEMS)
  return item
}

/** Asks for a reply, at once or as soon as possible. */
export const want = (state: State, instructions: Sequencer.ReplyInstructions): ReadonlyArray<ClientEvent> => {
  state.sequencer = Sequencer.want(state.sequencer, instructions)
  return takeReply(state)
}

/** Goes on with what is to be asked for; says so when a request came to nothing. */
export const proceed = (state: State, out: Outcome): void => {
  if (Sequencer.isGivenUp(state.sequencer)) out.events.push({ _tag: "NoResponse", error: state.errors.unanswered() })
  out.frames.push(...takeReply(state))
}

/** The request for a reply that is due, if one is. */
export const takeReply = (state: State): ReadonlyArray<ClientEvent> => {
  const [sequencer, create] = Sequencer.take(state.sequencer, () => nextId(state))
  state.sequencer = sequencer
  if (create === undefined) return []
  const { cancelId, eventId, instructions: wanted } = create
  const frames: Array<ClientEvent> = []
  if (cancelId !== undefined) {
    remember(state.sent, cancelId, { type: "response.cancel", about: undefined }, REMEMBERED_EVENTS)
    frames.push({ type: "response.cancel", event_id: cancelId })
  }
  remember(state.sent, eventId, { type: "response.create", about: undefined }, REMEMBERED_EVENTS)
  // the instructions of a response replace those of the session
  const instructions = [state.session.instructions, ...wanted].filter((part) => part !== "").join("\n\n")
  frames.push({
    type: "response.create",
    event_id: eventId,
    ...(wanted.length === 0 ? {} : { response: { instructions } })
  })
  return frames
}
