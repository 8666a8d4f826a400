/**
 * An HTTP server for WebSockets.
 */
import { createServer, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import { listenOn } from "../server/sockets.ts"
import type { Listen, Refused } from "../server/transport.ts"
import { makeTransport } from "./transport.ts"
import type { Codec } from "./transport.ts"

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

/** Every connection is a WebSocket that speaks `codec`. */
export const listen =
  (codec: Codec): Listen =>
  (listening) => {
    const { maxPayload, onHandshake, onRequest } = listening
    const upgrader = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false })
    const server = createServer(onRequest)
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => {})
      const decision = onHandshake(request)
      if (typeof decision !== "function") return answer(socket, decision)
      upgrader.handleUpgrade(request, socket, head, (ws) => {
        // nothing is read before `open`
        ws.pause()
        decision(makeTransport(ws, codec))
      })
    })
    return listenOn(server, listening)
  }
