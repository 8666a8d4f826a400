/**
 * Runs a provider's machine alone: virtual time, tones for a voice, a function for ears, no socket.
 */
import * as Effect from "effect/Effect"
import type { Pcm } from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import type { Command, Input, Machine } from "../../src/internal/session/machine.ts"

export interface Close {
  readonly code: number
  readonly reason: string
}

export class Run<State, Event> {
  readonly events: Array<Event> = []
  readonly closes: Array<Close> = []
  readonly #machine: Machine<State>
  readonly #hear: (pcm: Pcm) => string | Error
  readonly #keep: (key: string, value: unknown) => void
  readonly #wakes = new Map<string, number>()
  state: State
  now: number

  constructor(
    machine: Machine<State>,
    options: {
      readonly hear?: ((pcm: Pcm) => string | Error) | undefined
      readonly keep?: ((key: string, value: unknown) => void) | undefined
      readonly now?: number | undefined
    } = {}
  ) {
    this.#machine = machine
    this.#hear = options.hear ?? (() => "")
    this.#keep =
      options.keep ??
      (() => {
        throw new Error("this machine keeps nothing")
      })
    this.now = options.now ?? 0
    const [state, commands] = machine.start(this.now)
    this.state = state
    for (const command of commands) this.#obey(command)
  }

  input(input: Input): void {
    const [state, commands] = this.#machine.step(this.state, input, this.now)
    this.state = state
    for (const command of commands) this.#obey(command)
  }

  #obey(command: Command): void {
    switch (command._tag) {
      case "Send":
        // through JSON, as on the wire
        this.events.push(JSON.parse(JSON.stringify(command.event)) as Event)
        return
      case "Close":
        this.closes.push({ code: command.code, reason: command.reason })
        return
      case "Wake":
        this.#wakes.set(command.key, this.now + command.afterMs)
        return
      case "Forget":
        this.#wakes.delete(command.key)
        return
      case "Synthesize": {
        const speech = Effect.runSync(Voice.tones.speak(command.text, command.style))
        return this.input({ _tag: "Synthesized", key: command.key, speech })
      }
      case "Transcribe": {
        const heard = this.#hear(command.pcm)
        return this.input(
          typeof heard === "string"
            ? { _tag: "Transcribed", key: command.key, text: heard }
            : { _tag: "NotTranscribed", key: command.key, message: heard.message }
        )
      }
      case "Store":
        return this.#keep(command.key, command.value)
    }
  }

  /** Sends client events; answers the server events that they lead to at once. */
  send(...events: ReadonlyArray<object | string>): ReadonlyArray<Event> {
    const before = this.events.length
    for (const event of events) {
      this.input({ _tag: "Text", text: typeof event === "string" ? event : JSON.stringify(event) })
    }
    return this.events.slice(before)
  }

  /** Lets the next wake-up that is due within `ms` happen; false when there is none. */
  wake(ms = Number.POSITIVE_INFINITY): boolean {
    const [next] = [...this.#wakes].sort(([, a], [, b]) => a - b)
    if (next === undefined || next[1] > this.now + ms) return false
    this.#wakes.delete(next[0])
    this.now = Math.max(this.now, next[1])
    this.input({ _tag: "Woken", key: next[0] })
    return true
  }

  /** Lets `ms` pass; answers what was sent meanwhile. */
  pass(ms: number): ReadonlyArray<Event> {
    const before = this.events.length
    const until = this.now + ms
    while (this.wake(until - this.now));
    this.now = until
    return this.events.slice(before)
  }

  /** Lets time pass as long as `isBusy`; answers what was sent meanwhile. */
  passWhile(isBusy: () => boolean): ReadonlyArray<Event> {
    const before = this.events.length
    while (isBusy() && this.wake());
    return this.events.slice(before)
  }
}
