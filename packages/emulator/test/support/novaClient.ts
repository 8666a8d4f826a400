/**
 * A plain client of Nova Sonic, on `node:http2` alone.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { connect as dial } from "node:http2"
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2"
import type * as Emulator from "@effect-bidi/emulator/Emulator"
import { Corrupt, encode, nothing, split } from "../../src/internal/eventstream/message.ts"
import type { Message } from "../../src/internal/eventstream/message.ts"
import { typesOf } from "../../src/internal/nova/codec.ts"
import { audioStart, promptStart, sessionStart } from "./nova.ts"
import type { Json } from "./nova.ts"

export interface Closed {
  /** Error code of the reset, 0 without one. */
  readonly code: number
  /** The server has ended its side in order. */
  readonly isEnded: boolean
}

export interface Client {
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
  /** Everything that came, in order: events, exceptions, and what was corrupt. */
  readonly events: ReadonlyArray<Json>
  readonly send: (...events: ReadonlyArray<Json>) => Effect.Effect<void>
  readonly sendBytes: (bytes: Uint8Array) => Effect.Effect<void>
  /** The next event of that type that was not waited for yet, old or new. */
  readonly next: (type: string) => Effect.Effect<Json>
  readonly status: Effect.Effect<number>
  readonly closed: Effect.Effect<Closed>
  readonly goneAway: Effect.Effect<number>
}

export interface Options {
  readonly model?: string
  readonly path?: string
  /** Replaces headers; `undefined` takes one away. */
  readonly headers?: OutgoingHttpHeaders
  /** Fields of `promptStart`; `null` sends nothing at all. */
  readonly begin?: Json | null
}

const signedHeaders = ":authority;content-type;x-amz-content-sha256;x-amz-date"

export const authorization = (key = "AKID", service = "bedrock"): string =>
  `AWS4-HMAC-SHA256 Credential=${key}/20261123/us-east-1/${service}/aws4_request, SignedHeaders=${signedHeaders}, Signature=${"0a".repeat(32)}`

const headersOf = ({ headers, model = "amazon.nova-2-sonic-v1:0", path }: Options): OutgoingHttpHeaders => {
  const all: OutgoingHttpHeaders = {
    ":method": "POST",
    ":path": path ?? `/model/${encodeURIComponent(model)}/invoke-with-bidirectional-stream`,
    "content-type": "application/vnd.amazon.eventstream",
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-EVENTS",
    "x-amz-date": "20261123T102219Z",
    authorization: authorization(),
    ...headers
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const word = (value: string) => ({ type: "string", value }) as const

/** The frame inside: what the service reads in the end. */
export const chunk = (text: string): Buffer =>
  encode({
    headers: {
      ":event-type": word("chunk"),
      ":message-type": word("event"),
      ":content-type": word("application/json")
    },
    payload: Buffer.from(JSON.stringify({ bytes: Buffer.from(text).toString("base64") }))
  })

/** The frame around it. */
export const signed = (payload: Uint8Array): Buffer =>
  encode({
    headers: {
      ":date": { type: "timestamp", value: 1_795_429_339_409 },
      ":chunk-signature": { type: "binary", value: new Uint8Array(32) }
    },
    payload
  })

const read = (message: Message | Corrupt): Json => {
  if (message instanceof Corrupt) return { corrupt: message.reason }
  const body = JSON.parse(Buffer.from(message.payload).toString()) as Json
  const type = message.headers[":exception-type"]
  if (type !== undefined) return { exception: { type: type.value, message: body.message } }
  const text = Buffer.from(body.bytes, "base64").toString()
  try {
    return JSON.parse(text) as Json
  } catch {
    return { garbage: text }
  }
}

const request = (emulator: Emulator.Emulator, options: Options) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const session = dial(emulator.url)
      session.on("error", () => {})
      const stream = session.request(headersOf(options), { endStream: false })
      stream.on("error", () => {})
      return { session, stream }
    }),
    ({ session }) => Effect.sync(() => session.destroy())
  )

/** Connects, and opens the sound; the scope cuts the connection. */
export const connect = Effect.fnUntraced(function* (emulator: Emulator.Emulator, options: Options = {}) {
  const events: Array<Json> = []
  const cursors = new Map<string, number>()
  const waiting = new Set<() => void>()
  const status = yield* Deferred.make<number>()
  const closed = yield* Deferred.make<Closed>()
  const goneAway = yield* Deferred.make<number>()
  const { session, stream } = yield* request(emulator, options)
  let rest = nothing
  let isEnded = false
  session.on("goaway", (code) => Deferred.doneUnsafe(goneAway, Effect.succeed(code)))
  stream.on("response", (headers) => Deferred.doneUnsafe(status, Effect.succeed(headers[":status"] ?? 0)))
  stream.on("data", (bytes: Buffer) => {
    const [left, messages] = split(rest, bytes, 1e7)
    rest = left
    events.push(...messages.map(read))
    for (const ask of waiting) ask()
  })
  stream.on("end", () => (isEnded = true))
  stream.on("close", () => Deferred.doneUnsafe(closed, Effect.succeed({ code: stream.rstCode ?? 0, isEnded })))
  const next = (type: string) =>
    Effect.callback<Json>((resume) => {
      const ask = () => {
        const from = cursors.get(type) ?? 0
        const at = events.findIndex((event, i) => i >= from && (typesOf(event).includes(type) || type in event))
        if (at < 0) return
        cursors.set(type, at + 1)
        waiting.delete(ask)
        resume(Effect.succeed(events[at]!))
      }
      waiting.add(ask)
      ask()
      return Effect.sync(() => waiting.delete(ask))
    })
  const sendBytes = (bytes: Uint8Array) => Effect.sync(() => void stream.write(bytes))
  const send = (...some: ReadonlyArray<Json>) =>
    Effect.forEach(some, (event) => sendBytes(signed(chunk(JSON.stringify(event)))), { discard: true })
  if (options.begin !== null) yield* send(sessionStart(), promptStart(options.begin ?? {}), audioStart())
  const client: Client = {
    session,
    stream,
    events,
    send,
    sendBytes,
    next,
    status: Deferred.await(status),
    closed: Deferred.await(closed),
    goneAway: Deferred.await(goneAway)
  }
  return client
})

/** The answer to a request that is refused. */
export const refused = Effect.fnUntraced(function* (emulator: Emulator.Emulator, options: Options = {}) {
  const { stream } = yield* request(emulator, options)
  return yield* Effect.callback<{ readonly status: number; readonly headers: Json; readonly body: Json }>((resume) => {
    let text = ""
    let headers: Json = {}
    stream.setEncoding("utf8")
    stream.on("response", (some) => (headers = some))
    stream.on("data", (some: string) => (text += some))
    stream.on("end", () =>
      resume(Effect.succeed({ status: headers[":status"], headers, body: JSON.parse(text) as Json }))
    )
  })
})
