/**
 * Everything that one session remembers. Values only: a step makes the next state out of this one.
 */
import type { Image, Reply, Turn } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Word } from "../../Speech.ts"
import * as Vad from "../audio/vad.ts"
import * as Tokens from "../emulator/tokens.ts"
import { nothing } from "../voice/playback.ts"
import type { Playback } from "../voice/playback.ts"
import type { Beat } from "./beats.ts"
import type { Behavior } from "./family.ts"
import type { Settings } from "./settings.ts"

/** One thing that was said or done. */
export interface Entry {
  /** By this name the ears know it. */
  readonly key: string
  /** What the assistant remembers of it. */
  readonly turn: Turn
  readonly tokens: Tokens.Tokens
  /** Speech of the user that has not been understood yet. */
  readonly isUnheard: boolean
}

export interface Call {
  readonly id: string
  readonly name: string
  readonly behavior: Behavior
  readonly status: "waiting" | "answered" | "cancelled"
}

/** What outlives a connection: a handle brings all of it back. */
export interface Conversation {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly bornAt: number
  readonly model: string
  readonly entries: ReadonlyArray<Entry>
  readonly calls: ReadonlyArray<Call>
  readonly hasSpoken: boolean
}

/** A turn of the model: from its first thought until all of it was played, function calls and their answers included. */
export interface ModelTurn {
  readonly key: string
  /** Waits for ears, waits for the voice, sends, waits for functions, or waits until the listener has heard it all. */
  readonly stage: "listening" | "speaking" | "running" | "waiting" | "playing"
  /** Something of it was sent: from now on it has an end. */
  readonly hasBegun: boolean
  readonly reply: Reply | undefined
  readonly beats: ReadonlyArray<Beat>
  readonly at: number
  /** When the next beat is due, in milliseconds since the epoch. */
  readonly dueAt: number
  readonly playback: Playback
  /** Sound of the turn before the speech that is being sent, in milliseconds. */
  readonly offsetMs: number
  /** Where in the conversation its words and calls go: before everything that came while it was speaking. */
  readonly place: number
  /** What was said since the last function call. */
  readonly words: ReadonlyArray<Word>
  readonly read: { readonly prompt: Tokens.Tokens; readonly tools: Tokens.Tokens }
  readonly used: Tokens.Tokens
  readonly thoughts: number
  readonly faults: ReadonlyArray<ResponseFault>
}

/** What the user says and shows. */
export interface Hearing {
  readonly chunks: ReadonlyArray<Int16Array>
  readonly sampleRate: number
  /** Milliseconds of sound in the chunks, and where they begin. */
  readonly ms: number
  readonly startMs: number
  readonly vad: Vad.State
  /** Somebody is speaking, or the client says so. */
  readonly isActive: boolean
  readonly images: ReadonlyArray<Image>
  /** Sound since the last turn of the user, in milliseconds. */
  readonly sinceMs: number
}

export interface Session {
  readonly seed: number
  readonly issued: number
  /** `undefined` until the client has said what it wants. */
  readonly settings: Settings | undefined
  readonly conversation: Conversation
  readonly hearing: Hearing
  readonly turn: ModelTurn | undefined
  /** A reply is due as soon as the one before it is over. */
  readonly isWanted: boolean
  /** The history is still being told. */
  readonly isSeeding: boolean
  readonly isHeld: boolean
  readonly armed: ReadonlyArray<ResponseFault>
  /** Why the next handle is refused, on demand. */
  readonly rejects: string | undefined
  /** What the client was last told about resumption; "" stands for "not now". */
  readonly handle: string | undefined
  /** The conversation that the handle brings back. */
  readonly kept: Conversation | undefined
  readonly endsAt: number
  readonly ended: boolean
}

export const silence = (startMs: number, sampleRate: number): Hearing => ({
  chunks: [],
  sampleRate,
  ms: 0,
  startMs,
  vad: Vad.initial(startMs),
  isActive: false,
  images: [],
  sinceMs: 0
})

/** A turn that has only begun to think. */
export const newTurn = (key: string, dueAt: number, faults: ReadonlyArray<ResponseFault>): ModelTurn => ({
  key,
  stage: "listening",
  hasBegun: false,
  reply: undefined,
  beats: [],
  at: 0,
  dueAt,
  playback: nothing,
  offsetMs: 0,
  place: 0,
  words: [],
  read: { prompt: Tokens.none, tools: Tokens.none },
  used: Tokens.none,
  thoughts: 0,
  faults
})

export const initial = (seed: number, now: number, sessionMs: number): Session => ({
  seed,
  issued: 0,
  settings: undefined,
  conversation: { id: "", bornAt: now, model: "", entries: [], calls: [], hasSpoken: false },
  hearing: silence(0, 16_000),
  turn: undefined,
  isWanted: false,
  isSeeding: false,
  isHeld: false,
  armed: [],
  rejects: undefined,
  handle: undefined,
  kept: undefined,
  endsAt: now + sessionMs,
  ended: false
})
