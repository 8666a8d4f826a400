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
import { Body } from "./body.ts"
import { dial } from "./dial.ts"
import type { Errors } from "./errors.ts"
import type { InputEvent } from "./events.ts"
import { type Inbound, parse } from "./frame.ts"

/**
 * A provider that has the connection for so long and has not refused it has accepted it, headers or not. Where they come
 * with the first event only, everything that is said waits for this; a refusal that takes longer ends the connection.
 */
export const GRACE = "400 millis"

/** How long the last words may take to leave, and the provider to hear them, in milliseconds of the network's time. */
const FAREWELL = 250

export interface Line {
  readonly inbox: Inbox<Inbound, BidiError>
  /** Waits until the provider has accepted the connection. */
  readonly accepted: Effect.Effect<void, BidiError>
  /** Sends events together and in order, at once. The effect waits until the last one has left. */
  readonly send: (events: ReadonlyArray<InputEvent>) => Effect.Effect<void, BidiError>
  /** Sound is not taken: too much of it waits, or the line is gone. */
  readonly isFull: () => boolean
  readonly sound: (event: Uint8Array) => void
  /** Ends the line at once. The first reason counts. */
  readonly end: (reason: BidiError) => void
}

export interface Call {
  readonly account: Account
  readonly keys: Identity
  readonly modelId: string
  readonly errors: Errors
  /** The events that begin the session. */
  readonly opening: ReadonlyArray<InputEvent>
  /** The events that end it. */
  readonly closing: () => ReadonlyArray<InputEvent>
}

/** Dials. The line closes with the scope, also while it is being opened. */
export const open = Effect.fnUntraced(function* (call: Call) {
  const inbox = new Inbox<Inbound, BidiError>(INBOX_CAPACITY, "dropping")
  const accepted = yield* Deferred.make<void, BidiError>()
  const linked = yield* Deferred.make<void>()
  const over = yield* Deferred.make<void>()
  const { errors } = call
  const { address, isStuck, line } = yield* Effect.acquireRelease(
    Effect.sync(() => begin(call, { accepted, inbox, linked, over })),
    ({ hangUp }) => hangUp
  )
  yield* Effect.forkScoped(
    Effect.andThen(Deferred.await(linked), Effect.andThen(Effect.sleep(GRACE), Deferred.succeed(accepted, undefined)))
  )
  yield* watch({
    // A ping would do, but the SDK closes the session to everything new as soon as the stream is open. There is always
    // sound to be sent, though, and a dead network stops taking it.
    ping: () => {},
    isAlive: () => !isStuck(),
    onDead: () => line.end(errors.lost(`${address()} no longer takes anything`, "dead_peer")),
    opened: Deferred.await(accepted),
    over: Deferred.await(over)
  })
  return line
})

interface Wiring {
  readonly inbox: Inbox<Inbound, BidiError>
  readonly accepted: Deferred.Deferred<void, BidiError>
  readonly linked: Deferred.Deferred<void>
  readonly over: Deferred.Deferred<void>
}

const begin = (
  { account, closing, errors, keys, modelId, opening }: Call,
  { accepted, inbox, linked, over }: Wiring
) => {
  const body = new Body()
  const abort = new AbortController()
  const unsent = new Set<Deferred.Deferred<void, BidiError>>()
  let stream: ClientHttp2Stream | undefined
  let trouble: string | undefined
  let ended = false

  const phone = dial(account, keys, {
    onHeaders: (status, http) => {
      stream = http
      if (status === 200) Deferred.doneUnsafe(accepted, Exit.void)
    },
    onLink: () => Deferred.doneUnsafe(linked, Exit.void),
    onSocketError: (error) => {
      trouble ??= error.code ?? error.message
    },
    onWrongFrame: (what) => end(errors.malformed(`the provider sent ${what}`))
  })

  const destroy = (): void => {
    body.stop()
    abort.abort()
    phone.destroy()
  }

  const finish = (reason: BidiError): boolean => {
    if (ended) return false
    ended = true
    inbox.done(Exit.fail(reason))
    Deferred.doneUnsafe(accepted, Exit.fail(reason))
    Deferred.doneUnsafe(over, Exit.void)
    for (const sent of unsent) Deferred.doneUnsafe(sent, Exit.fail(gone()))
    return true
  }

  const end = (reason: BidiError): void => {
    if (finish(reason)) destroy()
  }

  const gone = () => errors.lost(`the connection to ${phone.address()} is closed`)

  const because = () => (trouble === undefined ? "" : ` (${trouble})`)

  const failed = (error: unknown, answered: boolean): BidiError => {
    const isOpen = answered || Deferred.isDoneUnsafe(accepted)
    const told = `${isOpen ? "lost the connection to" : "could not connect to"} ${phone.address()}${because()}`
    if (isOpen) return errors.ended(error, told, trouble)
    return errors.refused(error, told, trouble, account.hint)
  }

  const read = async (): Promise<void> => {
    let answered = false
    try {
      const command = new InvokeModelWithBidirectionalStreamCommand({ modelId, body })
      const response = await phone.client.send(command, { abortSignal: abort.signal })
      answered = true
      for await (const { chunk } of response.body ?? []) {
        // to the last event: a stream that is not read does not end
        if (ended) continue
        Deferred.doneUnsafe(accepted, Exit.void)
        if (chunk?.bytes === undefined) continue
        if (!inbox.offer(parse(chunk.bytes))) return end(errors.tooSlow(INBOX_CAPACITY))
      }
      // whatever the reason, to the SDK it looks like this
      end(errors.lost(`${phone.address()} ended the connection${because()}`, trouble))
    } catch (error) {
      end(failed(error, answered))
    }
  }

  body.send(opening, () => {})
  void read()

  const line: Line = {
    inbox,
    accepted: Deferred.await(accepted),
    send: (events) => {
      if (ended) return Effect.fail(gone())
      const sent = Deferred.makeUnsafe<void, BidiError>()
      unsent.add(sent)
      body.send(events, () => {
        unsent.delete(sent)
        Deferred.doneUnsafe(sent, Exit.void)
      })
      return Deferred.await(sent)
    },
    isFull: () => ended || body.isFull,
    sound: (event) => body.sound(event),
    end
  }

  // Polite to a provider that listens, so that it frees what it holds for the session; nobody waits longer than that.
  const hangUp = Effect.callback<void>((resume) => {
    const http = stream
    const isLive = !ended && http !== undefined && !http.destroyed
    finish(errors.lost("the connection was closed on this side"))
    const leave = () => {
      clearTimeout(timer)
      http?.off("close", leave)
      destroy()
      resume(Effect.void)
    }
    const timer = setTimeout(leave, FAREWELL)
    if (!isLive) return leave()
    http.once("close", leave)
    body.end(closing())
  })

  return { line, hangUp, address: phone.address, isStuck: () => body.isStuck() }
}
