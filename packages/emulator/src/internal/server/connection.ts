/**
 * One connection: runs a provider's machine on a transport.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type { Entry } from "../../Emulator.ts"
import type { Fault } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import { tones } from "../../Voice.ts"
import type { Voice } from "../../Voice.ts"
import * as Link from "./link.ts"
import type { Command, Input, Machine } from "../session/machine.ts"
import { toMessage } from "./message.ts"
import type { Provider } from "./provider.ts"
import type { Incoming, Transport } from "./transport.ts"

/** A connection as the control sees it. */
export interface Connection {
  readonly id: number
  /** Whether it is open and not being closed. */
  readonly isOpen: () => boolean
  /** Arms the faults; those without a trigger happen before this returns. */
  readonly inject: (faults: ReadonlyArray<Fault>) => void
  readonly dispatch: (input: Input) => void
  /** Reads and writes again after a stall. */
  readonly unstall: () => void
}

export interface Options<State> {
  readonly id: number
  readonly transport: Transport
  readonly provider: Pick<Provider<never>, "typesOf" | "blobOf" | "complete">
  readonly machine: Machine<State>
  readonly voice: Effect.Effect<Voice>
  readonly hear: (pcm: Pcm) => Effect.Effect<string>
  readonly keep: (key: string, value: unknown) => void
  readonly faults: ReadonlyArray<Fault>
  readonly isHeld: boolean
  readonly append: (entry: Entry) => void
  readonly keepAudio: boolean
  readonly pingEvery: Duration.Duration
  /** Called once the connection can be controlled, before anything is sent. */
  readonly onOpen: (connection: Connection) => void
}

/** Runs until either side closes the transport or the fiber is interrupted. */
export const run = Effect.fnUntraced(function* <State>(options: Options<State>) {
  const { append, id, keepAudio, machine, provider, transport } = options
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  // the provider's clock may be wrong
  const skew = options.faults.reduce((sum, fault) => sum + (fault._tag === "ClockSkew" ? fault.millis : 0), 0)
  const closed = yield* Deferred.make<void>()
  const jobs = yield* FiberSet.make()
  const start = yield* FiberSet.runtime(jobs)<never>()
  const timers = new Map<string, Fiber.Fiber<unknown>>()
  const record = (kind: "received" | "sent", event: unknown) => {
    const message = toMessage({ kind, connection: id, at: now(), event, keepAudio, wording: provider })
    append(message)
    return message
  }

  // the machine handles one input at a time; inputs from its commands are queued
  let state: State
  const inbox: Array<Input> = []
  let isBusy = false
  const dispatch = (input: Input): void => {
    inbox.push(input)
    if (isBusy) return
    isBusy = true
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      if (link.isOver()) continue
      for (const command of step(next)) obey(command)
    }
    isBusy = false
  }
  const link = Link.make({ transport, provider, now, record, start, dispatch })
  const step = (input: Input): ReadonlyArray<Command> => {
    try {
      const [after, commands] = machine.step(state, input, now() + skew)
      state = after
      return commands
    } catch (error) {
      // a reply that is not JSON, or a bug: only this connection ends
      return [{ _tag: "Close", code: 1011, reason: String(error) }]
    }
  }

  const forget = (key: string): void => {
    timers.get(key)?.interruptUnsafe()
    timers.delete(key)
  }
  const wake = (key: string, afterMs: number): void => {
    forget(key)
    // without a delay, yield all the same: client events are handled between two deltas
    const pause = afterMs <= 0 ? Effect.yieldNow : Effect.sleep(afterMs)
    const woken = Effect.sync(() => {
      timers.delete(key)
      dispatch({ _tag: "Woken", key })
    })
    timers.set(key, start(Effect.andThen(pause, woken)))
  }
  const speak = ({ key, style, text }: Extract<Command, { _tag: "Synthesize" }>): Effect.Effect<void> =>
    Effect.flatMap(options.voice, (voice) => voice.speak(text, style)).pipe(
      // a voice that fails must not leave a reply without an end
      Effect.catchCause(() => tones.speak(text, style)),
      Effect.map((speech) => dispatch({ _tag: "Synthesized", key, speech }))
    )
  const listen = ({ key, pcm }: Extract<Command, { _tag: "Transcribe" }>): Effect.Effect<void> =>
    Effect.suspend(() => options.hear(pcm)).pipe(
      Effect.map((text): Input => ({ _tag: "Transcribed", key, text })),
      Effect.catchCause((cause) =>
        Effect.succeed<Input>({ _tag: "NotTranscribed", key, message: String(Cause.squash(cause)) })
      ),
      Effect.map(dispatch)
    )
  const obey = (command: Command): void => {
    switch (command._tag) {
      case "Send":
        return link.send(command.event)
      case "Close":
        return link.close(command.code, command.reason)
      case "Wake":
        return wake(command.key, command.afterMs)
      case "Forget":
        return forget(command.key)
      case "Synthesize":
        return void start(speak(command))
      case "Transcribe":
        return void start(listen(command))
      case "Store":
        return options.keep(command.key, command.value)
    }
  }

  const onMessage = ({ input, shown }: Incoming): void => {
    if (link.isOver() || link.isStalled()) return
    // the end of the input is not a message
    if (input._tag !== "Ended") link.received(record("received", shown).types)
    if (!link.isStalled()) dispatch(input)
  }
  const onClose = (code: number, reason: string): void => {
    link.cut()
    append({ kind: "closed", connection: id, at: now(), code, reason })
    Deferred.doneUnsafe(closed, Effect.void)
  }

  yield* Effect.acquireRelease(
    Effect.sync(() => transport.open({ message: onMessage, closed: onClose })),
    () =>
      Effect.sync(() => {
        link.cut()
        transport.dispose()
      })
  )
  yield* Effect.sleep(options.pingEvery).pipe(Effect.andThen(Effect.sync(link.ping)), Effect.forever, Effect.forkScoped)

  const [initial, commands] = machine.start(now() + skew)
  state = initial
  options.onOpen({
    id,
    isOpen: () => !link.isOver() && transport.isOpen(),
    inject: link.inject,
    dispatch,
    unstall: link.unstall
  })
  if (options.isHeld) dispatch({ _tag: "Hold" })
  link.inject(options.faults)
  link.accept()
  for (const command of commands) obey(command)
  if (!link.isStalled()) transport.resume()
  yield* Deferred.await(closed)
}, Effect.scoped)
