/**
 * An HTTP/2 server without encryption, for clients that need no upgrade. Plain HTTP/1 requests on the same port go to
 * `onRequest`.
 */
import { createServer as createHttp1 } from "node:http"
import { createServer as createHttp2 } from "node:http2"
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2"
import { createServer } from "node:net"
import type { Socket } from "node:net"
import { listenOn } from "../server/sockets.ts"
import type { Handshake, Listen, Refused, Transport } from "../server/transport.ts"

/** The first bytes of every HTTP/2 connection. */
const preface = Buffer.from("PRI * HTTP/2.0")

const answer = (stream: ServerHttp2Stream, { body, headers, status }: Refused): void => {
  stream.respond({ ":status": status, "content-type": "application/json", ...headers })
  stream.end(JSON.stringify(body))
  // the rest of the request is discarded
  stream.resume()
  stream.on("finish", () => setImmediate(() => stream.close()))
}

const handshakeOf = (headers: IncomingHttpHeaders): Handshake => ({
  method: headers[":method"],
  url: headers[":path"],
  headers
})

/** Every request is a connection; `makeTransport` turns its stream into the transport. */
export const listen =
  (
    makeTransport: (stream: ServerHttp2Stream, socket: Socket, handshake: Handshake, maxPayload: number) => Transport
  ): Listen =>
  (listening) => {
    const { maxPayload, onHandshake, onRequest } = listening
    const sockets = new WeakMap<object, Socket>()
    const http2 = createHttp2()
    http2.on("sessionError", () => {})
    http2.on("stream", (stream, headers) => {
      stream.on("error", () => {})
      const handshake = handshakeOf(headers)
      const decision = onHandshake(handshake)
      if (typeof decision !== "function") return answer(stream, decision)
      decision(makeTransport(stream, sockets.get(stream.session!)!, handshake, maxPayload))
    })
    let next: Socket | undefined
    http2.on("session", (session) => {
      if (next !== undefined) sockets.set(session, next)
    })
    const http1 = createHttp1(onRequest)
    const server = createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", (head) => {
        socket.pause()
        socket.unshift(head)
        const isHttp2 = preface.subarray(0, head.length).equals(Buffer.from(head).subarray(0, preface.length))
        // the session of a socket is made before `emit` returns
        next = socket
        ;(isHttp2 ? http2 : http1).emit("connection", socket)
        next = undefined
        if (!isHttp2) socket.resume()
      })
    })
    return listenOn(server, listening)
  }
