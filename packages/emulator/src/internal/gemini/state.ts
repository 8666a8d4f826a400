/**
 * The state of a session. It is immutable: a step makes the next state from it.
 */
import type { Image, Turn } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Word } from "../../Speech.ts"
import * as InputBuffer from "../audio/inputBuffer.ts"
import * as Tokens from "../session/tokens.ts"
import type { EndFrame } from "../session/frames.ts"
import { nothing } from "../session/playback.ts"
import type { Playback } from "../session/playback.ts"
import { newReply } from "../session/reply.ts"
import type { ActiveReply } from "../session/reply.ts"
import * as Common from "../session/step.ts"
import type { Frame } from "./frames.ts"
import type { Behavior } from "./family.ts"
import type { Settings } from "./settings.ts"

/** An entry of the conversation. */
export interface Entry {
  /** The key of its transcription. */
  readonly key: string
  /** What the assistant sees of it. */
  readonly turn: Turn
  readonly tokens: Tokens.Tokens
  /** Speech of the user that is still being transcribed. */
  readonly isPending: boolean
}

export interface Call {
  readonly id: string
  readonly name: string
  readonly behavior: Behavior
  readonly status: "waiting" | "answered" | "cancelled"
}

/** What a resumption handle restores. */
export interface Conversation {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly bornAt: number
  readonly model: string
  readonly entries: ReadonlyArray<Entry>
  readonly calls: ReadonlyArray<Call>
  readonly hasSpoken: boolean
}

/** A turn of the model, from its first thought until all of it was played, with its function calls and their results. */
export interface ModelTurn extends ActiveReply<Frame | EndFrame> {
  /** Whether something of it was sent, so that it needs an end. */
  readonly hasBegun: boolean
  readonly playback: Playback
  /** Audio of the turn before the speech that is being sent, in milliseconds. */
  readonly offsetMs: number
  /** Where in the conversation its words and calls go: before everything that came while it was speaking. */
  readonly place: number
  /** What was said since the last function call. */
  readonly words: ReadonlyArray<Word>
  readonly read: { readonly prompt: Tokens.Tokens; readonly tools: Tokens.Tokens }
  readonly used: Tokens.Tokens
  readonly thoughts: number
}

/** The input of the user since the last turn. */
export interface Hearing extends InputBuffer.InputBuffer {
  readonly sampleRate: number
  /** The user is speaking, or the client says so. */
  readonly isActive: boolean
  readonly images: ReadonlyArray<Image>
  /** Audio since the last turn of the user, in milliseconds. */
  readonly sinceMs: number
}

export interface Session extends Common.State {
  /** `undefined` until the setup message. */
  readonly settings: Settings | undefined
  readonly conversation: Conversation
  readonly hearing: Hearing
  readonly turn: ModelTurn | undefined
  /** A reply was asked for and starts when the current one is over. */
  readonly isWanted: boolean
  /** The history is not complete yet. */
  readonly isSeeding: boolean
  /** Why the next handle is rejected, when a fault asks for it. */
  readonly rejects: string | undefined
  /** The last announced handle; "" when the client was told that it cannot resume now. */
  readonly handle: string | undefined
  /** The conversation that the handle restores. */
  readonly kept: Conversation | undefined
  readonly endsAt: number
}

export const silence = (startMs: number, sampleRate: number): Hearing => ({
  ...InputBuffer.empty(startMs),
  sampleRate,
  isActive: false,
  images: [],
  sinceMs: 0
})

/** A turn that was only asked for. */
export const newTurn = (id: string, dueAt: number, faults: ReadonlyArray<ResponseFault>): ModelTurn => ({
  ...newReply(id, dueAt, faults),
  hasBegun: false,
  playback: nothing,
  offsetMs: 0,
  place: 0,
  words: [],
  read: { prompt: Tokens.none, tools: Tokens.none },
  used: Tokens.none,
  thoughts: 0
})

export const initial = (now: number, sessionMs: number): Session => ({
  ...Common.initial,
  settings: undefined,
  conversation: { id: "", bornAt: now, model: "", entries: [], calls: [], hasSpoken: false },
  hearing: silence(0, 16_000),
  turn: undefined,
  isWanted: false,
  isSeeding: false,
  rejects: undefined,
  handle: undefined,
  kept: undefined,
  endsAt: now + sessionMs
})
