/**
 * A plain client of the wire, on the `ws` package alone.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import type { ClientOptions } from "ws"
import type * as Emulator from "@effect-bidi/emulator/Emulator"
import type { Event } from "./fold.ts"

export interface Closed {
  readonly code: number
  readonly reason: string
}

export interface Client {
  readonly socket: WebSocket
  /** Everything that came, in order. Frames that are no JSON have the type "". */
  readonly events: ReadonlyArray<Event>
  readonly send: (...events: ReadonlyArray<object | string>) => Effect.Effect<void>
  /** The next event of that type that was not waited for yet, old or new. */
  readonly next: (type: string) => Effect.Effect<Event>
  /** Says it, asks for a reply and answers everything up to its `response.done`. */
  readonly ask: (text: string, response?: object) => Effect.Effect<ReadonlyArray<Event>>
  readonly closed: Effect.Effect<Closed>
}

export interface Options extends Omit<ClientOptions, "key"> {
  readonly key?: string | null
  readonly path?: string
}

const dial = (emulator: Emulator.Emulator, { key = "sk-test", path, ...options }: Options): WebSocket => {
  const url = `${emulator.url.replace("http", "ws")}${path ?? "/realtime?model=gpt-realtime-2.1"}`
  return new WebSocket(url, {
    ...options,
    headers: { ...options.headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) }
  })
}

const parse = (data: string): Event => {
  try {
    return JSON.parse(data) as Event
  } catch {
    return { type: "", text: data }
  }
}

/** Connects; the scope cuts the connection. */
export const connect = Effect.fnUntraced(function* (emulator: Emulator.Emulator, options: Options = {}) {
  const events: Array<Event> = []
  const cursors = new Map<string, number>()
  const waiting = new Set<() => void>()
  const closed = yield* Deferred.make<Closed>()
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const socket = dial(emulator, options)
      socket.on("message", (data) => {
        events.push(parse(String(data)))
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
        const at = events.findIndex((event, i) => i >= from && event.type === type)
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
  const ask = Effect.fnUntraced(function* (text: string, response: object = {}) {
    const from = events.length
    const item = { type: "message", role: "user", content: [{ type: "input_text", text }] }
    yield* send({ type: "conversation.item.create", item }, { type: "response.create", response })
    yield* next("response.done")
    return events.slice(from)
  })
  const client: Client = { socket, events, send, next, ask, closed: Deferred.await(closed) }
  return client
})

/** The answer to a handshake that is refused. */
export const refused = (emulator: Emulator.Emulator, options: Options = {}) =>
  Effect.callback<{
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: Record<string, unknown>
  }>((resume) => {
    const socket = dial(emulator, options)
    socket.on("error", () => {})
    socket.on("unexpected-response", (request, response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.on("end", () => {
        resume(
          Effect.succeed({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: JSON.parse(text) as Record<string, unknown>
          })
        )
        request.destroy()
      })
    })
  })
