/**
 * One WebSocket. Thin: messages in, messages out, and exactly one reason for its end.
 *
 * Listeners only enqueue: an exception in one of them would end the process. The socket dials as it is made, so dialing
 * and listening are one step.
 */
import { watch } from "@effect-bidi/core/adapter/BidiAdapter"
import { Inbox } from "@effect-bidi/core/adapter/Inbox"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { RawData, WebSocket } from "ws"
import { dial, type Endpoint, type Session } from "./dial.ts"
import { base64 } from "./encode.ts"
import type { Errors } from "./errors.ts"
import { type Inbound, parse } from "./frame.ts"
import { readRefusal } from "./refusal.ts"
import type { ClientMessage } from "./state.ts"

/** Messages that may wait to be read: minutes of speech. One more fails the connection, nothing is lost silently. */
export const INBOX = 4096

/** Bytes that may wait to be written before the user's audio is refused: about 6 s of PCM at 16 kHz in base64. */
export const CONGESTED = 256 * 1024

export interface Line {
  readonly inbox: Inbox<Inbound, BidiError>
  /** Writes messages together and in order, and waits until the last one has left. */
  readonly send: (messages: ReadonlyArray<ClientMessage>) => Effect.Effect<void, BidiError>
  readonly isOpen: () => boolean
  /** Writes one message; `false` when the line is gone. Never throws. */
  readonly put: (message: ClientMessage) => boolean
  /** Writes the user's audio; `false` when the line is congested or gone. Never throws. */
  readonly audio: (frame: Uint8Array) => boolean
}

// The provider answers pings within 8 to 30 seconds, and a connection that is given up too early costs the session.
const PATIENCE = { every: "30 seconds", misses: 3 } as const

/** Dials. The line closes hard with the scope, also while it is being opened. */
export const open = Effect.fnUntraced(function* (endpoint: Endpoint, session: Session, rate: number, errors: Errors) {
  const clock = yield* Clock.Clock
  const inbox = new Inbox<Inbound, BidiError>(INBOX, "dropping")
  const opened = yield* Deferred.make<void, BidiError>()
  const over = yield* Deferred.make<void>()
  const now = () => clock.currentTimeMillisUnsafe()
  const phone = yield* Effect.acquireRelease(
    Effect.try({
      try: () => listen({ endpoint, session, rate, errors, inbox, opened, over, now }),
      // what the SDK says may quote the URL, and the key with it
      catch: () => errors.unsupported("@google/genai", `the SDK could not set up a connection to ${endpoint.address}`)
    }),
    ({ hangUp }) => Effect.sync(hangUp)
  )
  yield* watch({
    ...PATIENCE,
    ping: phone.ping,
    isAlive: phone.isAlive,
    onDead: () => phone.end(errors.lost(`${endpoint.address} no longer answers`, "dead_peer")),
    opened: Deferred.await(opened),
    over: Deferred.await(over)
  })
  return phone.line
})

interface Wiring {
  readonly endpoint: Endpoint
  readonly session: Session
  readonly rate: number
  readonly errors: Errors
  readonly inbox: Inbox<Inbound, BidiError>
  readonly opened: Deferred.Deferred<void, BidiError>
  readonly over: Deferred.Deferred<void>
  readonly now: () => number
}

const listen = ({ endpoint, errors, inbox, now, opened, over, rate, session }: Wiring) => {
  const { address } = endpoint
  let socket: WebSocket | undefined
  let ended = false
  let ready = false
  let alive = true

  const end = (reason: BidiError): void => {
    if (ended) return
    ended = true
    inbox.done(Exit.fail(reason))
    Deferred.doneUnsafe(opened, Exit.fail(reason))
    Deferred.doneUnsafe(over, Exit.void)
    // the listeners stay: a socket that is thrown away while it connects still has an error to tell
    socket?.terminate()
  }

  const onMessage = (data: RawData): void => {
    alive = true
    if (ended) return
    const message = parse(String(data))
    ready ||= message?.setupComplete !== undefined
    if (!inbox.offer(message)) end(errors.tooSlow(INBOX))
  }

  const stage = () => (ready ? "live" : session.config.sessionResumption?.handle === undefined ? "setup" : "resume")

  const attach = (made: WebSocket): void => {
    socket = made
    made.on("open", () => Deferred.doneUnsafe(opened, Exit.void))
    made.on("message", onMessage)
    made.on("pong", () => {
      alive = true
    })
    made.on("unexpected-response", (_, response) =>
      readRefusal(response, (body) => {
        const retryAfter = response.headers["retry-after"]
        end(errors.refused({ status: response.statusCode ?? 0, retryAfter, body, now: now() }))
      })
    )
    made.on("error", (error: NodeJS.ErrnoException) => {
      const what = Deferred.isDoneUnsafe(opened) ? "lost the connection to" : "could not connect to"
      end(errors.lost(`${what} ${address} (${error.code ?? error.message})`, error.code))
    })
    made.on("close", (code, reason) => end(errors.closed(code, reason.toString("utf8"), stage())))
  }

  dial(endpoint, session, attach, () =>
    end(errors.unsupported("@google/genai", `the SDK could not set up a session at ${address}`))
  )

  const isOpen = () => !ended && socket?.readyState === socket?.OPEN
  const gone = Effect.suspend(() => Effect.fail(errors.lost(`the connection to ${address} is closed`)))

  // a socket that is destroyed calls back for everything that has not left
  const send = (messages: ReadonlyArray<ClientMessage>) =>
    Effect.callback<void, BidiError>((resume) => {
      if (socket === undefined || !isOpen()) return resume(gone)
      const texts = messages.map((message) => JSON.stringify(message))
      const last = texts.pop()
      if (last === undefined) return resume(Effect.void)
      for (const text of texts) socket.send(text)
      socket.send(last, (error) => resume(error ? gone : Effect.void))
    })

  const head = `{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=${rate}","data":"`

  const line: Line = {
    inbox,
    send,
    isOpen,
    put: (message) => {
      if (socket === undefined || !isOpen()) return false
      socket.send(JSON.stringify(message))
      return true
    },
    audio: (frame) => {
      if (socket === undefined || !isOpen() || socket.bufferedAmount > CONGESTED) return false
      socket.send(`${head}${base64(frame)}"}}}`)
      return true
    }
  }

  return {
    line,
    end,
    ping: () => socket?.ping(),
    /** Whether anything came since this was asked last. */
    isAlive: () => {
      const was = alive
      alive = false
      return was
    },
    hangUp: () => {
      // polite to a peer that listens; nobody waits for its answer
      if (isOpen()) socket?.close(1000)
      end(errors.lost("the connection was closed on this side"))
    }
  }
}
