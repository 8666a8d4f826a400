/**
 * What every emulated provider is: a pure state machine over what arrives and what is to be done about it.
 *
 * Time, sockets, voices and ears are outside. The machine asks for them by commands and gets the outcome as an input.
 */
import type { ResponseFault, ConnectionFault } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import type { Style, Speech } from "../../Speech.ts"

/** One message of the wire, in the provider's own shape, before it is written down. */
export interface WireEvent {
  readonly [key: string]: unknown
}

export type Input =
  | { readonly _tag: "Text"; readonly text: string }
  /** Something that is no message on this wire. */
  | { readonly _tag: "Unreadable"; readonly reason: string }
  /** The client has nothing more to say; it still listens. */
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Woken"; readonly key: string }
  | { readonly _tag: "Spoken"; readonly key: string; readonly speech: Speech }
  | { readonly _tag: "Heard"; readonly key: string; readonly text: string }
  | { readonly _tag: "NotHeard"; readonly key: string; readonly message: string }
  | { readonly _tag: "Arm"; readonly fault: ResponseFault | ConnectionFault }
  | { readonly _tag: "Hold" }
  | { readonly _tag: "Release" }
  | { readonly _tag: "Expire" }

export type Command =
  | { readonly _tag: "Send"; readonly event: WireEvent }
  /** Ends the connection; how a code and a reason are told depends on the wire. */
  | { readonly _tag: "Close"; readonly code: number; readonly reason: string }
  /** Wants `Woken` after that many milliseconds; replaces an earlier wish with the same key. */
  | { readonly _tag: "Wake"; readonly key: string; readonly afterMs: number }
  | { readonly _tag: "Forget"; readonly key: string }
  /** Wants `Spoken`. */
  | { readonly _tag: "Speak"; readonly key: string; readonly text: string; readonly style: Style }
  /** Wants `Heard` or `NotHeard`. */
  | { readonly _tag: "Listen"; readonly key: string; readonly pcm: Pcm }
  /** Puts something by for the connections to come. */
  | { readonly _tag: "Keep"; readonly key: string; readonly value: unknown }

/** A provider's side of one connection. `now` is milliseconds since the epoch. */
export interface Machine<State> {
  readonly start: (now: number) => readonly [State, ReadonlyArray<Command>]
  readonly step: (state: State, input: Input, now: number) => readonly [State, ReadonlyArray<Command>]
}
