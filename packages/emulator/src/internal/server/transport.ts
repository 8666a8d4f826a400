/**
 * What carries a connection, whatever it is: a WebSocket, or a stream of HTTP/2.
 */
import type { IncomingHttpHeaders, RequestListener } from "node:http"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ListenError } from "../../Emulator.ts"
import type { TransportFault } from "../../Fault.ts"
import type { Input, WireEvent } from "../session/machine.ts"

/** A message of the client: as the log shows it, and as the machine takes it. */
export interface Incoming {
  readonly shown: unknown
  readonly input: Input
}

export interface Handlers {
  readonly message: (incoming: Incoming) => void
  /** Called once, whoever ended the connection. */
  readonly closed: (code: number, reason: string) => void
}

/** One connection. Nothing is read from it before it is opened. */
export interface Wire {
  readonly open: (handlers: Handlers) => void
  readonly isOpen: () => boolean
  /** Tells the client that it was let in, where the transport has a way to say so. */
  readonly greet: () => void
  readonly send: (event: WireEvent) => void
  /** Sends what no client can read, `text` if the wire can carry it; answers what the log is to show. */
  readonly garble: (text: string | undefined) => unknown
  readonly close: (code: number, reason: string) => void
  /** Ends in order, as if everything had been said. */
  readonly finish: () => void
  /** Gone at once, without a word. */
  readonly drop: () => void
  /** Lets go of what is left after the end; a client may keep its socket. */
  readonly dispose: () => void
  readonly pause: () => void
  readonly resume: () => void
  readonly ping: () => void
  /** A fault of the transport itself: whether the connection is over after it, `undefined` where there is none such. */
  readonly suffer: (fault: TransportFault) => "over" | "on" | undefined
}

/** The request that a connection begins with. */
export interface Handshake {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** An answer to a handshake that is not let in. */
export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface Listening {
  readonly host: string
  readonly port: number
  /** Bytes of the largest message that is read. */
  readonly maxPayload: number
  /** Decides about a handshake: an answer, or the one who takes the connection. */
  readonly onHandshake: (handshake: Handshake) => Refused | ((wire: Wire) => void)
  /** Plain HTTP. */
  readonly onRequest: RequestListener
  /** A socket came or went. */
  readonly onSockets: () => void
}

export interface Listener {
  readonly port: number
  /** TCP connections that are open now, whatever they are used for. */
  readonly sockets: () => number
}

/** Listens until the scope closes; no socket is left then. */
export type Listen = (listening: Listening) => Effect.Effect<Listener, ListenError, Scope.Scope>
