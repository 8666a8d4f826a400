/**
 * What every emulated provider offers to the tests and programs that use it: its address, a log of its messages, and
 * control over what it does next.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Assistant } from "./Assistant.ts"
import type { Fault } from "./Fault.ts"
import type { Pcm } from "./Pcm.ts"
import type { Reply } from "./Prompt.ts"
import type { Voice } from "./Voice.ts"

/**
 * The server could not listen on the address, usually because the port is in use.
 *
 * @since 0.1.0
 */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Int,
  message: Schema.String
}) {}

interface Common {
  /** Milliseconds since the epoch, by the emulator's clock. */
  readonly at: number
  /** Connections are numbered from 1 in the order of their handshakes, refused ones included. */
  readonly connection: number
}

/**
 * A logged message. Audio in base64 is replaced by its size unless the log keeps audio.
 *
 * @since 0.1.0
 */
export interface Message extends Common {
  readonly kind: "received" | "sent"
  /** The first of `types`, or "" for a message that is not an event. */
  readonly type: string
  /**
   * The types of everything in the message. A message of OpenAI or Nova has one type (`response.done`, `audioOutput`); a
   * message of Gemini may have several (`serverContent.modelTurn`, `usageMetadata`). Triggers and `await…` match any of
   * them.
   */
  readonly types: ReadonlyArray<string>
  readonly event: Readonly<Record<string, unknown>>
  /** Bytes of audio in the message, 0 without any. */
  readonly audioBytes: number
}

/**
 * An entry of the log.
 *
 * @since 0.1.0
 */
export type Entry =
  | Message
  | (Common & { readonly kind: "opened"; readonly url: string })
  | (Common & { readonly kind: "refused"; readonly url: string; readonly status: number })
  | (Common & { readonly kind: "closed"; readonly code: number; readonly reason: string })

/**
 * Control over what the emulator does next. Each function has taken effect when its effect completes. Asking for a fault
 * that the provider cannot produce is a defect.
 *
 * @since 0.1.0
 */
export interface Control {
  /** Faults of the next connection only. Calls add up until it opens, and a refused handshake counts as a connection. */
  readonly onNextConnection: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Faults of every connection from now on. */
  readonly onEveryConnection: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Faults for the connections that are open now. Returns how many there are. */
  readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<number>
  /** Cancels the faults of future connections. */
  readonly reset: Effect.Effect<void>
  /** The next reply, whatever it replies to. Calls queue up. */
  readonly nextReply: (reply: Reply) => Effect.Effect<void>
  /** The transcript of the next spoken turn, "" when it is not understood. Calls queue up. */
  readonly nextTranscript: (text: string) => Effect.Effect<void>
  /** Pauses all replies, on open and on future connections, until `release`. */
  readonly hold: Effect.Effect<void>
  readonly release: Effect.Effect<void>
  /** Stalled connections read and write again. What they would have sent meanwhile is lost. */
  readonly unstall: Effect.Effect<void>
  /** The open sessions end after this time, as if they had reached their time limit. */
  readonly expireIn: (duration: Duration.Input) => Effect.Effect<void>
}

/**
 * A running emulator. It stops, and all its sockets close, when the scope in which it was made closes.
 *
 * @since 0.1.0
 */
export interface Emulator {
  /** The base address for clients: `http://127.0.0.1:PORT`, followed by `/v1` for OpenAI. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** The whole log, oldest entry first. The oldest entries are dropped when there are too many. */
  readonly log: Effect.Effect<ReadonlyArray<Entry>>
  /** Client messages so far, of all connections or of one. */
  readonly received: (connection?: number) => Effect.Effect<ReadonlyArray<Message>>
  /** Server messages so far, of all connections or of one. */
  readonly sent: (connection?: number) => Effect.Effect<ReadonlyArray<Message>>
  /** Entries of the log from now on. */
  readonly entries: Stream.Stream<Entry>
  /** Waits for the first entry, old or new, that satisfies the predicate. */
  readonly awaitEntry: (predicate: (entry: Entry) => boolean) => Effect.Effect<Entry>
  /** Waits for the `times`-th client message of this type since the emulator was made. */
  readonly awaitReceived: (type: string, times?: number) => Effect.Effect<Message>
  /** Waits for the `times`-th server message of this type since the emulator was made. */
  readonly awaitSent: (type: string, times?: number) => Effect.Effect<Message>
  /** How many connections are open: WebSockets, or streams of HTTP/2. */
  readonly connections: Effect.Effect<number>
  /** Waits until exactly this many connections are open. */
  readonly awaitConnections: (count: number) => Effect.Effect<void>
  /** How many TCP connections are open, whatever they are used for: a client may keep one after its session. */
  readonly sockets: Effect.Effect<number>
  /** Waits until exactly this many TCP connections are open. */
  readonly awaitSockets: (count: number) => Effect.Effect<void>
  readonly control: Control
}

/**
 * The options that all emulators have. Each one has a default.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The address to listen on: `127.0.0.1`. */
  readonly host?: string
  /** The port to listen on. 0, the default, takes a free one. */
  readonly port?: number
  /** The accepted keys (for Nova: access key ids and bearer tokens). By default any key that is not empty. */
  readonly apiKeys?: ReadonlyArray<string>
  /** The models that exist. By default any (OpenAI), or those of the provider's live API (Gemini, Nova). */
  readonly models?: ReadonlyArray<string>
  /** How many times faster than real time replies are generated: 8. `Infinity` sends everything at once. */
  readonly speed?: number
  /** The time from the request for a reply to its first chunk: 50 ms, or none at speed `Infinity`. */
  readonly latency?: Duration.Input
  /** The audio in one message: 100 ms. Rounded to whole milliseconds, at least one. */
  readonly chunk?: Duration.Input
  /** The time limit of a session: 60 minutes (OpenAI), 10 (one connection of Gemini), 8 (Nova). */
  readonly sessionLimit?: Duration.Input
  /** The voice. `auto`, the default, is `espeak-ng` when it is on the PATH, otherwise tones. */
  readonly voice?: "auto" | "tones" | "espeak" | Voice
  /** Transcribes a spoken turn; "" means that it was not understood. By default the known phrases are recognised. */
  readonly transcribe?: (pcm: Pcm) => string | Effect.Effect<string>
  /** Phrases that are recognised besides the known ones. */
  readonly phrases?: ReadonlyArray<string>
  /** Replies in place of the script. */
  readonly assistant?: Assistant
  /** The faults of every connection. */
  readonly faults?: ReadonlyArray<Fault>
  /** The size limit of a client message in bytes: 16 MiB. A larger one closes the connection with 1009. */
  readonly maxPayload?: number
  /** How often the server pings: every 20 seconds. */
  readonly pingEvery?: Duration.Input
  /** Makes all generated ids the same in every run. */
  readonly seed?: number
  /** How many entries the log keeps (10 000), and whether it keeps audio (no). */
  readonly log?: { readonly entries?: number; readonly audio?: boolean }
}
