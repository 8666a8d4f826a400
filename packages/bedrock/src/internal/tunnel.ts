/**
 * A connection that an agent makes, for HTTP/2, which knows no agents: the socket that it would give to a request.
 */
import { EventEmitter } from "node:events"
import type { Agent, IncomingMessage } from "node:http"
import * as net from "node:net"

/** As agents after `agent-base` have it: those for proxies. */
interface Connects {
  readonly connect: (request: unknown, options: object) => Promise<net.Socket> | net.Socket
}

const connects = (agent: object): agent is Connects => "connect" in agent && typeof agent.connect === "function"

/** Connected, or connecting with TLS where the address says so. Fails once it is given up. */
export const through = async (agent: Agent, url: URL, givenUp: AbortSignal): Promise<net.Socket> => {
  const secureEndpoint = url.protocol === "https:"
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const options = {
    host,
    port: Number(url.port || (secureEndpoint ? 443 : 80)),
    secureEndpoint,
    ALPNProtocols: ["h2"],
    ...(net.isIP(host) === 0 ? { servername: host } : {})
  }
  if (!connects(agent)) return agent.createConnection(options) as net.Socket
  // as much of a request as these agents look at
  const request = new EventEmitter()
  givenUp.addEventListener("abort", () => request.emit("close"), { once: true })
  let status: number | undefined
  request.on("proxyConnect", (answer: Pick<IncomingMessage, "statusCode">) => (status = answer.statusCode))
  const socket = await agent.connect(request, options)
  if (!givenUp.aborted && (status === undefined || status === 200)) return socket
  socket.destroy()
  if (givenUp.aborted) throw new Error("the connection was given up")
  // read as the refusal of a provider is
  throw Object.assign(new Error("by the proxy"), { $metadata: { httpStatusCode: status } })
}
