/**
 * Where to connect, with which key, and the connection itself.
 */
import { agentFor } from "@effect-bidi/core/adapter/BidiProxy"
import { HANDSHAKE_TIMEOUT_MILLIS, MAX_MESSAGE_BYTES } from "@effect-bidi/core/adapter/WebSocketLine"
import * as Redacted from "effect/Redacted"
import OpenAI from "openai"
import { OpenAIRealtimeWS } from "openai/realtime/ws"
import type { Agent } from "node:http"
import * as net from "node:net"
import type { WebSocket } from "ws"
import type { MakeOptions } from "../Options.ts"
import type { Inbound } from "./frame.ts"

export interface Endpoint {
  readonly url: URL
  readonly isPlain: boolean
  /** How to get there, unless directly. */
  readonly agent: Agent | undefined
  /** Host and port, for people. */
  readonly address: string
}

const DEFAULT_URL = "https://api.openai.com/v1"

export const addressOf = (baseUrl = DEFAULT_URL) => {
  const url = new URL(baseUrl)
  return { url, isPlain: url.protocol === "http:" || url.protocol === "ws:" }
}

export const endpointOf = ({ agent: option, baseUrl }: Pick<MakeOptions, "agent" | "baseUrl">): Endpoint => {
  const { isPlain, url } = addressOf(baseUrl)
  const agent = agentFor(option, url)
  const address = `${url.hostname}:${url.port || (isPlain ? 80 : 443)}${agent === undefined ? "" : " through a proxy"}`
  return { url, isPlain, agent, address }
}

/** Gets every frame; `undefined` is one that cannot be read. */
interface Reader {
  readonly read: (frame: Inbound) => void
}

/**
 * The connection of the SDK, which tells of every frame in one step. The SDK's own emitter makes a new table of what it
 * has to clean up at every event, linked to the one before: half of all garbage that got into the old generation.
 */
class Connection extends OpenAIRealtimeWS {
  private readonly reader: Reader

  constructor(props: ConstructorParameters<typeof OpenAIRealtimeWS>[0], client: OpenAI, reader: Reader) {
    super(props, client)
    this.reader = reader
  }

  // the provider's errors come as events too, and those of the socket are heard at the socket
  protected override _emit(event: PropertyKey, ...values: Array<any>): void {
    if (event === "event") this.reader.read(values[0])
    else if (event === "error" && values[0].message === "could not parse websocket event") this.reader.read(undefined)
  }

  protected override _hasListener(): boolean {
    return true
  }
}

/** Connects at once. Throws where the SDK does. */
export type Dial = (reader: Reader) => WebSocket

/** Who calls, and which model. */
export interface Caller extends Pick<MakeOptions, "organization" | "project"> {
  readonly apiKey: Redacted.Redacted
  readonly model: string
}

/** Connections that share one client of the SDK. */
export const dialing = ({ agent, isPlain, url }: Endpoint, { apiKey, model, organization, project }: Caller): Dial => {
  let client: OpenAI | undefined
  return (reader) => {
    client ??= new OpenAI({
      apiKey: Redacted.value(apiKey),
      // `null` keeps the SDK from looking into the environment by itself
      organization: organization ?? null,
      project: project ?? null,
      baseURL: url.href,
      logLevel: "off"
    })
    const { socket } = new Connection(
      {
        model,
        options: {
          maxPayload: MAX_MESSAGE_BYTES,
          handshakeTimeout: HANDSHAKE_TIMEOUT_MILLIS,
          ...(agent === undefined ? {} : { agent }),
          ...(isPlain ? { createConnection: () => connectPlain(url) } : {})
        }
      },
      client,
      reader
    )
    return socket
  }
}

// The SDK insists on wss, which only means that a connection is made with TLS unless we make it.
const connectPlain = (url: URL): net.Socket =>
  net.connect({ port: Number(url.port || 80), host: url.hostname.replace(/^\[(.*)\]$/, "$1") })
