/**
 * Everything that one session remembers. Values only: a step makes the next state out of this one.
 */
import type { Reply, Turn } from "../../Prompt.ts"
import type { Quirk, ResponseFault } from "../../Fault.ts"
import type { Word } from "../../Speech.ts"
import * as Vad from "../audio/vad.ts"
import type { Beat } from "./beats.ts"
import type { ResponseParams } from "./protocol.ts"
import { defaults } from "./settings.ts"
import type { Style, Settings } from "./settings.ts"
import type { Tokens } from "./usage.ts"

/** A server event before it gets its name. */
export interface ServerEvent {
  readonly type: string
  readonly [key: string]: unknown
}

/** An item as it is shown to the client; never with sound in it. */
export type WireItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string }

export interface Item {
  readonly id: string
  readonly wire: WireItem
  /** What the assistant remembers of it. */
  readonly turn: Turn
  readonly tokens: Tokens
  /** Speech of the user that has not been understood yet. */
  readonly isUnheard: boolean
  /** Sound of the user in the format of the wire, kept for the newest items only. */
  readonly sound: Uint8Array | undefined
  /** How long the user's sound lasts, in milliseconds; 0 for everything that was not spoken. */
  readonly soundMs: number
  /** Cut by the client: nothing is added to it any more. */
  readonly isTruncated: boolean
  /** What the assistant said aloud: its words with their times, and how much of it there is, in milliseconds. */
  readonly spoken: { readonly words: ReadonlyArray<Word>; readonly ms: number } | undefined
}

/** An item of a response that is being made. */
export interface Output {
  readonly id: string
  readonly callId: string
  readonly name: string
  /** Transcript, text or JSON of the arguments, as far as it was sent. */
  readonly text: string
  readonly words: ReadonlyArray<Word>
  readonly ms: number
  readonly kind: "audio" | "text" | "call"
  readonly status: "in_progress" | "completed" | "incomplete"
  readonly previousId: string | null
}

export interface Active {
  readonly id: string
  readonly style: Style
  readonly params: ResponseParams
  /** What it reads in place of the conversation, when it brought something along. */
  readonly input: ReadonlyArray<Item> | undefined
  /** Part of the conversation, or on its own beside it. */
  readonly isDefault: boolean
  readonly createdAt: number
  /** Waits for ears, waits for the voice, or sends. */
  readonly stage: "listening" | "speaking" | "running"
  /** What it is going to be, once it has made up its mind. */
  readonly reply: Reply | undefined
  /** The emulator asked for it because nobody spoke: it does not lead to the next such question. */
  readonly isIdlePrompt: boolean
  readonly beats: ReadonlyArray<Beat>
  readonly at: number
  /** When the next beat is due, in milliseconds since the epoch. */
  readonly dueAt: number
  readonly outputs: ReadonlyArray<Output>
  readonly read: Tokens
  readonly used: Tokens
  readonly faults: ReadonlyArray<ResponseFault>
}

export interface Buffer {
  readonly chunks: ReadonlyArray<Int16Array>
  /** Milliseconds of sound in the buffer. */
  readonly ms: number
  /** Where the buffer begins, in milliseconds of sound since the session began. */
  readonly startMs: number
  readonly vad: Vad.State
  /** The turn that is being spoken: its item has a name before it exists. */
  readonly speech: { readonly itemId: string } | undefined
}

export interface Session {
  readonly seed: number
  readonly issued: number
  readonly id: string
  readonly conversationId: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly expiresAt: number
  readonly settings: Settings
  readonly items: ReadonlyArray<Item>
  readonly buffer: Buffer
  readonly active: ReadonlyArray<Active>
  readonly hasSpoken: boolean
  readonly isHeld: boolean
  readonly armed: ReadonlyArray<ResponseFault>
  readonly quirks: ReadonlyArray<Quirk>
  /** Input tokens of the response before, which the next one finds in the cache. */
  readonly cached: number
  readonly ended: boolean
}

export const emptyBuffer = (startMs: number): Buffer => ({
  chunks: [],
  ms: 0,
  startMs,
  vad: Vad.initial(startMs),
  speech: undefined
})

export const initial = (options: {
  readonly seed: number
  readonly model: string
  readonly now: number
  readonly sessionMs: number
}): Session => ({
  seed: options.seed,
  issued: 0,
  id: "",
  conversationId: "",
  startedAt: options.now,
  expiresAt: options.now + options.sessionMs,
  settings: defaults(options.model),
  items: [],
  buffer: emptyBuffer(0),
  active: [],
  hasSpoken: false,
  isHeld: false,
  armed: [],
  quirks: [],
  cached: 0,
  ended: false
})

/** The session as the wire shows it. Only models that reason are shown with what that takes. */
export const sessionEvent = (type: "session.created" | "session.updated", state: Session): ServerEvent => {
  const { parallel_tool_calls, reasoning, ...settings } = state.settings
  return {
    type,
    session: {
      object: "realtime.session",
      id: state.id,
      ...settings,
      ...(isReasoning(settings.model) ? { parallel_tool_calls, reasoning } : {}),
      expires_at: Math.floor(state.expiresAt / 1000)
    }
  }
}

const isReasoning = (model: string): boolean => /^gpt-realtime-2(\.|-|$)(?!\d{3})/.test(model)
