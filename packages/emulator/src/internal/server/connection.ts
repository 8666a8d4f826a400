/**
 * One connection: runs a provider's machine on a wire.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type { Fault } from "../../Fault.ts"
import type { Pcm } from "../../Pcm.ts"
import { tones } from "../../Voice.ts"
import type { Voice } from "../../Voice.ts"
import type { Journal } from "./log.ts"
import * as Line from "./link.ts"
import type { Command, Input, Machine } from "../session/machine.ts"
import { toMessage } from "./message.ts"
import type { Provider } from "./provider.ts"
import type { Incoming, Wire } from "./transport.ts"

/** A connection as the control sees it. */
export interface Connection {
  readonly id: number
  /** Whether it can still be talked over; a connection that is being closed cannot. */
  readonly isOpen: () => boolean
  /** Arms the faults; those without a trigger happen before this returns. */
  readonly inject: (faults: ReadonlyArray<Fault>) => void
  readonly dispatch: (input: Input) => void
  /** Reads and writes again after a stall. */
  readonly unstall: () => void
}

export interface Options<State> {
  readonly id: number
  readonly wire: Wire
  readonly provider: Pick<Provider<never>, "typesOf" | "blobOf" | "complete">
  readonly machine: Machine<State>
  readonly voice: Effect.Effect<Voice>
  readonly hear: (pcm: Pcm) => Effect.Effect<string>
  readonly keep: (key: string, value: unknown) => void
  readonly faults: ReadonlyArray<Fault>
  readonly isHeld: boolean
  readonly journal: Journal
  readonly keepAudio: boolean
  readonly pingEvery: Duration.Duration
  /** Called once the connection can be controlled, before anything is sent. */
  readonly onOpen: (connection: Connection) => void
}

/** Runs until the wire is closed by either side, or the fiber is interrupted; then nothing of it is left. */
export const run = Effect.fnUntraced(function* <State>(options: Options<State>) {
  const { id, journal, keepAudio, machine, provider, wire } = options
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  // the clock of the provider, as the machine sees it
  const skew = options.faults.reduce((sum, fault) => sum + (fault._tag === "ClockSkew" ? fault.millis : 0), 0)
  const closed = yield* Deferred.make<void>()
  const jobs = yield* FiberSet.make()
  const start = yield* FiberSet.runtime(jobs)<never>()
  const timers = new Map<string, Fiber.Fiber<unknown>>()
  const record = (kind: "received" | "sent", event: unknown) => {
    const message = toMessage({ kind, connection: id, at: now(), event, keepAudio, wording: provider })
    journal.append(message)
    return message
  }

  // the machine takes one input at a time: what its commands lead to waits in line
  let state: State
  const inbox: Array<Input> = []
  let isBusy = false
  const dispatch = (input: Input): void => {
    inbox.push(input)
    if (isBusy) return
    isBusy = true
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      if (line.isOver()) continue
      for (const command of step(next)) obey(command)
    }
    isBusy = false
  }
  const line = Line.make({ wire, provider, now, record, start, dispatch })
  const step = (input: Input): ReadonlyArray<Command> => {
    try {
      const [after, commands] = machine.step(state, input, now() + skew)
      state = after
      return commands
    } catch (error) {
      // a reply that cannot be written as JSON, or a fault of our own: this connection ends, the program does not
      return [{ _tag: "Close", code: 1011, reason: String(error) }]
    }
  }

  const forget = (key: string): void => {
    timers.get(key)?.interruptUnsafe()
    timers.delete(key)
  }
  const wake = (key: string, afterMs: number): void => {
    forget(key)
    // a delay of nothing is still a turn of the loop: clients get a word in between two deltas
    const pause = afterMs <= 0 ? Effect.yieldNow : Effect.sleep(afterMs)
    const woken = Effect.sync(() => {
      timers.delete(key)
      dispatch({ _tag: "Woken", key })
    })
    timers.set(key, start(Effect.andThen(pause, woken)))
  }
  const speak = ({ key, style, text }: Extract<Command, { _tag: "Speak" }>): Effect.Effect<void> =>
    Effect.flatMap(options.voice, (voice) => voice.speak(text, style)).pipe(
      // a voice that breaks must not leave a reply without an end
      Effect.catchCause(() => tones.speak(text, style)),
      Effect.map((speech) => dispatch({ _tag: "Spoken", key, speech }))
    )
  const listen = ({ key, pcm }: Extract<Command, { _tag: "Listen" }>): Effect.Effect<void> =>
    Effect.suspend(() => options.hear(pcm)).pipe(
      Effect.map((text): Input => ({ _tag: "Heard", key, text })),
      Effect.catchCause((cause) =>
        Effect.succeed<Input>({ _tag: "NotHeard", key, message: String(Cause.squash(cause)) })
      ),
      Effect.map(dispatch)
    )
  const obey = (command: Command): void => {
    switch (command._tag) {
      case "Send":
        return line.send(command.event)
      case "Close":
        return line.close(command.code, command.reason)
      case "Wake":
        return wake(command.key, command.afterMs)
      case "Forget":
        return forget(command.key)
      case "Speak":
        return void start(speak(command))
      case "Listen":
        return void start(listen(command))
      case "Keep":
        return options.keep(command.key, command.value)
    }
  }

  const onMessage = ({ input, shown }: Incoming): void => {
    if (line.isOver() || line.isStalled()) return
    // the end of the input is no message
    if (input._tag !== "Ended") line.received(record("received", shown).types)
    if (!line.isStalled()) dispatch(input)
  }
  const onClose = (code: number, reason: string): void => {
    line.cut()
    journal.append({ kind: "closed", connection: id, at: now(), code, reason })
    Deferred.doneUnsafe(closed, Effect.void)
  }

  yield* Effect.acquireRelease(
    Effect.sync(() => wire.open({ message: onMessage, closed: onClose })),
    () =>
      Effect.sync(() => {
        line.cut()
        wire.dispose()
      })
  )
  yield* Effect.sleep(options.pingEvery).pipe(Effect.andThen(Effect.sync(line.ping)), Effect.forever, Effect.forkScoped)

  const [initial, commands] = machine.start(now() + skew)
  state = initial
  options.onOpen({
    id,
    isOpen: () => !line.isOver() && wire.isOpen(),
    inject: line.inject,
    dispatch,
    unstall: line.unstall
  })
  if (options.isHeld) dispatch({ _tag: "Hold" })
  line.inject(options.faults)
  line.greet()
  for (const command of commands) obey(command)
  if (!line.isStalled()) wire.resume()
  yield* Deferred.await(closed)
}, Effect.scoped)
