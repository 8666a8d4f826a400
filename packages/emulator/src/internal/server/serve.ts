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
import * as Log from "./log.ts"
import type { Stored, Provider } from "./provider.ts"
import { HttpRequests } from "./httpRequests.ts"
import { makeTranscriber, makeVoice } from "./speechServices.ts"
import type { Handshake, Refused, Transport } from "./transport.ts"

/** How many things are stored for later connections. */
const MAX_STORED = 1000

/** Keys in the URL are not logged. */
const withoutKey = (url: string): string => url.replace(/([?&](?:key|access_token)=)[^&]*/g, "$1...")

/** Listens until the scope closes. */
export const serve = Effect.fnUntraced(function* <State>(provider: Provider<State>, options: Options) {
  const host = options.host ?? "127.0.0.1"
  const respond = yield* HttpRequests
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const now = () => clock.currentTimeMillisUnsafe()
  const log = Log.make(options.log?.entries ?? 10_000)
  const { append, awaitMessage, messages } = log
  const running = yield* FiberSet.make()
  const start = yield* FiberSet.runtime(running)<never>()
  const voice = yield* makeVoice(options.voice ?? "auto")
  const transcribe = yield* makeTranscriber(voice, options)
  const live = new Map<number, Connection.Connection>()
  const kept = new Map<string, { value: unknown; at: number; connection: number }>()
  const plans = Plans.make(live, provider, options.faults ?? [])
  let opened = 0

  const assistant: Assistant.Assistant = (prompt) =>
    plans.takeReply() ?? (options.assistant ?? Assistant.scripted)(prompt)
  const hear = (pcm: Pcm) =>
    Effect.suspend(() => {
      const planned = plans.takeTranscript()
      return planned === undefined ? transcribe(pcm) : Effect.succeed(planned)
    })
  const keep = (key: string, one: { value: unknown; at: number; connection: number }): void => {
    kept.delete(key)
    kept.set(key, one)
    if (kept.size > MAX_STORED) kept.delete(kept.keys().next().value!)
  }
  const lookup = (key: string): Stored | undefined => {
    const found = kept.get(key)
    if (found === undefined) return undefined
    return { value: found.value, at: found.at, isLive: live.get(found.connection)?.isOpen() === true }
  }

  const onHandshake = (handshake: Handshake): Refused | ((transport: Transport) => void) => {
    const connection = ++opened
    const faults = plans.takeFaults()
    const url = withoutKey(handshake.url ?? "/")
    const at = now()
    const refusal = faults.find(isRefusal)
    const seed = options.seed === undefined ? random.nextIntUnsafe() >>> 0 : options.seed + connection
    const accept = () => {
      try {
        return provider.accept(handshake, { seed, assistant, lookup })
      } catch (error) {
        // a URL that is not valid
        return { status: 400, headers: {}, body: { error: { message: String(error) } } }
      }
    }
    const decision = refusal === undefined ? accept() : provider.refuse(refusal)
    if ("status" in decision) {
      append({ kind: "refused", connection, at, url, status: decision.status })
      return decision
    }
    return (transport) => {
      const run = Connection.run({
        id: connection,
        transport,
        provider,
        machine: decision,
        voice,
        hear,
        keep: (key, value) => keep(key, { value, at: now(), connection }),
        faults,
        isHeld: plans.isHeld(),
        append,
        keepAudio: options.log?.audio ?? false,
        pingEvery: Duration.fromInputUnsafe(options.pingEvery ?? "20 seconds"),
        onOpen: (one) => {
          live.set(connection, one)
          append({ kind: "opened", connection, at, url })
        }
      })
      const gone = Effect.sync(() => {
        live.delete(connection)
        log.notify()
      })
      start(Effect.ensuring(run, gone))
    }
  }

  yield* plans.checkInitialFaults
  const listener = yield* provider.listen({
    host,
    port: options.port ?? 0,
    maxPayload: options.maxPayload ?? 16 * 1024 * 1024,
    onHandshake,
    onRequest: (request, response) => respond(request, response, { control: plans.control, log: log.entries, start }),
    onSockets: log.notify
  })
  // added after the listener, so that the connections end before it does
  yield* Effect.addFinalizer(() => FiberSet.clear(running))
  const emulator: Emulator = {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}${provider.basePath}`,
    host,
    port: listener.port,
    log: Effect.sync(log.entries),
    received: (connection) => Effect.sync(() => messages("received", connection)),
    sent: (connection) => Effect.sync(() => messages("sent", connection)),
    entries: log.stream,
    awaitEntry: (fits) => log.waitFor(() => log.entries().find(fits)),
    awaitReceived: (type, times = 1) => awaitMessage("received", type, times),
    awaitSent: (type, times = 1) => awaitMessage("sent", type, times),
    connections: Effect.sync(() => live.size),
    awaitConnections: (count) => Effect.asVoid(log.waitFor(() => (live.size === count ? true : undefined))),
    sockets: Effect.sync(listener.sockets),
    awaitSockets: (count) => Effect.asVoid(log.waitFor(() => (listener.sockets() === count ? true : undefined))),
    control: plans.control
  }
  return emulator
})
