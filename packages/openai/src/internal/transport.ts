/**
 * One WebSocket through the SDK. Thin: frames in, frames out, and exactly one reason for its end.
 *
 * Listeners only enqueue: an exception in one of them would end the process. The socket dials in its constructor, so
 * dialing and listening are one step.
 */
import { watch } from "@effect-bidi/core/adapter/BidiAdapter"
import { Inbox } from "@effect-bidi/core/adapter/Inbox"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { WebSocket } from "ws"
import type { BidiError } from "@effect-bidi/core/BidiError"
import type { Dial, Endpoint } from "./dial.ts"
import { base64 } from "./encode.ts"
import type { Errors } from "./errors.ts"
import type { Inbound } from "./frame.ts"
import { readRefusal } from "./refusal.ts"
import type { ClientEvent } from "./state.ts"

/** Frames that may wait to be read: minutes of speech. One more fails the connection, nothing is lost silently. */
export const INBOX = 4096

/** Bytes that may wait to be written before the user's audio is refused: about 4 s of PCM at 24 kHz in base64. */
export const CONGESTED = 256 * 1024

const TEXT = { binary: false }

const PATIENCE = { every: "20 seconds", misses: 2 } as const

/** Dials. The line closes hard with the scope, also while it is being opened. */
export const open = Effect.fnUntraced(function* (endpoint: Endpoint, dial: Dial, errors: Errors) {
  const clock = yield* Clock.Clock
  const line = yield* Effect.acquireRelease(
    Effect.try({
      try: () => new Line(endpoint, dial, errors, clock),
      // what the SDK says may quote headers
      catch: () => errors.invalid("baseUrl", `the connection to ${endpoint.address} could not be set up`)
    }),
    (line) => Effect.sync(() => line.hangUp())
  )
  yield* watch({
    ...PATIENCE,
    ping: () => line.ping(),
    isAlive: () => line.isAlive(),
    onDead: () => line.end(errors.lost(`${endpoint.address} no longer answers`, "dead_peer")),
    opened: line.opened,
    over: line.over
  })
  return line
})

/** One object instead of functions that share a state: what a frame of sound passes must be in few places. */
export class Line {
  readonly inbox = new Inbox<Inbound, BidiError>(INBOX, "dropping")
  private readonly endpoint: Endpoint
  private readonly errors: Errors
  private readonly clock: Clock.Clock
  private readonly handshake = Deferred.makeUnsafe<void, BidiError>()
  private readonly ending = Deferred.makeUnsafe<void>()
  private readonly socket: WebSocket
  private ended = false
  private alive = true

  /** Bytes of the user's audio that were written. */
  sound = 0

  /** Waits for the handshake. */
  readonly opened = Deferred.await(this.handshake)
  readonly over = Deferred.await(this.ending)

  constructor(endpoint: Endpoint, dial: Dial, errors: Errors, clock: Clock.Clock) {
    this.endpoint = endpoint
    this.errors = errors
    this.clock = clock
    this.socket = dial(this)
    this.listen(this.socket)
  }

  /** Takes a frame of the peer. */
  read(frame: Inbound): void {
    this.alive = true
    if (!this.inbox.offer(frame)) this.end(this.errors.tooSlow(INBOX))
  }

  /** Writes the user's audio; `false` when the line is congested or gone. Never throws. */
  audio(frame: Uint8Array): boolean {
    if (!this.isOpen || this.socket.bufferedAmount > CONGESTED) return false
    const text = `{"type":"input_audio_buffer.append","audio":"${base64(frame)}"}`
    // as bytes `ws` puts it into one buffer with its header: one write instead of two that are gathered
    this.socket.send(Buffer.from(text, "latin1"), TEXT)
    this.sound += frame.length
    return true
  }

  /** Writes frames without waiting. Whether they leave is no question: the end of the line is told by the inbox. */
  post(frames: ReadonlyArray<ClientEvent>): void {
    for (const frame of frames) if (this.isOpen) this.socket.send(JSON.stringify(frame))
  }

  /** Writes frames together and in order, and waits until the last one has left. */
  send(frames: ReadonlyArray<ClientEvent>): Effect.Effect<void, BidiError> {
    // a socket that is destroyed calls back for everything that has not left
    return Effect.callback<void, BidiError>((resume) => {
      if (!this.isOpen) return resume(this.gone)
      const texts = frames.map((frame) => JSON.stringify(frame))
      const last = texts.pop()
      if (last === undefined) return resume(Effect.void)
      for (const text of texts) this.socket.send(text)
      this.socket.send(last, (error) => resume(error ? this.gone : Effect.void))
    })
  }

  /** Ends the line at once. The first reason counts. */
  end(reason: BidiError): void {
    if (this.ended) return
    this.ended = true
    this.inbox.done(Exit.fail(reason))
    Deferred.doneUnsafe(this.handshake, Exit.fail(reason))
    Deferred.doneUnsafe(this.ending, Exit.void)
    // the listeners stay: a socket that is thrown away while it connects still has an error to tell
    this.socket.terminate()
  }

  hangUp(): void {
    // polite to a peer that listens; nobody waits for its answer
    if (this.isOpen) this.socket.close(1000)
    this.end(this.errors.lost("the connection was closed on this side"))
  }

  ping(): void {
    this.socket.ping()
  }

  /** Whether anything came since this was asked last. */
  isAlive(): boolean {
    const { alive } = this
    this.alive = false
    return alive
  }

  private get isOpen(): boolean {
    return !this.ended && this.socket.readyState === this.socket.OPEN
  }

  /** Fails as everything does that is sent when the line has ended. */
  readonly gone: Effect.Effect<never, BidiError> = Effect.suspend(() =>
    Effect.fail(this.errors.lost(`the connection to ${this.endpoint.address} is closed`))
  )

  private listen(socket: WebSocket): void {
    const { address } = this.endpoint
    socket.on("open", () => Deferred.doneUnsafe(this.handshake, Exit.void))
    socket.on("pong", () => {
      this.alive = true
    })
    socket.on("unexpected-response", (_, response) =>
      readRefusal(response, (body) => {
        const retryAfter = response.headers["retry-after"]
        const now = this.clock.currentTimeMillisUnsafe()
        this.end(this.errors.refused({ status: response.statusCode ?? 0, retryAfter, body, now }))
      })
    )
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const what = Deferred.isDoneUnsafe(this.handshake) ? "lost the connection to" : "could not connect to"
      this.end(this.errors.lost(`${what} ${address} (${error.code ?? error.message})`, error.code))
    })
    socket.on("close", (code, reason) => this.end(this.errors.closed(code, reason.toString("utf8"))))
  }
}
