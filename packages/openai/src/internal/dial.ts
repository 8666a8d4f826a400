/**
 * Where to connect, with which key, and the connection itself.
 */
import { wrong, type WrongOption } from "@effect-bidi/core/adapter/BidiAdapter"
import { agentFor, type AgentOption } from "@effect-bidi/core/adapter/BidiProxy"
import * as Redacted from "effect/Redacted"
import OpenAI from "openai"
import { OpenAIRealtimeWS } from "openai/realtime/ws"
import type { Agent } from "node:http"
import * as net from "node:net"
import type { WebSocket } from "ws"
import type { Inbound } from "./frame.ts"

/** What proves who calls, and where to. */
export interface Credentials {
  readonly apiKey: Redacted.Redacted
  readonly organization?: string | undefined
  readonly project?: string | undefined
  readonly baseUrl?: string | undefined
  readonly agent?: AgentOption | undefined
}

export interface Endpoint {
  readonly model: string
  readonly apiKey: Redacted.Redacted
  readonly organization: string | undefined
  readonly project: string | undefined
  readonly url: URL
  /** The way there, unless it is straight. */
  readonly agent: Agent | undefined
  /** Host and port, for people. */
  readonly address: string
}

const DEFAULT_URL = "https://api.openai.com/v1"

/** Bytes of the largest frame that is read. The SDK knows no limit; frames of audio have a few kilobytes. */
const MAX_PAYLOAD = 16 * 1024 * 1024

// what a header may hold; a value with anything else would be quoted in the complaint about it
const isHeader = (value: string) => /^[\x21-\x7e]+$/.test(value)

const ports: Record<string, number> = { "http:": 80, "ws:": 80, "https:": 443, "wss:": 443 }

/** Checks credentials without ever quoting them. */
export const endpoint = (model: string, credentials: Credentials): Endpoint | WrongOption => {
  const { apiKey, baseUrl, organization, project } = credentials
  if (!Redacted.isRedacted(apiKey)) return wrong("apiKey", "expected a Redacted value")
  const key = Redacted.value(apiKey).trim()
  if (key === "") return wrong("apiKey", "the key is empty")
  if (!isHeader(key)) return wrong("apiKey", "the key has characters that no key has")
  if (organization !== undefined && !isHeader(organization))
    return wrong("organization", "not an id of an organization")
  if (project !== undefined && !isHeader(project)) return wrong("project", "not an id of a project")
  const url = URL.parse(baseUrl ?? DEFAULT_URL)
  if (url === null) return wrong("baseUrl", "not a URL")
  const port = ports[url.protocol]
  if (port === undefined) return wrong("baseUrl", `expected http or https, not ${url.protocol.slice(0, -1)}`)
  const agent = agentFor(credentials.agent, url)
  // the SDK insists on TLS, and an agent makes the connection that it insists on
  if (agent !== undefined && port === 80)
    return wrong("agent", "expected an address with TLS: a plain one takes no agent")
  return {
    model,
    apiKey: Redacted.make(key, { label: "OPENAI_API_KEY" }),
    organization,
    project,
    url,
    agent,
    address: `${url.hostname}:${url.port === "" ? port : url.port}${agent === undefined ? "" : " through a proxy"}`
  }
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

/** Dials at once. Throws where the SDK does. */
export type Dial = (reader: Reader) => WebSocket

/** All connections share one client of the SDK. */
export const dialing = ({ agent, apiKey, model, organization, project, url }: Endpoint): Dial => {
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
          maxPayload: MAX_PAYLOAD,
          ...(agent === undefined ? {} : { agent }),
          ...(ports[url.protocol] === 80 ? { createConnection: () => connectPlain(url) } : {})
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
