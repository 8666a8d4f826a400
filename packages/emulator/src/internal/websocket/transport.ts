/**
 * A WebSocket as a transport.
 */
import type { WebSocket } from "ws"
import type { WireEvent } from "../session/machine.ts"
import type { Incoming, Transport } from "../server/transport.ts"

/** How messages are encoded and decoded. */
export interface Codec {
  readonly encode: (text: string) => string | Uint8Array
  readonly decode: (data: Buffer, isBinary: boolean) => Incoming
  /** The default malformed message. */
  readonly garbage: string
}

/** Whether a close frame may have this code. Otherwise the socket is destroyed. */
const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)

/** A close frame has room for 123 bytes of reason. */
const fitReason = (reason: string): string => {
  const bytes = Buffer.from(reason)
  // do not cut a character in two
  return bytes.length <= 123
    ? reason
    : bytes
        .subarray(0, 123)
        .toString("utf8")
        .replace(/\uFFFD+$/, "")
}

/** The JSON value, or the text when it is not JSON. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The transport over an accepted socket. */
export const makeTransport = (socket: WebSocket, { decode, encode, garbage }: Codec): Transport => ({
  open: ({ closed, message }) => {
    socket.on("message", (data: Buffer, isBinary) => message(decode(data, isBinary)))
    // for broken frames and oversized messages, `close` follows
    socket.on("error", () => {})
    socket.on("close", (code, reason) => closed(code, reason.toString("utf8")))
    // the client may have left already
    if (socket.readyState === socket.CLOSED) closed(1006, "")
  },
  isOpen: () => socket.readyState === socket.OPEN,
  // the handshake did that
  accept: () => {},
  send: (event: WireEvent) => socket.send(encode(JSON.stringify(event))),
  sendMalformed: (text = garbage) => {
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
  applyFault: () => undefined
})
