/**
 * What differs between the providers.
 */
import type { Assistant } from "../../Assistant.ts"
import type { Fault, Refusal } from "../../Fault.ts"
import type { Machine, WireEvent } from "../session/machine.ts"
import type { Blob } from "./message.ts"
import type { Handshake, Listen, Refused } from "./transport.ts"

/** Something that an earlier connection stored. */
export interface Stored {
  readonly value: unknown
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The connection that stored it is still open. */
  readonly isLive: boolean
}

/** What a machine is made with, besides the options. */
export interface Surroundings {
  /** Differs for each connection. The same in every run when the emulator has a seed. */
  readonly seed: number
  readonly assistant: Assistant
  readonly lookup: (key: string) => Stored | undefined
}

/** Faults that every provider can produce. */
export const commonFaults = [
  ...(["Refuse", "Mute", "End", "Drop", "Stall", "Malformed", "Duplicate", "Slow", "Hold", "Expire", "Push"] as const),
  ...(["FailResponse", "CutResponse", "ToolStorm", "LateAudio"] as const)
] satisfies ReadonlyArray<Fault["_tag"]>

export interface Provider<State> {
  /** The path of the base address. */
  readonly basePath: string
  readonly listen: Listen
  /** Accepts a handshake with the machine of the connection, or refuses it. */
  readonly accept: (handshake: Handshake, surroundings: Surroundings) => Refused | Machine<State>
  /** The response to a handshake that a fault refuses. */
  readonly refuse: (refusal: Refusal) => Refused
  /** The types of a message. The first one is its name in the log. */
  readonly typesOf: (event: Readonly<Record<string, unknown>>) => ReadonlyArray<string>
  /** Whether a string in a message is audio or an image in base64. */
  readonly blobOf: (key: string, parent: Readonly<Record<string, unknown>>) => Blob | undefined
  /** Completes the `n`-th event that a test pushes. */
  readonly complete: (event: WireEvent, n: number) => WireEvent
  /** The faults that this provider can produce. */
  readonly faults: ReadonlySet<Fault["_tag"]>
}
