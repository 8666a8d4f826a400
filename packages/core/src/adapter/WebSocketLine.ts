/**
 * One WebSocket to a provider: messages in, messages out, and exactly one reason for its end.
 *
 * Listeners only enqueue: an exception in one of them would end the process. Sockets connect as soon as they are made, so
 * whoever makes one attaches it to the line in the same step.
 *
 * What every frame of audio passes is a class (here, `Inbox`, and the device side of `audio`): methods on one object with
 * declared fields stay fast where functions over shared variables do not. Everything else is functions.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { BidiError } from "../BidiError.ts"
import type { AdapterErrors } from "./AdapterErrors.ts"
import * as Base64 from "./Base64.ts"
import { Inbox } from "./Inbox.ts"
import * as Watchdog from "./Watchdog.ts"

/**
 * Messages that may wait to be read: minutes of speech. One more fails the connection, nothing is lost silently.
 *
 * @category constants
 * @since 0.1.0
 */
export const INBOX_CAPACITY = 4096

/**
 * Bytes that may wait to be written before the user's audio is refused: 4 to 6 seconds of it.
 *
 * @category constants
 * @since 0.1.0
 */
export const WRITE_BUFFER_BYTES = 256 * 1024

/**
 * Bytes of the largest message that is read; those of audio have a few kilobytes. For whoever makes the socket.
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/**
 * Milliseconds after which a handshake fails by itself. Whoever waits for it decides how long; this only keeps one that
 * nobody waits for from staying. For whoever makes the socket.
 *
 * @category constants
 * @since 0.1.0
 */
export const HANDSHAKE_TIMEOUT_MILLIS = 60_000

const REFUSAL_BYTES = 64 * 1024 // of its body that are read
const REFUSAL_IDLE_MILLIS = 1000 // without another byte of it

const TEXT = { binary: false }

/**
 * What is used of a socket: the `WebSocket` of `ws` is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Socket {
  readonly readyState: number
  readonly OPEN: number
  readonly bufferedAmount: number
  send(data: string, sent?: (error?: Error) => void): void
  send(data: Uint8Array, options: { readonly binary: boolean }): void
  ping(): void
  close(code: number): void
  terminate(): void
  on(event: "open" | "pong", listener: () => void): unknown
  on(event: "unexpected-response", listener: (request: unknown, response: IncomingMessage) => void): unknown
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown
  on(event: "close", listener: (code: number, reason: Buffer) => void): unknown
}

/**
 * The answer to a handshake that was refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal {
  readonly status: number
  /** The header of that name. */
  readonly retryAfter: string | undefined
  /** As much of the body as came, up to 64 KB. */
  readonly body: string
  /** When it came, in milliseconds of the epoch: for a `retryAfter` that is a date. */
  readonly now: number
}

/**
 * What a line has to know of its provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Host and port, for people. */
  readonly address: string
  readonly errors: Pick<AdapterErrors, "lost" | "tooSlow">
  /** The error of a handshake that was refused. */
  readonly refused: (refusal: Refusal) => BidiError
  /** The error of a connection that the provider closed. */
  readonly closed: (code: number, reason: string) => BidiError
  /** The message for a frame of the user's audio, before and after its base64. ASCII only. */
  readonly audio: { readonly before: string; readonly after: string }
}

/**
 * A connection of which messages of type `In` come.
 *
 * @category models
 * @since 0.1.0
 */
export class WebSocketLine<In> {
  readonly inbox = new Inbox<In, BidiError>(INBOX_CAPACITY, "dropping")
  private readonly options: Options
  private readonly clock: Clock.Clock
  private readonly before: string
  private readonly after: string
  private readonly handshake = Deferred.makeUnsafe<void, BidiError>()
  private readonly ending = Deferred.makeUnsafe<void>()
  private socket: Socket | undefined
  private ended = false
  private alive = true

  /** Bytes of the user's audio that were written. */
  audioBytes = 0

  /** Waits for the handshake. */
  readonly opened = Deferred.await(this.handshake)
  /** Waits for the end. */
  readonly over = Deferred.await(this.ending)

  constructor(options: Options, clock: Clock.Clock) {
    this.options = options
    this.clock = clock
    this.before = options.audio.before
    this.after = options.audio.after
  }

