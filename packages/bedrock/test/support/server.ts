/**
 * The far end of one test: a real HTTP/2 server without TLS that speaks AWS event streams, does what the test says, and
 * knows what is still open.
 */
import { EventStreamCodec } from "@smithy/core/event-streams"
import { fromUtf8, toUtf8 } from "@smithy/core/serde"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"

export interface Event {
  readonly name: string
  readonly data: any
}

/** The server's end of one stream. */
export interface Peer {
  readonly stream: http2.ServerHttp2Stream
  readonly headers: http2.IncomingHttpHeaders
  /** Accepts the connection, where the server does not do that by itself. */
  readonly respond: () => void
  readonly send: (...events: ReadonlyArray<object>) => void
  /** Writes an exception, named as the wire names it. */
  readonly raise: (name: string, message: string) => void
  readonly write: (bytes: Uint8Array) => void
  /** The next event of the client that is not sound. */
  readonly next: Effect.Effect<Event>
  /** The next event of the client that is not sound, which has to be of this kind. */
  readonly expect: (name: string) => Effect.Effect<any>
  /** Waits for the events that open a session. */
  readonly opening: Effect.Effect<void>
  /** The sound of the next event with some. */
  readonly sound: Effect.Effect<Buffer>
  /** All events so far, by name. */
  readonly seen: () => ReadonlyArray<string>
  /** Waits until the client has ended its side. */
  readonly ended: Effect.Effect<void>
  /** Waits until the stream is gone. */
  readonly closed: Effect.Effect<void>
}

export interface Server {
  readonly url: string
  readonly port: number
  /** The next stream. */
  readonly accept: Effect.Effect<Peer>
  /** Waits until no session is left. */
  readonly empty: Effect.Effect<void>
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>
}

export interface Answer {
  readonly status: number
  readonly headers?: http2.OutgoingHttpHeaders
  readonly body?: string
  /** The body never ends. */
  readonly unfinished?: boolean
}

export interface Options {
  /** Answers the requests in their order; the last answer is that of all that follow. */
  readonly answers?: ReadonlyArray<Answer | "accept" | "silence">
  /** Ends a stream when the client does. Default: true. */
  readonly polite?: boolean
}

const codec = new EventStreamCodec(toUtf8, fromUtf8)

const frame = (headers: Record<string, string>, body: unknown) =>
  codec.encode({
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }])
    ),
    body: fromUtf8(JSON.stringify(body))
  })

const json = { ":content-type": "application/json" }

/** A frame with an event. */
export const chunk = (event: unknown): Uint8Array =>
  frame(
    { ":event-type": "chunk", ":message-type": "event", ...json },
    { bytes: Buffer.from(JSON.stringify(event)).toString("base64") }
  )

/** Listens on a free port. At the end nothing may be open, and nothing may have gone wrong unheard. */
export const make = Effect.fnUntraced(function* ({ answers = ["accept"], polite = true }: Options = {}) {
  yield* nothingUnheard
  const peers = yield* Queue.unbounded<Peer>()
  const sessions = new Set<http2.ServerHttp2Session>()
  const watching = new Set<() => void>()
  const server = http2.createServer()
  let requests = 0
  server.on("session", (session) => {
    sessions.add(session)
    session.on("error", () => {})
    session.on("close", () => {
      sessions.delete(session)
      for (const look of watching) look()
    })
  })
  server.on("stream", (stream, headers) => {
    const answer = answers[Math.min(requests++, answers.length - 1)]!
    const one = peer(stream, headers)
    if (polite) stream.on("end", () => stream.end())
    if (answer === "accept") one.respond()
    else if (answer !== "silence") {
      stream.respond({ ":status": answer.status, "content-type": "application/json", ...answer.headers })
      if (answer.unfinished === true) stream.write(answer.body ?? "{")
      else stream.end(answer.body ?? "{}")
    }
    Queue.offerUnsafe(peers, one)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        for (const session of sessions) session.destroy()
        server.close(() => resume(Effect.void))
      })
  )
  const { port } = server.address() as AddressInfo
  const empty = Effect.callback<void>((resume) => {
    const look = () => {
      if (sessions.size > 0) return
      watching.delete(look)
      resume(Effect.void)
    }
    watching.add(look)
    look()
  })
  return { port, url: `http://127.0.0.1:${port}`, accept: Queue.take(peers), empty, sessions } satisfies Server
})

