/**
 * An MCP server over real HTTP, written after the specification of 2025-11-25 (Streamable HTTP: sessions, JSON or an event
 * stream as the answer, 404 for a session it does not know), and not after any client.
 */
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface RemoteTool {
  readonly name: string
  /** Undefined: never answers. A promise: answers later. */
  readonly result: (input: Record<string, unknown>) => unknown
}

export interface McpTestServer {
  readonly url: string
  /** As a restart of the server does. */
  readonly forgetSessions: () => void
  readonly calls: ReadonlyArray<{ readonly name: string; readonly session: string }>
  readonly sessions: () => number
  readonly cancelled: ReadonlyArray<unknown>
}

export interface McpServerOptions {
  readonly tools: ReadonlyArray<RemoteTool>
  /** How an unknown session is answered: by the specification, or as the TypeScript SDK's example server does. */
  readonly unknownSession?: 404 | 400
  /** Answers calls in an event stream. */
  readonly stream?: boolean
}

export const mcpServer = ({ stream = false, tools, unknownSession = 404 }: McpServerOptions) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<McpTestServer & { readonly close: () => void }>((resolve) => {
          const sessions = new Set<string>()
          const calls: Array<{ name: string; session: string }> = []
          const cancelled: Array<unknown> = []
          let made = 0

          const answer = (response: ServerResponse, message: unknown, headers: Record<string, string> = {}) => {
            if (stream && !("mcp-session-id" in headers)) {
              response.writeHead(200, { "content-type": "text/event-stream" })
              response.end(`: a comment\n\nevent: message\nid: 1\ndata: ${JSON.stringify(message)}\n\n`)
              return
            }
            response.writeHead(200, { "content-type": "application/json", ...headers })
            response.end(JSON.stringify(message))
          }

          const refuse = (response: ServerResponse, status: number, message: string) => {
            response.writeHead(status, { "content-type": "application/json" })
            response.end(JSON.stringify({ jsonrpc: "2.0", error: { code: -32_000, message }, id: null }))
          }

          const handle = (request: IncomingMessage, response: ServerResponse, body: string) => {
            const session = request.headers["mcp-session-id"]
            if (request.method === "DELETE") {
              sessions.delete(String(session))
              return response.writeHead(200).end()
            }
            if (request.method !== "POST") return response.writeHead(405).end()
            const message = JSON.parse(body)
            const reply = (result: unknown, headers?: Record<string, string>) =>
              answer(response, { jsonrpc: "2.0", id: message.id, result }, headers)
            if (message.method === "initialize") {
              const id = `session-${++made}`
              sessions.add(id)
              return reply(
                {
                  protocolVersion: message.params.protocolVersion,
                  capabilities: { tools: {} },
                  serverInfo: { name: "test", version: "1.0.0" }
                },
                { "mcp-session-id": id }
              )
            }
            if (!sessions.has(String(session))) {
              return unknownSession === 404
                ? refuse(response, 404, "Session not found")
                : refuse(response, 400, "Bad Request: No valid session ID provided")
            }
            if (message.id === undefined) {
              if (message.method === "notifications/cancelled") cancelled.push(message.params.requestId)
              return response.writeHead(202).end()
            }
            if (message.method === "tools/list") {
              return reply({
                tools: tools.map(({ name }) => ({
                  name,
                  description: name,
                  inputSchema: { type: "object", properties: {} }
                }))
              })
            }
            if (message.method === "tools/call") {
              const { arguments: input = {}, name } = message.params
              calls.push({ name, session: String(session) })
              const result = tools.find((tool) => tool.name === name)?.result(input)
              return result === undefined ? undefined : void Promise.resolve(result).then((result) => reply(result))
            }
            answer(response, { jsonrpc: "2.0", id: message.id, error: { code: -32_601, message: "Method not found" } })
          }

          const server = createServer((request, response) => {
            let body = ""
            request.on("data", (chunk) => (body += chunk))
            request.on("end", () => handle(request, response, body))
          })
          server.listen(0, "127.0.0.1", () =>
            resolve({
              url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
              forgetSessions: () => sessions.clear(),
              calls,
              cancelled,
              sessions: () => made,
              close: () => {
                server.closeAllConnections()
                server.close()
              }
            })
          )
        })
    ),
    (server) => Effect.sync(() => server.close())
  )
