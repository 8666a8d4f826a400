/**
 * What every emulated provider offers to the tests and programs that use it: where it listens, what arrived at it, and
 * a hand on what it does next.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Assistant, Reply } from "./Assistant.ts"
import type { Fault } from "./Fault.ts"
import type { Pcm } from "./Pcm.ts"
import type { Voice } from "./Voice.ts"

/** The address could not be listened on. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Int,
  message: Schema.String
}) {}

interface Common {
  /** Milliseconds since the epoch, on the clock of the emulator. */
  readonly at: number
  /** Connections are counted from 1 in the order in which they came; a refused handshake counts too. */
  readonly connection: number
}

/** A message of the wire. Base64 of sound is replaced by its size unless the log keeps audio. */
export interface Message extends Common {
  readonly kind: "received" | "sent"
  /** Type of the event, the first of `types`; "" for what is no event at all. */
  readonly type: string
  /**
   * Everything that the message carries. OpenAI and Nova have one type in a message (`response.done`, `audioOutput`);
   * Gemini may have several (`serverContent.modelTurn`, `usageMetadata`). Faults and `await…` look for any of them.
   */
  readonly types: ReadonlyArray<string>
  readonly event: Readonly<Record<string, unknown>>
  /** Bytes of sound in the message, 0 when there is none. */
  readonly audioBytes: number
}

/** One line of the log. */
export type Entry =
  | Message
  | (Common & { readonly kind: "opened"; readonly url: string })
  | (Common & { readonly kind: "refused"; readonly url: string; readonly status: number })
  | (Common & { readonly kind: "closed"; readonly code: number; readonly reason: string })

/**
 * A hand on what happens next. Every function takes effect before its effect ends. A fault that the wire cannot have is a
 * defect.
 */
export interface Control {
  /** Faults of the next connection only; calls add up until it comes. A refusal uses up the connection. */
  readonly onNextConnection: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Faults of every connection from now on. */
  readonly onEveryConnection: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Faults for the connections that are open now; answers how many that are. */
  readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<number>
  /** Takes back all faults that have not happened to a connection yet. */
  readonly reset: Effect.Effect<void>
  /** What the next reply is, whatever it is a reply to; calls queue up. */
  readonly reply: (reply: Reply) => Effect.Effect<void>
  /** What the next spoken turn is understood as; calls queue up. "" is not understood. */
  readonly hear: (text: string) => Effect.Effect<void>
  /** Replies stop where they are, on open and on later connections, until `release`. */
  readonly hold: Effect.Effect<void>
  readonly release: Effect.Effect<void>
  /** Stalled connections read and write again; what was to be sent in between is lost. */
  readonly thaw: Effect.Effect<void>
  /** The open sessions end in that time, as if they had lasted their full time. */
  readonly expireIn: (duration: Duration.Input) => Effect.Effect<void>
}

/** A running emulator. It ends, with every socket of it, when the scope ends in which it was made. */
export interface Emulator {
  /** Base address for clients: `http://127.0.0.1:PORT`, for OpenAI with `/v1` behind it. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Everything so far, oldest first; the oldest lines go when there are too many. */
  readonly log: Effect.Effect<ReadonlyArray<Entry>>
  /** Client events so far, of all connections or of one. */
  readonly received: (connection?: number) => Effect.Effect<ReadonlyArray<Message>>
  /** Server events so far, of all connections or of one. */
  readonly sent: (connection?: number) => Effect.Effect<ReadonlyArray<Message>>
  /** Lines of the log from now on. */
  readonly entries: Stream.Stream<Entry>
  /** The first line, old or new, that fits; waits for it. */
  readonly awaitEntry: (fits: (entry: Entry) => boolean) => Effect.Effect<Entry>
  /** The `times`-th client event of that type since the emulator was made; waits for it. */
  readonly awaitReceived: (type: string, times?: number) => Effect.Effect<Message>
  /** The `times`-th server event of that type since the emulator was made; waits for it. */
  readonly awaitSent: (type: string, times?: number) => Effect.Effect<Message>
  /** Connections that are open now: WebSockets, or streams of HTTP/2. */
  readonly connections: Effect.Effect<number>
  /** Waits until just that many connections are open. */
  readonly awaitConnections: (count: number) => Effect.Effect<void>
  /** TCP connections that are open now, whatever they are used for: a client may leave one behind after the talk. */
  readonly sockets: Effect.Effect<number>
  /** Waits until just that many TCP connections are open. */
  readonly awaitSockets: (count: number) => Effect.Effect<void>
  readonly control: Control
}

/** Options that all emulators have. Every one has a default. */
export interface Options {
  /** `127.0.0.1`. */
  readonly host?: string
  /** 0 takes any free port. */
  readonly port?: number
  /** Keys that are let in (for Nova access key ids and bearer tokens); any that is not empty, by default. */
  readonly apiKeys?: ReadonlyArray<string>
  /** Models that exist. By default any (OpenAI), or the ones of the provider's live wire (Gemini, Nova). */
  readonly models?: ReadonlyArray<string>
  /** How many times faster than real time replies are generated: 8. `Infinity` waits for nothing. */
  readonly speed?: number
  /** From the wish for a reply to its first delta: 50 ms, or nothing at speed `Infinity`. */
  readonly latency?: Duration.Input
  /** Sound in one delta: 100 ms. Whole milliseconds, at least one. */
  readonly delta?: Duration.Input
  /** How long a session may last: 60 minutes (OpenAI), 10 (one connection of Gemini), 8 (Nova). */
  readonly session?: Duration.Input
  /** `auto`: `espeak-ng` when it is on the PATH, else tones. */
  readonly voice?: "auto" | "tones" | "espeak" | Voice
  /** Text of a spoken turn, "" when it cannot be made out. By default the known phrases are recognised. */
  readonly transcribe?: (pcm: Pcm) => string | Effect.Effect<string>
  /** Phrases that are recognised besides the known ones. */
  readonly phrases?: ReadonlyArray<string>
  /** Stands in for the script. */
  readonly assistant?: Assistant
  /** Faults of every connection. */
  readonly faults?: ReadonlyArray<Fault>
  /** Bytes of the largest message that is read: 16 MiB. A larger one closes the connection with 1009. */
  readonly maxPayload?: number
  /** How often the server pings: every 20 seconds. */
  readonly pingEvery?: Duration.Input
  /** Makes all names of things the same in every run. */
  readonly seed?: number
  /** Lines that the log keeps (10 000), and whether it keeps sound (no). */
  readonly log?: { readonly entries?: number; readonly audio?: boolean }
}
