/**
 * The state of a session. It is immutable: a step makes the next state from it.
 */
import type { Turn } from "../../Prompt.ts"
import type { Quirk } from "../../Fault.ts"
import type { Word } from "../../Speech.ts"
import * as InputBuffer from "../audio/inputBuffer.ts"
import type { EndFrame } from "../session/frames.ts"
import type { ActiveReply } from "../session/reply.ts"
import * as Common from "../session/step.ts"
import type { Frame } from "./frames.ts"
import type { ResponseParams } from "./protocol.ts"
import { defaults } from "./settings.ts"
import type { ResponseSettings, Settings } from "./settings.ts"
import type { Tokens } from "./usage.ts"

/** A server event without its id. */
export interface ServerEvent {
  readonly type: string
  readonly [key: string]: unknown
}

/** An item as the client sees it, without audio. */
export type WireItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string }

export interface Item {
  readonly id: string
  readonly wire: WireItem
  /** What the assistant sees of it. */
  readonly turn: Turn
  readonly tokens: Tokens
  /** Speech of the user that is still being transcribed. */
  readonly isPending: boolean
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

export interface Active extends ActiveReply<Frame | EndFrame> {
  readonly settings: ResponseSettings
  readonly params: ResponseParams
  /** What it reads instead of the conversation, when the client sent its own input. */
  readonly input: ReadonlyArray<Item> | undefined
  /** Whether it belongs to the conversation, or is out of band. */
  readonly isDefault: boolean
  readonly createdAt: number
  /** The server asked for it because nobody spoke: it is not followed by another such prompt. */
  readonly isIdlePrompt: boolean
  readonly outputs: ReadonlyArray<Output>
  readonly read: Tokens
  readonly used: Tokens
}

export interface Buffer extends InputBuffer.InputBuffer {
  /** The turn that is being spoken: its item has an id before it exists. */
  readonly speech: { readonly itemId: string } | undefined
}

export interface Session extends Common.State {
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
  readonly quirks: ReadonlyArray<Quirk>
  /** Input tokens of the response before, which the next one finds in the cache. */
  readonly cached: number
}

export const emptyBuffer = (startMs: number): Buffer => ({ ...InputBuffer.empty(startMs), speech: undefined })

export const initial = (options: {
  readonly model: string
  readonly now: number
  readonly sessionMs: number
}): Session => ({
  ...Common.initial,
  id: "",
  conversationId: "",
  startedAt: options.now,
  expiresAt: options.now + options.sessionMs,
  settings: defaults(options.model),
  items: [],
  buffer: emptyBuffer(0),
  active: [],
  hasSpoken: false,
  quirks: [],
  cached: 0
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
