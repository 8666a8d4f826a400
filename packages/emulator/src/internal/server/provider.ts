/**
 * What tells one provider from another.
 */
import type { Assistant } from "../../Assistant.ts"
import type { Fault, Refusal } from "../../Fault.ts"
import type { Machine, WireEvent } from "../session/machine.ts"
import type { Blob } from "./message.ts"
import type { Handshake, Listen, Refused } from "./transport.ts"

/** Something that an earlier connection put by. */
export interface Kept {
  readonly value: unknown
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The connection that put it by is still open. */
  readonly isLive: boolean
}

/** What a machine is made with, besides the options. */
export interface Surroundings {
  /** Another one for each connection; the same in every run when the emulator has a seed. */
  readonly seed: number
  readonly assistant: Assistant
  readonly recall: (key: string) => Kept | undefined
}

/** Faults that every provider can produce. */
export const commonFaults = [
  ...(["Refuse", "Mute", "End", "Drop", "Stall", "Malformed", "Duplicate", "Slow", "Hold", "Expire", "Push"] as const),
  ...(["FailResponse", "CutResponse", "ToolStorm", "LateAudio"] as const)
] satisfies ReadonlyArray<Fault["_tag"]>

export interface Provider<State> {
  /** Path behind the address that clients are given. */
  readonly basePath: string
  readonly listen: Listen
  /** Why a handshake is refused, or the machine of the new connection. */
  readonly accept: (handshake: Handshake, surroundings: Surroundings) => Refused | Machine<State>
  /** The answer that a refusal on demand gives. */
  readonly refuse: (refusal: Refusal) => Refused
  /** What a message carries, in the words of the wire; the first one names it. */
  readonly typesOf: (event: Readonly<Record<string, unknown>>) => ReadonlyArray<string>
  /** Whether a string in a message is sound or a picture in base64. */
  readonly blobOf: (key: string, parent: Readonly<Record<string, unknown>>) => Blob | undefined
  /** Completes the `n`-th event of a test's own making. */
  readonly complete: (event: WireEvent, n: number) => WireEvent
  /** Faults that this wire can have. */
  readonly faults: ReadonlySet<Fault["_tag"]>
}
