/**
 * The state of a stream. It is immutable: a step makes the next state from it.
 */
import type { Tool, ToolChoice, Turn } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import * as InputBuffer from "../audio/inputBuffer.ts"
import type { EndFrame } from "../session/frames.ts"
import { nothing } from "../session/playback.ts"
import type { Playback } from "../session/playback.ts"
import { newReply } from "../session/reply.ts"
import type { ActiveReply } from "../session/reply.ts"
import * as Common from "../session/step.ts"
import type { Frame, Sentence } from "./frames.ts"
import * as Usage from "./usage.ts"

/** An entry of the conversation. */
export interface Entry {
  /** The key of its transcription. */
  readonly key: string
  /** What the assistant sees of it. */
  readonly turn: Turn
  /** Speech of the user that is still being transcribed. */
  readonly isPending: boolean
  /** How long the user spoke, in milliseconds; 0 for everything that was not spoken. */
  readonly soundMs: number
}

/** What `promptStart` asks for. */
export interface Prompt {
  readonly name: string
  readonly sampleRate: number
  readonly voice: string
  readonly tools: ReadonlyArray<Tool>
  readonly toolChoice: ToolChoice
}

/** A content block of the client. */
export interface Block {
  readonly name: string
  readonly type: "TEXT" | "AUDIO" | "TOOL"
  readonly role: "SYSTEM" | "SYSTEM_SPEECH" | "USER" | "ASSISTANT" | "TOOL"
  readonly interactive: boolean
  /** The contents, except audio. */
  readonly inputs: ReadonlyArray<string>
  /** Samples a second of an audio block. */
  readonly sampleRate: number
  readonly toolUseId: string
}

export interface ModelTurn extends ActiveReply<Frame | EndFrame> {
  readonly playback: Playback
  /** Where in the conversation its words and calls go: before everything that came while it was speaking. */
  readonly place: number
  /** The sentences that were begun, in order. The first `confirmed` of them were confirmed as spoken. */
  readonly sentences: ReadonlyArray<Sentence>
  readonly confirmed: number
  /** The audio block that is being sent, or the last one. */
  readonly audioId: string
  readonly isAudioOpen: boolean
}

/** The audio of the user since the last turn. */
export interface Hearing extends InputBuffer.InputBuffer {
  readonly isSpeaking: boolean
}

export interface Call {
  readonly id: string
  readonly name: string
  readonly isAnswered: boolean
}

export interface Session extends Common.State {
  readonly id: string
  readonly completionId: string
  readonly stage: "new" | "started" | "prompt" | "promptEnded"
  /** How long a pause ends a turn of the user, in milliseconds. */
  readonly silenceMs: number
  readonly maxTokens: number
  readonly prompt: Prompt | undefined
  readonly open: ReadonlyArray<Block>
  readonly names: ReadonlySet<string>
  /** The roles of the instructions so far. Each may come once. */
  readonly systemRoles: ReadonlySet<string>
  /** The size of the history in bytes. */
  readonly historyBytes: number
  readonly hasHistory: boolean
  readonly audio: "none" | "open" | "closed"
  readonly hearing: Hearing
  readonly entries: ReadonlyArray<Entry>
  readonly calls: ReadonlyArray<Call>
  readonly turn: ModelTurn | undefined
  /** A reply was asked for and starts when the current one is over. */
  readonly isWanted: boolean
  /** Whether the completion has started, because something was sent. */
  readonly hasCompletion: boolean
  readonly isCompletionOver: boolean
  readonly usage: Usage.Meter
  /** When the client sent its last event, and when user or assistant last spoke, in milliseconds since the epoch. */
  readonly inputAt: number
  readonly wordAt: number
}

export const silence = (startMs: number): Hearing => ({ ...InputBuffer.empty(startMs), isSpeaking: false })

/** A turn that was only asked for. */
export const newTurn = (id: string, dueAt: number, faults: ReadonlyArray<ResponseFault>): ModelTurn => ({
  ...newReply(id, dueAt, faults),
  playback: nothing,
  place: 0,
  sentences: [],
  confirmed: 0,
  audioId: "",
  isAudioOpen: false
})

export const initial = (now: number): Session => ({
  ...Common.initial,
  id: "",
  completionId: "",
  stage: "new",
  silenceMs: 1750,
  maxTokens: Number.POSITIVE_INFINITY,
  prompt: undefined,
  open: [],
  names: new Set(),
  systemRoles: new Set(),
  historyBytes: 0,
  hasHistory: false,
  audio: "none",
  hearing: silence(0),
  entries: [],
  calls: [],
  turn: undefined,
  isWanted: false,
  hasCompletion: false,
  isCompletionOver: false,
  usage: Usage.zero,
  inputAt: now,
  wordAt: now
})
