/**
 * The far end of one test: a real WebSocket server that does what the test says, and knows what is still open.
 */
import { type WebSocket, WebSocketServer } from "ws"
import * as Shared from "../../../core/test/support/webSocketServer.ts"

export type { Answer, Json, Options } from "../../../core/test/support/webSocketServer.ts"
export type Peer = Shared.Peer<WebSocket, Kind>
export type Server = Shared.Server<WebSocket, Kind>

type Kind = "setup" | "clientContent" | "realtimeInput" | "toolResponse"

const dialect: Shared.Dialect<WebSocket, Kind> = {
  // as the provider, it would compress if it were asked to
  websockets: (autoPong) =>
    new WebSocketServer({ noServer: true, autoPong, perMessageDeflate: true, maxPayload: 64 * 1024 * 1024 }),
  path: "",
  // JSON in binary frames
  encode: (message) => Buffer.from(JSON.stringify(message)),
  contentOf: (message, kind) => (Object.keys(message).join() === kind ? message[kind] : undefined)
}

export const make = (options: Shared.Options = {}) => Shared.make(dialect, options)
