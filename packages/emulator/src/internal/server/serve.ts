/**
 * An emulator around a provider's machine: the server, its connections, the log and the control over them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import * as Assistant from "../../Assistant.ts"
import type { Emulator, Options } from "../../Emulator.ts"
import { isRefusal } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import * as Connection from "./connection.ts"
import * as Plans from "./control.ts"
import * as Journal from "./log.ts"
import * as Observer from "./observe.ts"
import type { Kept, Provider } from "./provider.ts"
import { HttpRequests } from "./httpRequests.ts"
import { makeEars, makeVoice } from "./speechServices.ts"
import type { Handshake, Refused, Wire } from "./transport.ts"

/** Things put by for later connections that are remembered, the newest ones. */
const mostKept = 1000

/** A key may stand in an address; it has no place in a log. */
const withoutKey = (url: string): string => url.replace(/([?&](?:key|access_token)=)[^&]*/g, "$1...")

/** Listens until the scope closes. */
export const serve = Effect.fnUntraced(function* <State>(provider: Provider<State>, options: Options) {
  const host = options.host ?? "127.0.0.1"
  const respond = yield* HttpRequests
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const now = () => clock.currentTimeMillisUnsafe()
  const journal = Journal.make(options.log?.entries ?? 10_000)
  const { append, awaitMessage, messages } = Observer.make(journal)
  const running = yield* FiberSet.make()
  const start = yield* FiberSet.runtime(running)<never>()
  const voice = yield* makeVoice(options.voice ?? "auto")
  const ears = yield* makeEars(voice, options)
  const live = new Map<number, Connection.Connection>()
  const kept = new Map<string, { value: unknown; at: number; connection: number }>()
  const plans = Plans.make(live, provider, options.faults ?? [])
  let opened = 0

  const assistant: Assistant.Assistant = (prompt) =>
    plans.takeReply() ?? (options.assistant ?? Assistant.scripted)(prompt)
  const hear = (pcm: Pcm) =>
    Effect.suspend(() => {
      const words = plans.takeWords()
      return words === undefined ? ears(pcm) : Effect.succeed(words)
    })
  const keep = (key: string, one: { value: unknown; at: number; connection: number }): void => {
    kept.delete(key)
    kept.set(key, one)
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  }
  const recall = (key: string): Kept | undefined => {
    const found = kept.get(key)
    if (found === undefined) return undefined
    return { value: found.value, at: found.at, isLive: live.get(found.connection)?.isOpen() === true }
  }

  const onHandshake = (handshake: Handshake): Refused | ((wire: Wire) => void) => {
    const connection = ++opened
    const faults = plans.takeFaults()
    const url = withoutKey(handshake.url ?? "/")
    const at = now()
    const refusal = faults.find(isRefusal)
    const seed = options.seed === undefined ? random.nextIntUnsafe() >>> 0 : options.seed + connection
    const accept = () => {
      try {
        return provider.accept(handshake, { seed, assistant, recall })
      } catch (error) {
        // an address that cannot be read
        return { status: 400, headers: {}, body: { error: { message: String(error) } } }
      }
    }
    const decision = refusal === undefined ? accept() : provider.refuse(refusal)
    if ("status" in decision) {
      append({ kind: "refused", connection, at, url, status: decision.status })
      return decision
    }
    return (wire) => {
      const run = Connection.run({
        id: connection,
        wire,
        provider,
        machine: decision,
        voice,
        hear,
        keep: (key, value) => keep(key, { value, at: now(), connection }),
        faults,
        isHeld: plans.isHeld(),
        journal: { ...journal, append },
        keepAudio: options.log?.audio ?? false,
        pingEvery: Duration.fromInputUnsafe(options.pingEvery ?? "20 seconds"),
        onOpen: (one) => {
          live.set(connection, one)
          append({ kind: "opened", connection, at, url })
        }
      })
      const gone = Effect.sync(() => {
        live.delete(connection)
        journal.nudge()
      })
      start(Effect.ensuring(run, gone))
    }
  }

  yield* plans.checked
  const listener = yield* provider.listen({
    host,
    port: options.port ?? 0,
    maxPayload: options.maxPayload ?? 16 * 1024 * 1024,
    onHandshake,
    onRequest: (request, response) =>
      respond(request, response, { control: plans.control, log: journal.entries, start }),
    onSockets: journal.nudge
  })
  // after the listener, so that it is closed before it: no connection outlives its fiber
  yield* Effect.addFinalizer(() => FiberSet.clear(running))
  const emulator: Emulator = {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}${provider.basePath}`,
    host,
    port: listener.port,
    log: Effect.sync(journal.entries),
    received: (connection) => Effect.sync(() => messages("received", connection)),
    sent: (connection) => Effect.sync(() => messages("sent", connection)),
    entries: journal.stream,
    awaitEntry: (fits) => journal.waitFor(() => journal.entries().find(fits)),
    awaitReceived: (type, times = 1) => awaitMessage("received", type, times),
    awaitSent: (type, times = 1) => awaitMessage("sent", type, times),
    connections: Effect.sync(() => live.size),
    awaitConnections: (count) => Effect.asVoid(journal.waitFor(() => (live.size === count ? true : undefined))),
    sockets: Effect.sync(listener.sockets),
    awaitSockets: (count) => Effect.asVoid(journal.waitFor(() => (listener.sockets() === count ? true : undefined))),
    control: plans.control
  }
  return emulator
})
