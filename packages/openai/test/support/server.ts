/**
 * The far end of one test: a real WebSocket server that does what the test says, and knows what is still open.
 */
import { type WebSocket, WebSocketServer } from "ws"
import * as Shared from "../../../core/test/support/webSocketServer.ts"

export type { Answer, Options } from "../../../core/test/support/webSocketServer.ts"
export type Json = { readonly type: string; readonly [key: string]: any }
export type Peer = Shared.Peer<WebSocket, string>
export type Server = Shared.Server<WebSocket, string>

const dialect: Shared.Dialect<WebSocket, string> = {
  websockets: (autoPong) => new WebSocketServer({ noServer: true, autoPong }),
  path: "/v1",
  encode: (message) => JSON.stringify(message),
  contentOf: (message, type) => (message.type === type ? message : undefined)
}

export const make = (options: Shared.Options = {}) => Shared.make(dialect, options)
