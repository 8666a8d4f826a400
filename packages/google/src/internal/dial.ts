/**
 * Where to connect, with which key, and the connection itself: the SDK knows the address and writes the setup, the
 * socket is ours.
 *
 * The SDK's own socket cannot be given up while it connects, compresses, reads messages of any size, and turns one that
 * is no JSON into an unhandled rejection. So the SDK gets a socket from us, through the factory it keeps in a private
 * field, and gets nothing to read: its part is over when the setup has been sent.
 */
import { wrong, type WrongOption } from "@effect-bidi/core/adapter/BidiAdapter"
import { agentFor, type AgentOption } from "@effect-bidi/core/adapter/BidiProxy"
import { GoogleGenAI, type HistoryConfig, type LiveConnectConfig } from "@google/genai"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { Agent } from "node:http"
import { WebSocket } from "ws"
import type { Settings } from "./settings.ts"

/** What proves who calls, and where to. */
export interface Credentials {
  readonly apiKey: Redacted.Redacted
  readonly baseUrl?: string | undefined
  readonly agent?: AgentOption | undefined
}

export interface Endpoint {
  readonly apiKey: Redacted.Redacted
  readonly apiVersion: "v1beta" | "v1alpha"
  readonly url: URL
  /** The way there, unless it is straight. */
  readonly agent: Agent | undefined
  /** Host and port, for people. */
  readonly address: string
}

/** What the first message says. */
export interface Session {
  readonly model: string
  readonly config: LiveConnectConfig
  readonly history: HistoryConfig | undefined
}

const DEFAULT_URL = "https://generativelanguage.googleapis.com"

/** Bytes of the largest message that is read; those of audio have a few kilobytes. */
const MAX_PAYLOAD = 16 * 1024 * 1024

/** Who waits decides how long; this only keeps a handshake nobody waits for from staying. */
const HANDSHAKE = 60_000

// the key becomes a part of the URL as it is
const isKey = (value: string) => /^[\w.~/-]+$/.test(value)

// the SDK takes all but `http` for TLS
const schemes: Record<string, "http:" | "https:"> = {
  "http:": "http:",
  "ws:": "http:",
  "https:": "https:",
  "wss:": "https:"
}

/** Checks credentials without ever quoting them. */
export const endpoint = (
  { affectiveDialog, proactivity }: Pick<Settings, "affectiveDialog" | "proactivity">,
  { agent: way, apiKey, baseUrl }: Credentials
): Endpoint | WrongOption => {
  if (!Redacted.isRedacted(apiKey)) return wrong("apiKey", "expected a Redacted value")
  const key = Redacted.value(apiKey).trim()
  if (key === "") return wrong("apiKey", "the key is empty")
  if (!isKey(key)) return wrong("apiKey", "the key has characters that no key has")
  const given = URL.parse(baseUrl ?? DEFAULT_URL)
  if (given === null) return wrong("baseUrl", "not a URL")
  const scheme = schemes[given.protocol]
  if (scheme === undefined) return wrong("baseUrl", `expected http or https, not ${given.protocol.slice(0, -1)}`)
  const url = new URL(given.href.replace(/^\w+:/, scheme))
  const agent = agentFor(way, url)
  const preview = key.startsWith("auth_tokens/") || affectiveDialog !== undefined || proactivity !== undefined
  return {
    apiKey: Redacted.make(key, { label: "GOOGLE_API_KEY" }),
    apiVersion: preview ? "v1alpha" : "v1beta",
    url,
    agent,
    address: `${url.hostname}:${url.port || (scheme === "http:" ? 80 : 443)}${agent === undefined ? "" : " through a proxy"}`
  }
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
  { agent, apiKey, apiVersion, url }: Endpoint,
  { config, history, model }: Session,
  attach: (socket: WebSocket) => void,
  onFailed: () => void
): void => {
  const factory: SdkFactory = {
    create: (address, headers, callbacks) => {
      let socket: WebSocket | undefined
      return {
        connect: () => {
          socket = new WebSocket(address, {
            headers,
            perMessageDeflate: false,
            maxPayload: MAX_PAYLOAD,
            handshakeTimeout: HANDSHAKE,
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
