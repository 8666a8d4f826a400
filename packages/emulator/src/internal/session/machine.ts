/**
 * An emulated provider as a pure state machine from inputs to commands.
 *
 * Time, sockets, voices and transcription are outside. The machine uses them by commands and gets the results as inputs.
 */
import type { ResponseFault, ConnectionFault } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import type { Style, Speech } from "../../Speech.ts"

/** A message in the provider's own format, before it is encoded. */
export interface WireEvent {
  readonly [key: string]: unknown
}

export type Input =
  | { readonly _tag: "Text"; readonly text: string }
  /** Something that is not a message of this provider. */
  | { readonly _tag: "Unreadable"; readonly reason: string }
  /** The client ended its side of the stream and still reads. */
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Woken"; readonly key: string }
  | { readonly _tag: "Synthesized"; readonly key: string; readonly speech: Speech }
  | { readonly _tag: "Transcribed"; readonly key: string; readonly text: string }
  | { readonly _tag: "NotTranscribed"; readonly key: string; readonly message: string }
  | { readonly _tag: "Arm"; readonly fault: ResponseFault | ConnectionFault }
  | { readonly _tag: "Hold" }
  | { readonly _tag: "Release" }
  | { readonly _tag: "Expire" }

export type Command =
  | { readonly _tag: "Send"; readonly event: WireEvent }
  /** Ends the connection. What becomes of code and reason depends on the transport. */
  | { readonly _tag: "Close"; readonly code: number; readonly reason: string }
  /** Asks for `Woken` after this time, and replaces an earlier command with the same key. */
  | { readonly _tag: "Wake"; readonly key: string; readonly afterMs: number }
  | { readonly _tag: "Forget"; readonly key: string }
  /** Asks for `Synthesized`. */
  | { readonly _tag: "Synthesize"; readonly key: string; readonly text: string; readonly style: Style }
  /** Asks for `Transcribed` or `NotTranscribed`. */
  | { readonly _tag: "Transcribe"; readonly key: string; readonly pcm: Pcm }
  /** Stores something for later connections. */
  | { readonly _tag: "Store"; readonly key: string; readonly value: unknown }

/** The server side of one connection. `now` is milliseconds since the epoch. */
export interface Machine<State> {
  readonly start: (now: number) => readonly [State, ReadonlyArray<Command>]
  readonly step: (state: State, input: Input, now: number) => readonly [State, ReadonlyArray<Command>]
}
