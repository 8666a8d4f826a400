/**
 * A WebSocket as a wire.
 */
import type { WebSocket } from "ws"
import type { WireEvent } from "../session/machine.ts"
import type { Incoming, Wire } from "../server/transport.ts"

/** How a provider writes its messages and reads those of its clients. */
export interface Codec {
  readonly encode: (text: string) => string | Uint8Array
  readonly decode: (data: Buffer, isBinary: boolean) => Incoming
  /** What is sent when something unreadable is asked for. */
  readonly garbage: string
}

/** Codes that cannot stand in a close frame: the connection is cut instead. */
const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)

/** A close frame has room for 123 bytes of reason. */
const fitReason = (reason: string): string => {
  const bytes = Buffer.from(reason)
  // a character that was cut in two would not be valid any more
  return bytes.length <= 123
    ? reason
    : bytes
        .subarray(0, 123)
        .toString("utf8")
        .replace(/\uFFFD+$/, "")
}

/** JSON as the log shows it, or the text that is none. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The wire over an accepted socket. */
export const makeWire = (socket: WebSocket, { decode, encode, garbage }: Codec): Wire => ({
  open: ({ closed, message }) => {
    socket.on("message", (data: Buffer, isBinary) => message(decode(data, isBinary)))
    // broken frames and oversized messages: `close` follows
    socket.on("error", () => {})
    socket.on("close", (code, reason) => closed(code, reason.toString("utf8")))
    // a client may be gone before anybody listens
    if (socket.readyState === socket.CLOSED) closed(1006, "")
  },
  isOpen: () => socket.readyState === socket.OPEN,
  // the handshake has said it
  greet: () => {},
  send: (event: WireEvent) => socket.send(encode(JSON.stringify(event))),
  garble: (text = garbage) => {
    socket.send(encode(text))
    return text
  },
  close: (code, reason) => {
    if (isSendable(code)) socket.close(code, fitReason(reason))
    else socket.terminate()
  },
  finish: () => socket.close(1000),
  drop: () => socket.terminate(),
  dispose: () => socket.terminate(),
  pause: () => socket.pause(),
  resume: () => socket.resume(),
  ping: () => socket.ping(),
  suffer: () => undefined
})
