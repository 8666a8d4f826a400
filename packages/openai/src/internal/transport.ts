/**
 * One WebSocket through the SDK. Thin: frames in, frames out, and exactly one reason for its end.
 *
 * Listeners only enqueue: an exception in one of them would end the process. The socket dials in its constructor, so
 * dialing and listening are one step.
 */
import { watch } from "@effect-bidi/core/BidiAdapter"
import { Inbox } from "@effect-bidi/core/Inbox"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { dial, type Endpoint } from "./dial.ts"
import { base64 } from "./encode.ts"
import type { Errors } from "./errors.ts"
import type { Inbound } from "./frame.ts"
import { readRefusal } from "./refusal.ts"
import type { ClientEvent } from "./state.ts"

/** Frames that may wait to be read: minutes of speech. One more fails the connection, nothing is lost silently. */
export const INBOX = 4096

/** Bytes that may wait to be written before the user's audio is refused: about 4 s of PCM at 24 kHz in base64. */
export const CONGESTED = 256 * 1024

export interface Line {
  readonly inbox: Inbox<Inbound, BidiError>
  /** Waits for the handshake. */
  readonly opened: Effect.Effect<void, BidiError>
  /** Writes frames without waiting. Whether they leave is no question: the end of the line is told by the inbox. */
  readonly post: (frames: ReadonlyArray<ClientEvent>) => void
  /** Writes frames together and in order, and waits until the last one has left. */
  readonly send: (frames: ReadonlyArray<ClientEvent>) => Effect.Effect<void, BidiError>
  /** Writes the user's audio; `false` when the line is congested or gone. Never throws. */
  readonly audio: (frame: Uint8Array) => boolean
  /** Ends the line at once. The first reason counts. */
  readonly end: (reason: BidiError) => void
}

const PATIENCE = { every: "20 seconds", misses: 2 } as const

/** Dials. The line closes hard with the scope, also while it is being opened. */
export const open = Effect.fnUntraced(function* (endpoint: Endpoint, errors: Errors) {
  const clock = yield* Clock.Clock
  const inbox = new Inbox<Inbound, BidiError>(INBOX, "dropping")
  const opened = yield* Deferred.make<void, BidiError>()
  const over = yield* Deferred.make<void>()
  const phone = yield* Effect.acquireRelease(
    Effect.try({
      try: () => listen({ endpoint, errors, inbox, opened, over, now: () => clock.currentTimeMillisUnsafe() }),
      // what the SDK says may quote headers
      catch: () => errors.invalid("baseUrl", `the connection to ${endpoint.address} could not be set up`)
    }),
    ({ hangUp }) => Effect.sync(hangUp)
  )
  yield* watch({
    ...PATIENCE,
    ping: phone.ping,
    isAlive: phone.isAlive,
    onDead: () => phone.line.end(errors.lost(`${endpoint.address} no longer answers`, "dead_peer")),
    opened: Deferred.await(opened),
    over: Deferred.await(over)
  })
  return phone.line
})

interface Wiring {
  readonly endpoint: Endpoint
  readonly errors: Errors
  readonly inbox: Inbox<Inbound, BidiError>
  readonly opened: Deferred.Deferred<void, BidiError>
  readonly over: Deferred.Deferred<void>
  readonly now: () => number
}

const listen = ({ endpoint, errors, inbox, now, opened, over }: Wiring) => {
  const { socket } = dial(endpoint, (frame) => enqueue(frame))
  let ended = false
  let alive = true

  const end = (reason: BidiError): void => {
    if (ended) return
    ended = true
    inbox.done(Exit.fail(reason))
    Deferred.doneUnsafe(opened, Exit.fail(reason))
    Deferred.doneUnsafe(over, Exit.void)
    // the listeners stay: a socket that is thrown away while it connects still has an error to tell
    socket.terminate()
  }

  const enqueue = (frame: Inbound): void => {
    alive = true
    if (!ended && !inbox.offer(frame)) end(errors.tooSlow(INBOX))
  }

  socket.on("open", () => Deferred.doneUnsafe(opened, Exit.void))
  socket.on("pong", () => {
    alive = true
  })
  socket.on("unexpected-response", (_, response) =>
    readRefusal(response, (body) => {
      const retryAfter = response.headers["retry-after"]
      end(errors.refused({ status: response.statusCode ?? 0, retryAfter, body, now: now() }))
    })
  )
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const what = Deferred.isDoneUnsafe(opened) ? "lost the connection to" : "could not connect to"
    end(errors.lost(`${what} ${endpoint.address} (${error.code ?? error.message})`, error.code))
  })
  socket.on("close", (code, reason) => end(errors.closed(code, reason.toString("utf8"))))

  const isOpen = () => !ended && socket.readyState === socket.OPEN
  const gone = Effect.suspend(() => Effect.fail(errors.lost(`the connection to ${endpoint.address} is closed`)))

  // a socket that is destroyed calls back for everything that has not left
  const send = (frames: ReadonlyArray<ClientEvent>) =>
    Effect.callback<void, BidiError>((resume) => {
      if (!isOpen()) return resume(gone)
      const texts = frames.map((frame) => JSON.stringify(frame))
      const last = texts.pop()
      if (last === undefined) return resume(Effect.void)
      for (const text of texts) socket.send(text)
      socket.send(last, (error) => resume(error ? gone : Effect.void))
    })

  const line: Line = {
    inbox,
    opened: Deferred.await(opened),
    send,
    post: (frames) => {
      if (isOpen()) for (const frame of frames) socket.send(JSON.stringify(frame))
    },
    audio: (frame) => {
      if (!isOpen() || socket.bufferedAmount > CONGESTED) return false
      socket.send(`{"type":"input_audio_buffer.append","audio":"${base64(frame)}"}`)
      return true
    },
    end
  }

  return {
    line,
    ping: () => socket.ping(),
    /** Whether anything came since this was asked last. */
    isAlive: () => {
      const was = alive
      alive = false
      return was
    },
    hangUp: () => {
      // polite to a peer that listens; nobody waits for its answer
      if (isOpen()) socket.close(1000)
      end(errors.lost("the connection was closed on this side"))
    }
  }
}
