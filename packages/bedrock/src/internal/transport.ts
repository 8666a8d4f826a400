/**
 * One bidirectional stream through the SDK. Thin: events in, events out, and exactly one reason for its end.
 *
 * Input is never gated on the SDK's `send`, which answers only when the model has something to say. Whatever goes wrong,
 * the request is aborted: everything else that looks like an end leaves the connection open.
 */
import { watch } from "@effect-bidi/core/adapter/Watchdog"
import { INBOX_CAPACITY } from "@effect-bidi/core/adapter/WebSocketLine"
import { Inbox } from "@effect-bidi/core/adapter/Inbox"
import { InvokeModelWithBidirectionalStreamCommand } from "@aws-sdk/client-bedrock-runtime"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ClientHttp2Stream } from "node:http2"
import type { Account, Identity } from "./account.ts"
import { RequestBody } from "./requestBody.ts"
import { type Client, dial } from "./dial.ts"
import type { Errors } from "./errors.ts"
import type { InputEvent } from "./events.ts"
import { type Inbound, parse } from "./frame.ts"

/**
 * A provider that has the connection for so long and has not refused it has accepted it, headers or not. Where they come
 * with the first event only, everything that is said waits for this; a refusal that takes longer ends the connection.
 */
export const ASSUMED_ACCEPTED_AFTER = "400 millis"

/** How long the last words may take to leave, and the provider to hear them: of the network's time, not of the clock. */
const CLOSE_TIMEOUT_MILLIS = 250

export interface Options {
  readonly account: Account
  readonly keys: Identity
  readonly modelId: string
  readonly errors: Errors
  /** The events that begin the session. */
  readonly opening: ReadonlyArray<InputEvent>
  /** The events that end it. */
  readonly closing: () => ReadonlyArray<InputEvent>
}

/** Connects. The line closes with the scope, also while it is being opened. */
export const open = Effect.fnUntraced(function* (options: Options) {
  const line = yield* Effect.acquireRelease(
    Effect.sync(() => new Line(options)),
    (line) => line.close
  )
  yield* Effect.forkScoped(
    Effect.andThen(line.linked, Effect.andThen(Effect.sleep(ASSUMED_ACCEPTED_AFTER), line.accept))
  )
  yield* watch({
    // A ping would do, but the SDK closes the session to everything new as soon as the stream is open. There is always
    // sound to be sent, though, and a dead network stops taking it.
    ping: () => {},
    isAlive: () => !line.isStuck(),
    onDead: () => line.end(options.errors.lost(`${line.address} no longer takes anything`, "dead_peer")),
    opened: line.accepted,
    over: line.over
  })
  return line
})

/** A class, because every frame of audio passes it (see `WebSocketLine`). */
export class Line {
  readonly inbox = new Inbox<Inbound, BidiError>(INBOX_CAPACITY, "dropping")
  private readonly options: Options
  private readonly acceptance = Deferred.makeUnsafe<void, BidiError>()
  private readonly link = Deferred.makeUnsafe<void>()
  private readonly ending = Deferred.makeUnsafe<void>()
  private readonly body = new RequestBody()
  private readonly abort = new AbortController()
  private readonly unsent = new Set<Deferred.Deferred<void, BidiError>>()
  private readonly client: Client
  private stream: ClientHttp2Stream | undefined
  private trouble: string | undefined
  private ended = false

  /** Waits until the provider has accepted the connection. */
  readonly accepted = Deferred.await(this.acceptance)
  readonly accept = Effect.sync(() => Deferred.doneUnsafe(this.acceptance, Exit.void))
  /** Waits for the network connection. */
  readonly linked = Deferred.await(this.link)
  /** Waits for the end. */
  readonly over = Deferred.await(this.ending)

  constructor(options: Options) {
    this.options = options
    this.client = dial(options.account, options.keys, {
      onHeaders: (status, stream) => {
        this.stream = stream
        if (status === 200) Deferred.doneUnsafe(this.acceptance, Exit.void)
      },
      onLink: () => Deferred.doneUnsafe(this.link, Exit.void),
      onSocketError: (error) => {
        this.trouble ??= error.code ?? error.message
      },
      onWrongFrame: (what) => this.end(options.errors.malformed(`the provider sent ${what}`))
    })
    this.body.send(options.opening, () => {})
    void this.read()
  }

