/**
 * An emulator around a provider's machine: the server, its connections, the log and the control over them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { IncomingMessage } from "node:http"
import type { WebSocket } from "ws"
import * as Assistant from "../../Assistant.ts"
import type { Control, Emulator, Entry, Message, Options } from "../../Emulator.ts"
import { isRefusal } from "../../Fault.ts"
import type { Fault, Refusal } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import * as Connection from "./connection.ts"
import { makeEars, makeVoice } from "./senses.ts"
import * as Journal from "./journal.ts"
import { listen } from "./listen.ts"
import type { Refused } from "./listen.ts"
import type { Machine } from "./machine.ts"
import { respond } from "./httpControl.ts"

/** What tells one provider from another. */
export interface Provider<State> {
  /** Path behind the address that clients are given. */
  readonly basePath: string
  /** Why a handshake is refused, or the machine of the new connection. */
  readonly accept: (request: IncomingMessage, seed: number, assistant: Assistant.Assistant) => Refused | Machine<State>
  /** The answer that a refusal on demand gives. */
  readonly refuse: (refusal: Refusal) => Refused
}

const urlOf = (request: IncomingMessage): string => request.url ?? "/"

/** Listens until the scope closes. */
export const serve = Effect.fnUntraced(function* <State>(provider: Provider<State>, options: Options) {
  const host = options.host ?? "127.0.0.1"
  const keepAudio = options.log?.audio ?? false
  const clock = yield* Clock.Clock
  const journal = Journal.make(options.log?.entries ?? 10_000)
  const running = yield* FiberSet.make()
  const start = yield* FiberSet.runtime(running)<never>()
  const voice = yield* makeVoice(options.voice ?? "auto")
  const ears = yield* makeEars(voice, options)

  const live = new Map<number, Connection.Connection>()
  const replies: Array<Assistant.Reply> = []
  const words: Array<string> = []
  const counts = new Map<string, { readonly count: number; readonly last: Message }>()
  let opened = 0
  let next: Array<Fault> = []
  let every: ReadonlyArray<Fault> = options.faults ?? []
  let isHeld = false

  const log = (entry: Entry): void => {
    if (entry.kind === "received" || entry.kind === "sent") {
      const key = `${entry.kind} ${entry.type}`
      counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, last: entry })
    }
    journal.append(entry)
  }
  const assistant: Assistant.Assistant = (prompt) => replies.shift() ?? (options.assistant ?? Assistant.reply)(prompt)
  const hear = (pcm: Pcm) => Effect.suspend(() => (words.length > 0 ? Effect.succeed(words.shift()!) : ears(pcm)))

  const onHandshake = (request: IncomingMessage): Refused | ((socket: WebSocket) => void) => {
    const connection = ++opened
    const faults = [...every, ...next]
    next = []
    const url = urlOf(request)
    const at = clock.currentTimeMillisUnsafe()
    const refusal = faults.find(isRefusal)
    const seed = options.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : options.seed + connection
    const decision = refusal === undefined ? provider.accept(request, seed, assistant) : provider.refuse(refusal)
    if ("status" in decision) {
      log({ kind: "refused", connection, at, url, status: decision.status })
      return decision
    }
    return (socket) => {
      const run = Connection.run({
        id: connection,
        socket,
        machine: decision,
        voice,
        hear,
        faults,
        isHeld,
        journal: { ...journal, append: log },
        keepAudio,
        pingEvery: Duration.fromInputUnsafe(options.pingEvery ?? "20 seconds"),
        onOpen: (one) => {
          live.set(connection, one)
          log({ kind: "opened", connection, at, url })
        }
      })
      const gone = Effect.sync(() => {
        live.delete(connection)
        journal.nudge()
      })
      start(Effect.ensuring(run, gone))
    }
  }

  const control: Control = {
    onNextConnection: (...faults) => Effect.sync(() => void next.push(...faults)),
    onEveryConnection: (...faults) => Effect.sync(() => void (every = [...every, ...faults])),
    inject: (...faults) =>
      Effect.sync(() => {
        for (const connection of live.values()) connection.inject(faults)
        return live.size
      }),
    reset: Effect.sync(() => {
      next = []
      every = []
    }),
    reply: (reply) => Effect.sync(() => void replies.push(reply)),
    hear: (text) => Effect.sync(() => void words.push(text)),
    hold: Effect.sync(() => {
      isHeld = true
      for (const connection of live.values()) connection.dispatch({ _tag: "Hold" })
    }),
    release: Effect.sync(() => {
      isHeld = false
      for (const connection of live.values()) connection.dispatch({ _tag: "Release" })
    }),
    thaw: Effect.sync(() => {
      for (const connection of live.values()) connection.thaw()
    }),
    expireIn: (duration) =>
      Effect.sync(() => {
        const millis = Duration.toMillis(duration)
        for (const connection of live.values()) {
          connection.inject([{ _tag: "Expire", at: { _tag: "Elapsed", millis } }])
        }
      })
  }

  const messages = (kind: Message["kind"], connection: number | undefined) =>
    journal
      .entries()
      .filter(
        (entry): entry is Message =>
          entry.kind === kind && (connection === undefined || entry.connection === connection)
      )
  const awaitMessage = (kind: Message["kind"], type: string, times = 1) =>
    journal.waitFor(() => {
      const { count, last } = counts.get(`${kind} ${type}`) ?? { count: 0, last: undefined }
      if (count < times) return undefined
      const kept = messages(kind, undefined).filter((message) => message.type === type)
      // lines that the log has let go of are still counted
      return kept[Math.max(0, times - 1 - (count - kept.length))] ?? last
    })

  const connections = Effect.sync(() => live.size)
  const port = yield* listen({
    host,
    port: options.port ?? 0,
    maxPayload: options.maxPayload ?? 16 * 1024 * 1024,
    onHandshake,
    onRequest: (request, response) => respond(request, response, { control, log: journal.entries, start })
  })
  // after the listener, so that it is closed before it: no connection outlives its fiber
  yield* Effect.addFinalizer(() => FiberSet.clear(running))
  const emulator: Emulator = {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}${provider.basePath}`,
    host,
    port,
    log: Effect.sync(journal.entries),
    received: (connection) => Effect.sync(() => messages("received", connection)),
    sent: (connection) => Effect.sync(() => messages("sent", connection)),
    entries: journal.stream,
    awaitEntry: (fits) => journal.waitFor(() => journal.entries().find(fits)),
    awaitReceived: (type, times) => awaitMessage("received", type, times),
    awaitSent: (type, times) => awaitMessage("sent", type, times),
    connections,
    awaitConnections: (count) => Effect.asVoid(journal.waitFor(() => (live.size === count ? true : undefined))),
    control
  }
  return emulator
})
