/**
 * An HTTP server for WebSockets on one address. When its scope closes, every socket is gone at once.
 */
import * as Effect from "effect/Effect"
import { createServer, STATUS_CODES } from "node:http"
import type { IncomingMessage, RequestListener } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"
import { ListenError } from "../../Emulator.ts"

/** An answer to a handshake that is not let in. */
export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface Options {
  readonly host: string
  readonly port: number
  readonly maxPayload: number
  /** Decides about a handshake: an answer, or the one who takes the socket. */
  readonly onHandshake: (request: IncomingMessage) => Refused | ((socket: WebSocket) => void)
  /** Plain HTTP. */
  readonly onRequest: RequestListener
}

const answer = (socket: Duplex, { body, headers, status }: Refused): void => {
  const text = JSON.stringify(body)
  const all = {
    "content-type": "application/json",
    "content-length": `${Buffer.byteLength(text)}`,
    connection: "close",
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("\r\n")}\r\n\r\n${text}`)
}

/** Listens until the scope closes; answers the port. */
export const listen = Effect.fnUntraced(function* (options: Options) {
  const { host, maxPayload, onHandshake, onRequest, port } = options
  const sockets = new Set<Socket>()
  const upgrader = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false })
  const server = createServer(onRequest)
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {})
    const decision = onHandshake(request)
    if (typeof decision !== "function") return answer(socket, decision)
    upgrader.handleUpgrade(request, socket, head, (ws) => {
      // nothing is read until somebody listens
      ws.pause()
      decision(ws)
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void, ListenError>((resume) => {
      const fail = (error: Error) => resume(Effect.fail(new ListenError({ host, port, message: error.message })))
      server.once("error", fail)
      server.listen(port, host, () => {
        server.off("error", fail)
        server.on("error", () => {})
        resume(Effect.void)
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
  return (server.address() as AddressInfo).port
})
