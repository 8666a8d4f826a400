/**
 * The protocol without a socket: a state, and frames folded over it.
 */
import { receive } from "../../src/internal/decode.ts"
import { encode } from "../../src/internal/encode.ts"
import * as Errors from "../../src/internal/errors.ts"
import type { Inbound } from "../../src/internal/frame.ts"
import { type ClientEvent, initial, type Session, type State } from "../../src/internal/state.ts"
import type { Command } from "@effect-bidi/core/BidiModel"

export const KEY = "sk-proj-secret-0123456789"

export const errors = Errors.make(KEY)

export const start = (session: Partial<Session> = {}): State =>
  initial(errors, { bytesPerMilli: 48, instructions: "", responds: true, interrupts: true, ...session })

/** The events that frames lead to. */
export const events = (state: State, ...frames: ReadonlyArray<Inbound>) => receive(state, frames).events

/** Without the error objects: their reason and code instead. */
export const summary = (state: State, ...frames: ReadonlyArray<Inbound>): ReadonlyArray<unknown> =>
  events(state, ...frames).map((event) =>
    "error" in event && event.error !== undefined
      ? { ...event, error: [event.error.reason._tag, event.error.reason.code] }
      : event
  )

/** What was heard of an item. What was produced of it the protocol knows better than anybody. */
export const cut = (itemId: string, millis: number) => ({ itemId, heard: millis, produced: 0 })

/** The frames that a command leads to. */
export const send = (state: State, command: Command): ReadonlyArray<any> => encode(state, command)

/** The frames that frames lead to. */
export const answers = (state: State, ...frames: ReadonlyArray<Inbound>): ReadonlyArray<any> =>
  receive(state, frames).frames

export const types = (frames: ReadonlyArray<ClientEvent>) => frames.map((frame) => frame.type)
