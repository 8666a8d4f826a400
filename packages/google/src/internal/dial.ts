/**
 * Where to connect, with which key, and the connection itself: the SDK knows the address and writes the setup, the
 * socket is ours.
 *
 * The SDK's own socket cannot be given up while it connects, compresses, reads messages of any size, and turns one that
 * is no JSON into an unhandled rejection. So the SDK gets a socket from us, through the factory it keeps in a private
 * field, and gets nothing to read: its part is over when the setup has been sent.
 */
import { agentFor } from "@effect-bidi/core/adapter/BidiProxy"
import { HANDSHAKE_TIMEOUT_MILLIS, MAX_MESSAGE_BYTES } from "@effect-bidi/core/adapter/WebSocketLine"
import { GoogleGenAI, type HistoryConfig, type LiveConnectConfig } from "@google/genai"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { Agent } from "node:http"
import { WebSocket } from "ws"
import type { MakeOptions } from "../Options.ts"

export interface Endpoint {
  readonly url: URL
  /** How to get there, unless directly. */
  readonly agent: Agent | undefined
  /** Host and port, for people. */
  readonly address: string
}

/** Who calls, and how. */
export interface Caller {
  readonly apiKey: Redacted.Redacted
  /** Options that only the preview of the API has are used. */
  readonly preview: boolean
}

/** What the first message says. */
export interface Session {
  readonly model: string
  readonly config: LiveConnectConfig
  readonly history: HistoryConfig | undefined
}

const DEFAULT_URL = "https://generativelanguage.googleapis.com"

export const endpointOf = ({
  agent: option,
  baseUrl = DEFAULT_URL
}: Pick<MakeOptions, "agent" | "baseUrl">): Endpoint => {
  // the SDK takes all but `http` for TLS
  const url = new URL(baseUrl.replace(/^ws(s?):/i, "http$1:"))
  const agent = agentFor(option, url)
  const port = url.port || (url.protocol === "http:" ? 80 : 443)
  return { url, agent, address: `${url.hostname}:${port}${agent === undefined ? "" : " through a proxy"}` }
}

// ---------------------------------------------------------------------------------------------------------------------
// the SDK, and our socket in it
// ---------------------------------------------------------------------------------------------------------------------

interface Callbacks {
  readonly onopen: () => void
  readonly onclose: (event: { readonly code: number; readonly reason: string }) => void
}

/** What the SDK asks of a socket. */
interface SdkSocket {
  readonly connect: () => void
  readonly send: (message: string) => void
}

interface SdkFactory {
  readonly create: (url: string, headers: Record<string, string>, callbacks: Callbacks) => SdkSocket
}

const FACTORY = "webSocketFactory"

/**
 * Dials at once. `attach` gets the socket before it does anything; `onFailed` hears of a session that the SDK does not
 * set up. Throws where the SDK does.
 */
export const dial = (
  { agent, url }: Endpoint,
  { apiKey, preview }: Caller,
  { config, history, model }: Session,
  attach: (socket: WebSocket) => void,
  onFailed: () => void
): void => {
  const apiVersion = preview || Redacted.value(apiKey).startsWith("auth_tokens/") ? "v1alpha" : "v1beta"
  const factory: SdkFactory = {
    create: (address, headers, callbacks) => {
      let socket: WebSocket | undefined
      return {
        connect: () => {
          socket = new WebSocket(address, {
            headers,
            perMessageDeflate: false,
            maxPayload: MAX_MESSAGE_BYTES,
            handshakeTimeout: HANDSHAKE_TIMEOUT_MILLIS,
            ...(agent === undefined ? {} : { agent })
          })
          attach(socket)
          socket.on("open", callbacks.onopen)
          socket.on("close", (code) => callbacks.onclose({ code, reason: "" }))
        },
        // the setup: the SDK has nothing else to say
        send: (message) => socket?.send(history === undefined ? message : withHistory(message, history))
      }
    }
  }
  // all that the SDK would look for in the environment is said, and a client belongs to one connection
  const { live } = new GoogleGenAI({
    vertexai: false,
    apiKey: Redacted.value(apiKey),
    httpOptions: { baseUrl: url.href, apiVersion }
  })
  if (!Predicate.hasProperty(live, FACTORY)) throw new Error(`the SDK keeps no ${FACTORY}`)
  Reflect.set(live, FACTORY, factory)
  // settles when the socket closes, at the latest
  live.connect({ model, config, callbacks: { onmessage: () => {} } }).catch(onFailed)
}

// the SDK knows the field and drops it
const withHistory = (message: string, historyConfig: HistoryConfig): string => {
  const { setup } = JSON.parse(message) as { readonly setup: object }
  return JSON.stringify({ setup: { ...setup, historyConfig } })
}