  /** Listens to a socket, and writes to it from now on. */
  attach(socket: Socket): void {
    const { address, closed, errors, refused } = this.options
    this.socket = socket
    socket.on("open", () => Deferred.doneUnsafe(this.handshake, Exit.void))
    socket.on("pong", () => {
      this.alive = true
    })
    socket.on("unexpected-response", (_, response) =>
      readBody(response, (body) => {
        const retryAfter = response.headers["retry-after"]
        const now = this.clock.currentTimeMillisUnsafe()
        this.end(refused({ status: response.statusCode ?? 0, retryAfter, body, now }))
      })
    )
    socket.on("error", (error) => {
      const what = Deferred.isDoneUnsafe(this.handshake) ? "lost the connection to" : "could not connect to"
      this.end(errors.lost(`${what} ${address} (${error.code ?? error.message})`, error.code))
    })
    socket.on("close", (code, reason) => this.end(closed(code, reason.toString("utf8"))))
    if (this.ended) socket.terminate()
  }

  /** Takes a message of the provider. */
  read(message: In): void {
    this.alive = true
    if (!this.inbox.offer(message)) this.end(this.options.errors.tooSlow(INBOX_CAPACITY))
  }

  /** Writes the user's audio; `false` when the line is congested or gone. Never throws. */
  audio(frame: Uint8Array): boolean {
    const { socket } = this
    if (!this.isOpen || socket!.bufferedAmount > WRITE_BUFFER_BYTES) return false
    // as bytes `ws` puts it into one buffer with its header: one write instead of two that are gathered
    socket!.send(Buffer.from(`${this.before}${Base64.encode(frame)}${this.after}`, "latin1"), TEXT)
    this.audioBytes += frame.length
    return true
  }

  /** Writes a message without waiting; `false` when the line is gone. The inbox tells of the end of the line. */
  post(message: object): boolean {
    if (!this.isOpen) return false
    this.socket!.send(JSON.stringify(message))
    return true
  }

  /** Writes messages together and in order, and waits until the last one has left. */
  send(messages: ReadonlyArray<object>): Effect.Effect<void, BidiError> {
    // a socket that is destroyed calls back for everything that has not left
    return Effect.callback<void, BidiError>((resume) => {
      if (!this.isOpen) return resume(this.gone)
      const texts = messages.map((message) => JSON.stringify(message))
      const last = texts.pop()
      if (last === undefined) return resume(Effect.void)
      for (const text of texts) this.socket!.send(text)
      this.socket!.send(last, (error) => resume(error ? this.gone : Effect.void))
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
    this.socket?.terminate()
  }

  /** Ends the line politely: a peer that listens is told. Nobody waits for its answer. */
  close(): void {
    if (this.isOpen) this.socket!.close(1000)
    this.end(this.options.errors.lost("the connection was closed on this side"))
  }

  ping(): void {
    this.socket?.ping()
  }

  /** Whether anything came since this was asked last. */
  isAlive(): boolean {
    const { alive } = this
    this.alive = false
    return alive
  }

  get isOpen(): boolean {
    return !this.ended && this.socket !== undefined && this.socket.readyState === this.socket.OPEN
  }

  /** Fails as everything does that is sent after the end. */
  readonly gone: Effect.Effect<never, BidiError> = Effect.suspend(() =>
    Effect.fail(this.options.errors.lost(`the connection to ${this.options.address} is closed`))
  )
}

/**
 * Opens a line. `dial` makes the socket and attaches it; where it throws, the effect fails with `failure`: what an SDK
 * says may quote headers. The line ends with the scope, also while it is being opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* <In>(
  options: Options,
  dial: (line: WebSocketLine<In>) => void,
  failure: () => BidiError
): Effect.fn.Return<WebSocketLine<In>, BidiError, Scope.Scope> {
  const clock = yield* Clock.Clock
  const line = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocketLine<In>(options, clock)),
    (line) => Effect.sync(() => line.close())
  )
  yield* Effect.try({ try: () => dial(line), catch: failure })
  yield* Watchdog.watch({
    ping: () => line.ping(),
    isAlive: () => line.isAlive(),
    onDead: () => line.end(options.errors.lost(`${options.address} no longer answers`, "dead_peer")),
    opened: line.opened,
    over: line.over
  })
  return line
})

// The body of a refusal says why, as much of it as comes. Calls back at least once.
const readBody = (response: IncomingMessage, onBody: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = () => onBody(Buffer.concat(chunks).toString("utf8"))
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size >= REFUSAL_BYTES) finish()
  })
  response.on("end", finish)
  response.on("error", finish)
  response.on("close", finish)
  response.setTimeout(REFUSAL_IDLE_MILLIS, finish)
}