  get address(): string {
    return this.client.address()
  }

  /** Whether something waits to be sent, and nothing has left since this was asked last. */
  isStuck(): boolean {
    return this.body.isStuck()
  }

  /** Whether audio is not taken: too much of it waits, or the line is gone. */
  isFull(): boolean {
    return this.ended || this.body.isFull
  }

  /** Sends an event with audio. */
  audio(event: Uint8Array): void {
    this.body.sound(event)
  }

  /** Sends events together and in order, at once. The effect waits until the last one has left. */
  send(events: ReadonlyArray<InputEvent>): Effect.Effect<void, BidiError> {
    if (this.ended) return Effect.fail(this.gone())
    const sent = Deferred.makeUnsafe<void, BidiError>()
    this.unsent.add(sent)
    this.body.send(events, () => {
      this.unsent.delete(sent)
      Deferred.doneUnsafe(sent, Exit.void)
    })
    return Deferred.await(sent)
  }

  /** Ends the line at once. The first reason counts. */
  end(reason: BidiError): void {
    if (this.finish(reason)) this.destroy()
  }

  /** Ends the line politely, so that the provider frees what it holds for the session; nobody waits longer than that. */
  readonly close = Effect.callback<void>((resume) => {
    const { stream } = this
    const isLive = !this.ended && stream !== undefined && !stream.destroyed
    this.finish(this.options.errors.lost("the connection was closed on this side"))
    const leave = () => {
      clearTimeout(timer)
      stream?.off("close", leave)
      this.destroy()
      resume(Effect.void)
    }
    const timer = setTimeout(leave, CLOSE_TIMEOUT_MILLIS)
    if (!isLive) return leave()
    stream.once("close", leave)
    this.body.end(this.options.closing())
  })

  private async read(): Promise<void> {
    const { errors, modelId } = this.options
    let answered = false
    try {
      const command = new InvokeModelWithBidirectionalStreamCommand({ modelId, body: this.body })
      const response = await this.client.sdk.send(command, { abortSignal: this.abort.signal })
      answered = true
      for await (const { chunk } of response.body ?? []) {
        // to the last event: a stream that is not read does not end
        if (this.ended) continue
        Deferred.doneUnsafe(this.acceptance, Exit.void)
        if (chunk?.bytes === undefined) continue
        if (!this.inbox.offer(parse(chunk.bytes))) return this.end(errors.tooSlow(INBOX_CAPACITY))
      }
      // whatever the reason, to the SDK it looks like this
      this.end(errors.lost(`${this.address} ended the connection${this.because()}`, this.trouble))
    } catch (error) {
      this.end(this.failed(error, answered))
    }
  }

  private failed(error: unknown, answered: boolean): BidiError {
    const { account, errors } = this.options
    const isOpen = answered || Deferred.isDoneUnsafe(this.acceptance)
    const told = `${isOpen ? "lost the connection to" : "could not connect to"} ${this.address}${this.because()}`
    if (isOpen) return errors.ended(error, told, this.trouble)
    return errors.refused(error, told, this.trouble, account.hint)
  }

  private because(): string {
    return this.trouble === undefined ? "" : ` (${this.trouble})`
  }

  private gone(): BidiError {
    return this.options.errors.lost(`the connection to ${this.address} is closed`)
  }

  private finish(reason: BidiError): boolean {
    if (this.ended) return false
    this.ended = true
    this.inbox.done(Exit.fail(reason))
    Deferred.doneUnsafe(this.acceptance, Exit.fail(reason))
    Deferred.doneUnsafe(this.ending, Exit.void)
    for (const sent of this.unsent) Deferred.doneUnsafe(sent, Exit.fail(this.gone()))
    return true
  }

  private destroy(): void {
    this.body.stop()
    this.abort.abort()
    this.client.destroy()
  }
}
