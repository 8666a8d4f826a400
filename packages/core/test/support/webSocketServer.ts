/**
 * The far end of one test: a real WebSocket server that does what the test says, and knows what is still open.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as http from "node:http"
import type { AddressInfo, Socket as NetSocket } from "node:net"
import type { Duplex } from "node:stream"

export type Json = { readonly [key: string]: any }

/** What is used of the `WebSocket` of `ws`: core does not depend on it. */
interface Socket {
  on(event: "message", listener: (data: any) => void): unknown
  on(event: "ping", listener: () => void): unknown
  on(event: "close", listener: (code: number) => void): unknown
  on(event: "error", listener: () => void): unknown
  once(event: "pong", listener: () => void): unknown
  ping(): void
  send(data: string | Buffer): void
}

/** What is used of its `WebSocketServer`. */
interface WebSockets<WS> {
  handleUpgrade(
    request: http.IncomingMessage,
    socket: Duplex,
    head: Buffer,
    open: (socket: WS, request: http.IncomingMessage) => void
  ): void
}

/** How a provider speaks. */
export interface Dialect<WS, Kind extends string> {
  readonly websockets: (autoPong: boolean) => WebSockets<WS>
  /** Behind host and port. */
  readonly path: string
  /** A message as it is on the wire. */
  readonly encode: (message: Json) => string | Buffer
  /** What a message of this kind says; `undefined` for one of another kind. */
  readonly contentOf: (message: Json, kind: Kind) => Json | undefined
}

/** The server's end of one connection. */
export interface Peer<WS, Kind extends string> {
  readonly socket: WS
  readonly request: http.IncomingMessage
  readonly send: (...messages: ReadonlyArray<Json>) => void
  /** The next message of the client. */
  readonly next: Effect.Effect<Json>
  /** What the next message of the client says; it has to be of this kind. */
  readonly expect: (kind: Kind) => Effect.Effect<Json>
  /** The next ping of the client. */
  readonly pinged: Effect.Effect<void>
  /** Waits until the client has read everything that was sent. */
  readonly caughtUp: Effect.Effect<void>
  /** How the client closed. */
  readonly closed: Effect.Effect<number>
}

export interface Server<WS, Kind extends string> {
  readonly url: string
  readonly port: number
  /** The next client that got in. */
  readonly accept: Effect.Effect<Peer<WS, Kind>>
  /** Waits until no socket is left, not even one that never became a WebSocket. */
  readonly empty: Effect.Effect<void>
  /** Waits for the next handshake that arrives, let in or not. */
  readonly knocked: Effect.Effect<http.IncomingMessage>
}

export interface Answer {
  readonly status: number
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string
  /** The body never ends: nothing more comes, or ever more of it. */
  readonly unfinished?: "silent" | "flood"
}

export interface Options {
  /** Answers the handshake otherwise; `"silence"` does not answer at all. */
  readonly handshake?: Answer | "silence"
  /** Pongs are sent. Default: true. */
  readonly autoPong?: boolean
}

/** Listens on a free port. At the end nothing may be open, and nothing may have gone wrong unheard. */
export const make = Effect.fnUntraced(function* <WS extends Socket, Kind extends string>(
  dialect: Dialect<WS, Kind>,
  options: Options = {}
) {
  const unheard: Array<unknown> = []
  const onUnheard = (error: unknown) => void unheard.push(error)
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("unhandledRejection", onUnheard).on("uncaughtException", onUnheard)),
    () =>
      Effect.gen(function* () {
        yield* Effect.callback<void>((resume) => void setImmediate(() => setImmediate(() => resume(Effect.void))))
        process.off("unhandledRejection", onUnheard).off("uncaughtException", onUnheard)
        if (unheard.length > 0) return yield* Effect.die(unheard[0])
      })
  )
  const peers = yield* Queue.unbounded<Peer<WS, Kind>>()
  const knocks = yield* Queue.unbounded<http.IncomingMessage>()
  const sockets = new Set<NetSocket>()
  const watching = new Set<() => void>()
  const server = http.createServer()
  const websockets = dialect.websockets(options.autoPong ?? true)
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => {
      sockets.delete(socket)
      for (const look of watching) look()
    })
  })
  server.on("upgrade", (request, socket, head) => {
    Queue.offerUnsafe(knocks, request)
    const answer = options.handshake
    // who does not read does not notice that the other end is gone, and sockets of a server stay half open
    if (answer !== undefined) socket.resume().on("end", () => socket.destroy())
    if (answer === "silence") return
    if (answer !== undefined) {
      const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
      const length = answer.unfinished ? "content-length: 100000000\r\n" : "connection: close\r\n"
      socket.write(`HTTP/1.1 ${answer.status} No\r\n${headers.join("")}${length}\r\n${answer.body ?? ""}`)
      if (!answer.unfinished) socket.end()
      const flood = () => {
        if (!socket.destroyed && socket.write("x".repeat(1024))) setImmediate(flood)
      }
      if (answer.unfinished === "flood") flood()
      return
    }
    websockets.handleUpgrade(request, socket, head, (ws) => Queue.offerUnsafe(peers, peer(dialect, ws, request)))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )
  const { port } = server.address() as AddressInfo
  const empty = Effect.callback<void>((resume) => {
    const look = () => {
      if (sockets.size > 0) return
      watching.delete(look)
      resume(Effect.void)
    }
    watching.add(look)
    look()
  })
  return {
    port,
    url: `http://127.0.0.1:${port}${dialect.path}`,
    accept: Queue.take(peers),
    knocked: Queue.take(knocks),
    empty
  } satisfies Server<WS, Kind>
})

const peer = <WS extends Socket, Kind extends string>(
  { contentOf, encode }: Dialect<WS, Kind>,
  socket: WS,
  request: http.IncomingMessage
): Peer<WS, Kind> => {
  const inbox = Effect.runSync(Queue.unbounded<Json>())
  const pings = Effect.runSync(Queue.unbounded<void>())
  const closes = Effect.runSync(Queue.unbounded<number>())
  socket.on("message", (data) => Queue.offerUnsafe(inbox, JSON.parse(String(data))))
  socket.on("ping", () => Queue.offerUnsafe(pings, undefined))
  socket.on("close", (code) => Queue.offerUnsafe(closes, code))
  socket.on("error", () => {})
  const next = Queue.take(inbox)
  return {
    socket,
    request,
    send: (...messages) => {
      for (const message of messages) socket.send(encode(message))
    },
    next,
    expect: (kind) =>
      Effect.flatMap(next, (message) => {
        const content = contentOf(message, kind)
        if (content !== undefined) return Effect.succeed(content)
        return Effect.die(new Error(`expected ${kind}, got ${JSON.stringify(message)}`))
      }),
    pinged: Queue.take(pings),
    caughtUp: Effect.callback((resume) => {
      socket.once("pong", () => resume(Effect.void))
      socket.ping()
    }),
    closed: Queue.take(closes)
  }
}
