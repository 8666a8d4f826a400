/**
 * A plain client of a WebSocket, on the `ws` package alone.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import type { ClientOptions } from "ws"

export interface Closed {
  readonly code: number
  readonly reason: string
}

export interface Client<Event> {
  readonly socket: WebSocket
  /** Everything that came, in order. */
  readonly events: ReadonlyArray<Event>
  readonly send: (...events: ReadonlyArray<object | string>) => Effect.Effect<void>
  /** The next event of that type that was not waited for yet, old or new. */
  readonly next: (type: string) => Effect.Effect<Event>
  readonly closed: Effect.Effect<Closed>
}

export interface Options<Event> {
  readonly url: string
  readonly options: ClientOptions
  readonly read: (data: Buffer, isBinary: boolean) => Event
  readonly typesOf: (event: Event) => ReadonlyArray<string>
}

/** Connects; the scope cuts the connection. */
export const open = Effect.fnUntraced(function* <Event>({ options, read, typesOf, url }: Options<Event>) {
  const events: Array<Event> = []
  const cursors = new Map<string, number>()
  const waiting = new Set<() => void>()
  const closed = yield* Deferred.make<Closed>()
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const socket = new WebSocket(url, options)
      socket.on("message", (data, isBinary) => {
        events.push(read(data as Buffer, isBinary))
        for (const ask of waiting) ask()
      })
      socket.on("error", () => {})
      socket.on("close", (code, reason) =>
        Deferred.doneUnsafe(closed, Effect.succeed({ code, reason: reason.toString("utf8") }))
      )
      socket.on("open", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )
  const next = (type: string) =>
    Effect.callback<Event>((resume) => {
      const ask = () => {
        const from = cursors.get(type) ?? 0
        const at = events.findIndex((event, i) => i >= from && typesOf(event).includes(type))
        if (at < 0) return
        cursors.set(type, at + 1)
        waiting.delete(ask)
        resume(Effect.succeed(events[at]!))
      }
      waiting.add(ask)
      ask()
      return Effect.sync(() => waiting.delete(ask))
    })
  const send = (...messages: ReadonlyArray<object | string>) =>
    Effect.sync(() => {
      for (const message of messages) socket.send(typeof message === "string" ? message : JSON.stringify(message))
    })
  const client: Client<Event> = { socket, events, send, next, closed: Deferred.await(closed) }
  return client
})

/** The answer to a handshake that is refused. */
export const refusal = (url: string, options: ClientOptions) =>
  Effect.callback<{
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: Record<string, unknown>
  }>((resume) => {
    const socket = new WebSocket(url, options)
    socket.on("error", () => {})
    socket.on("unexpected-response", (request, response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.on("end", () => {
        const body = JSON.parse(text) as Record<string, unknown>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body }))
        request.destroy()
      })
    })
  })
