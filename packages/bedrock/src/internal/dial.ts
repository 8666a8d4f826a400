/**
 * The AWS SDK's client for one connection, with a look at what it keeps to itself: the response headers, the stream
 * and the socket.
 *
 * `send` of the SDK answers with the first event of the provider, which comes only after something was said; that a
 * connection was accepted is known earlier by its headers. Test: `SdkContract.test.ts`.
 */
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime"
import { NodeHttp2Handler } from "@smithy/node-http-handler"
import type { ClientHttp2Stream } from "node:http2"
import * as net from "node:net"
import * as tls from "node:tls"
import { agentFor } from "@effect-bidi/core/adapter/BidiProxy"
import { type Account, type Identity, signingWith } from "./account.ts"
import { watchFrames } from "./frameLength.ts"
import { through } from "./tunnel.ts"

export interface Wire {
  /** The provider has read the request: its status. */
  readonly onHeaders: (status: number, stream: ClientHttp2Stream) => void
  /** The network connection is up, with TLS where there is any. */
  readonly onLink: () => void
  readonly onSocketError: (error: NodeJS.ErrnoException) => void
  /** What the provider sends is no stream of events; nothing more of it is read. */
  readonly onWrongFrame: (what: string) => void
}

/** A client of the SDK for one connection. */
export interface Client {
  readonly sdk: BedrockRuntimeClient
  /** Host and port, for people. */
  readonly address: () => string
  /** Nothing of it is left. */
  readonly destroy: () => void
}

// The SDK ends sessions that are idle for this long, in silence; its default of five minutes is less than a call.
const SESSION_TIMEOUT_MILLIS = 600_000

/** Dials with these keys, which last as long as the connection: its frames are signed with those it began with. */
export const dial = (account: Account, keys: Identity, wire: Wire): Client => {
  let address = "the provider"
  const sockets = new Set<net.Socket>()

  const over = new AbortController()
  let tunnel: net.Socket | undefined

  // A way around takes its time, and the SDK wants a socket at once: so it is gone before the SDK is asked.
  const prepare = async ({ hostname, port, protocol }: Target): Promise<void> => {
    const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`)
    const agent = agentFor(account.agent, url)
    if (agent === undefined) return
    address = `${addressOf(url)} through a proxy`
    tunnel = await through(agent, url, over.signal).catch((error) => {
      wire.onSocketError(error)
      throw error
    })
  }

  const createConnection = (authority: URL): net.Socket => {
    const secure = authority.protocol === "https:"
    const host = authority.hostname.replace(/^\[(.*)\]$/, "$1")
    const port = Number(authority.port || (secure ? 443 : 80))
    const direct = () =>
      secure
        ? tls.connect({ host, port, ALPNProtocols: ["h2"], ...(net.isIP(host) === 0 ? { servername: host } : {}) })
        : net.connect({ host, port })
    if (tunnel === undefined) address = addressOf(authority)
    const socket = tunnel ?? direct()
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on("error", wire.onSocketError)
    if (!secure && !socket.connecting) wire.onLink()
    else socket.once(secure ? "secureConnect" : "connect", wire.onLink)
    return socket
  }

  const handler = new NodeHttp2Handler({
    sessionTimeout: SESSION_TIMEOUT_MILLIS,
    nodeHttp2ConnectOptions: { createConnection }
  })
  const sdk = new BedrockRuntimeClient({
    ...account.config,
    credentials: signingWith(keys),
    requestHandler: {
      metadata: handler.metadata,
      handle: async (request, options) => {
        await prepare(request)
        const answer = await handler.handle(request, options)
        const { body, statusCode } = answer.response
        // a refusal is no stream of events
        if (statusCode === 200) watchFrames(body as ClientHttp2Stream, wire.onWrongFrame)
        wire.onHeaders(statusCode, body as ClientHttp2Stream)
        return answer
      },
      updateHttpClientConfig: (key, value) => handler.updateHttpClientConfig(key, value),
      httpHandlerConfigs: () => handler.httpHandlerConfigs(),
      destroy: () => handler.destroy()
    } satisfies Pick<
      NodeHttp2Handler,
      "metadata" | "handle" | "updateHttpClientConfig" | "httpHandlerConfigs" | "destroy"
    >
  })
  return {
    sdk,
    address: () => address,
    destroy: () => {
      over.abort()
      sdk.destroy()
      tunnel?.destroy()
      for (const socket of sockets) socket.destroy()
    }
  }
}

interface Target {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
}

const addressOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`