const nothingUnheard = Effect.suspend(() => {
  const unheard: Array<unknown> = []
  const onUnheard = (error: unknown) => void unheard.push(error)
  return Effect.acquireRelease(
    Effect.sync(() => process.on("unhandledRejection", onUnheard).on("uncaughtException", onUnheard)),
    () =>
      Effect.gen(function* () {
        yield* turns(2)
        process.off("unhandledRejection", onUnheard).off("uncaughtException", onUnheard)
        if (unheard.length > 0) return yield* Effect.die(unheard[0])
      })
  )
})

/** Lets the event loop go round. */
export const turns = (count: number): Effect.Effect<void> =>
  count === 0
    ? Effect.void
    : Effect.andThen(
        Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))),
        turns(count - 1)
      )

const peer = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Peer => {
  const inbox = Effect.runSync(Queue.unbounded<Event>())
  const sounds = Effect.runSync(Queue.unbounded<Buffer>())
  const ends = Effect.runSync(Queue.unbounded<void>())
  const closes = Effect.runSync(Queue.unbounded<void>())
  const seen: Array<string> = []
  let bytes = Buffer.alloc(0)
  let signed = true
  stream.on("error", () => {})
  stream.on("close", () => Queue.offerUnsafe(closes, undefined))
  stream.on("end", () => Queue.offerUnsafe(ends, undefined))
  stream.on("data", (data: Buffer) => {
    bytes = Buffer.concat([bytes, data])
    while (bytes.length >= 4 && bytes.length >= bytes.readUInt32BE(0)) {
      const size = bytes.readUInt32BE(0)
      const outer = codec.decode(new Uint8Array(bytes.subarray(0, size)))
      bytes = bytes.subarray(size)
      signed &&= outer.headers[":chunk-signature"]?.type === "binary" && outer.headers[":date"]?.type === "timestamp"
      const event = outer.body.length === 0 ? { name: signed ? "end" : "unsigned", data: {} } : eventOf(outer.body)
      seen.push(event.name)
      if (event.name === "audioInput") Queue.offerUnsafe(sounds, Buffer.from(event.data.content, "base64"))
      else Queue.offerUnsafe(inbox, event)
    }
  })
  const write = (data: Uint8Array) => {
    if (!stream.destroyed) stream.write(data)
  }
  const next = Queue.take(inbox)
  const expect: Peer["expect"] = (name) =>
    Effect.flatMap(next, (event) =>
      event.name === name
        ? Effect.succeed(event.data)
        : Effect.die(new Error(`expected ${name}, got ${JSON.stringify(event)}`))
    )
  return {
    stream,
    headers,
    respond: () => stream.respond({ ":status": 200, "content-type": "application/vnd.amazon.eventstream" }),
    send: (...events) => {
      for (const event of events) write(chunk({ event }))
    },
    raise: (name, message) => {
      write(frame({ ":exception-type": name, ":message-type": "exception", ...json }, { message }))
    },
    write,
    next,
    expect,
    opening: Effect.andThen(expect("sessionStart"), Effect.asVoid(expect("promptStart"))),
    sound: Queue.take(sounds),
    seen: () => seen,
    ended: Queue.take(ends),
    closed: Queue.take(closes)
  }
}

const eventOf = (body: Uint8Array): Event => {
  const inner = codec.decode(body)
  const { bytes } = JSON.parse(toUtf8(inner.body)) as { readonly bytes: string }
  const { event } = JSON.parse(Buffer.from(bytes, "base64").toString()) as { readonly event: Record<string, unknown> }
  const [name] = Object.keys(event)
  return { name: name!, data: event[name!] }
}
