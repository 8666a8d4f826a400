/**
 * What carries a connection: a WebSocket, or a stream of HTTP/2.
 */
import type { IncomingHttpHeaders, RequestListener } from "node:http"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ListenError } from "../../Emulator.ts"
import type { TransportFault } from "../../Fault.ts"
import type { Input, WireEvent } from "../session/machine.ts"

/** A client message, for the log and for the machine. */
export interface Incoming {
  readonly shown: unknown
  readonly input: Input
}

export interface Handlers {
  readonly message: (incoming: Incoming) => void
  /** Called once, whichever side closed. */
  readonly closed: (code: number, reason: string) => void
}

/** One connection. Nothing is read before `open`. */
export interface Transport {
  readonly open: (handlers: Handlers) => void
  readonly isOpen: () => boolean
  /** Tells the client that it is connected, where the transport can. */
  readonly accept: () => void
  readonly send: (event: WireEvent) => void
  /** Sends a malformed message: `text`, or one of its own. Returns what the log shows. */
  readonly sendMalformed: (text: string | undefined) => unknown
  readonly close: (code: number, reason: string) => void
  /** Ends normally. */
  readonly finish: () => void
  /** Destroys the socket. */
  readonly drop: () => void
  /** Releases what is left after the end. A client may keep its socket. */
  readonly dispose: () => void
  readonly pause: () => void
  readonly resume: () => void
  readonly ping: () => void
  /** Produces a fault. Returns whether the connection is over, or `undefined` when this transport has no such fault. */
  readonly applyFault: (fault: TransportFault) => "over" | "on" | undefined
}

/** The request that opens a connection. */
export interface Handshake {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** The response to a refused handshake. */
export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface Listening {
  readonly host: string
  readonly port: number
  /** The size limit of a message in bytes. */
  readonly maxPayload: number
  /** Refuses a handshake, or returns the handler of the connection. */
  readonly onHandshake: (handshake: Handshake) => Refused | ((transport: Transport) => void)
  /** Handles plain HTTP requests. */
  readonly onRequest: RequestListener
  /** A socket was opened or closed. */
  readonly onSockets: () => void
}

export interface Listener {
  readonly port: number
  /** How many TCP connections are open, whatever they are used for. */
  readonly sockets: () => number
}

/** Listens until the scope closes. */
export type Listen = (listening: Listening) => Effect.Effect<Listener, ListenError, Scope.Scope>
