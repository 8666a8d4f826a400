/**
 * The protocol without a connection: a state, and events folded over it.
 */
import type { Command } from "@effect-bidi/core/BidiModel"
import * as Result from "effect/Result"
import { finish, receive } from "../../src/internal/decode.ts"
import { encode } from "../../src/internal/encode.ts"
import * as Errors from "../../src/internal/errors.ts"
import type { Inbound } from "../../src/internal/frame.ts"
import { initial, type State } from "../../src/internal/state.ts"

export const SECRET = "secret/0123456789+abcdefghijklmnop"

export const errors = Errors.make(new Set([SECRET, ""]))

export const start = (): State => initial(errors, "p")

/** The events that frames lead to. */
export const events = (state: State, ...frames: ReadonlyArray<Inbound>) => receive(state, frames)

/** The same, and what is said when the connection ends after them. */
export const untilEnd = (state: State, ...frames: ReadonlyArray<Inbound>) => [
  ...receive(state, frames),
  ...finish(state)
]

/** The events that a command leads to. */
export const send = (state: State, command: Command): ReadonlyArray<any> =>
  Result.getOrThrowWith(encode(state, command), (error) => error)

// What a reply is made of, of the first reply unless told otherwise.
const of = (n: number) => ({ responseId: `p-r${n}`, itemId: `p-r${n}-speech` })

export const started = (n = 1) => ({ _tag: "ResponseStarted", responseId: `p-r${n}` }) as const
export const preview = (delta: string, n = 1) =>
  ({ _tag: "TranscriptDelta", role: "assistant", ...of(n), delta, preview: true }) as const
export const spoke = (delta: string, n = 1) =>
  ({ _tag: "TranscriptDelta", role: "assistant", ...of(n), delta }) as const
export const spokeAll = (text: string, n = 1) =>
  ({ _tag: "TranscriptDone", role: "assistant", ...of(n), text }) as const
export const sound = (bytes: number, n = 1) => ({ _tag: "AudioDelta", ...of(n), audio: new Uint8Array(bytes) }) as const
export const interrupted = (n = 1) => ({ _tag: "Interrupted", responseId: `p-r${n}` }) as const
export const done = (stopReason: "complete" | "interrupted" | "tool_use", n = 1) =>
  ({ _tag: "ResponseDone", responseId: `p-r${n}`, stopReason }) as const
export const turn = (respond: boolean, n = 1) =>
  ({ _tag: "UserTurn", itemId: `p-u${n}`, respond, ...(respond ? { interrupts: true } : {}) }) as const
export const heard = (delta: string, n = 1) =>
  ({ _tag: "TranscriptDelta", role: "user", itemId: `p-u${n}`, delta }) as const
export const heardAll = (text: string, n = 1) =>
  ({ _tag: "TranscriptDone", role: "user", itemId: `p-u${n}`, text }) as const
export const calls = (n: number, id: string, name: string, args: string) =>
  ({ _tag: "ToolCalls", responseId: `p-r${n}`, calls: [{ id, name, arguments: args }] }) as const
