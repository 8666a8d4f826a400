/**
 * The line of one connection: what leaves over it, and the faults that can happen to it on the way.
 */
import * as Effect from "effect/Effect"
import { isQuirk, isResponseFault } from "../../Fault.ts"
import type { Fault, Trigger, TransportFault } from "../../Fault.ts"
import type { Input, WireEvent } from "../session/machine.ts"
import type { Provider } from "./provider.ts"
import type { Wire } from "./transport.ts"

export interface Options {
  readonly wire: Wire
  readonly provider: Pick<Provider<never>, "typesOf" | "complete">
  readonly now: () => number
  readonly record: (kind: "received" | "sent", event: unknown) => void
  /** Runs an effect for as long as the connection lasts. */
  readonly start: (effect: Effect.Effect<void>) => unknown
  /** Tells the machine. */
  readonly dispatch: (input: Input) => void
}

export interface Line {
  /** Lets the client know that it is connected. */
  readonly greet: () => void
  readonly send: (event: WireEvent) => void
  readonly close: (code: number, reason: string) => void
  /** Something of the client came: faults may have waited for it. */
  readonly received: (types: ReadonlyArray<string>) => void
  /** Arms the faults; those without a trigger happen before this returns. */
  readonly inject: (faults: ReadonlyArray<Fault>) => void
  readonly ping: () => void
  readonly unstall: () => void
  /** Nothing more may leave, whatever is still under way. */
  readonly cut: () => void
  readonly isOver: () => boolean
  readonly isStalled: () => boolean
}

interface Armed {
  readonly fault: Fault
  readonly at: Trigger
  left: number
}

/** A line over the wire, without any fault yet. */
export const make = ({ dispatch, now, provider, record, start, wire }: Options): Line => {
  let isMute = false
  let isStalled = false
  let isOver = false
  let slowMs = 0
  let twice: ReadonlySet<string> | "all" | undefined
  let armed: ReadonlyArray<Armed> = []
  let pushed = 0
  // late events of a slow line, in order; unbounded: as many as the replies have, and they leave by the clock
  const late: Array<{ readonly due: number; readonly run: () => void }> = []

  const canWrite = (): boolean => !isOver && !isMute && !isStalled && wire.isOpen()
  const write = (event: WireEvent): boolean => {
    if (!canWrite()) return false
    wire.send(event)
    record("sent", event)
    return true
  }
  const transmit = (event: WireEvent): void => {
    const types = provider.typesOf(event)
    if (!write(event)) return
    if (twice === "all" || types.some((type) => (twice as ReadonlySet<string> | undefined)?.has(type) === true)) {
      write(event)
    }
    reach("Sent", types)
  }
  const end = (how: () => void): void => {
    how()
    isOver = true
  }

  const leave: Effect.Effect<void> = Effect.suspend(() => {
    const [next] = late
    if (next === undefined) return Effect.void
    const run = Effect.sync(() => {
      late.shift()
      next.run()
    })
    const wait = next.due - now()
    return Effect.andThen(wait <= 0 ? run : Effect.andThen(Effect.sleep(wait), run), leave)
  })
  const inOrder = (run: () => void): void => {
    if (slowMs === 0) return run()
    late.push({ due: now() + slowMs, run })
    if (late.length === 1) start(leave)
  }

  const suffer = (fault: TransportFault): void => {
    if (isOver || !wire.isOpen()) return
    const outcome = wire.suffer(fault)
    if (outcome === "over") isOver = true
    // what the transport has no word for is said by the provider
    if (outcome === undefined && fault._tag === "GoAway") dispatch({ _tag: "Arm", fault })
  }

  const happen = (fault: Fault): void => {
    if (isResponseFault(fault) || isQuirk(fault)) return dispatch({ _tag: "Arm", fault })
    switch (fault._tag) {
      // too late for that: the connection is there
      case "Refuse":
      case "ClockSkew":
        return
      case "Mute":
        isMute = true
        return
      case "Close":
        return end(() => wire.close(fault.code, fault.reason))
      case "End":
        return end(wire.finish)
      case "Drop":
        return end(wire.drop)
      case "Stall":
        isStalled = true
        return wire.pause()
      case "Malformed":
        if (canWrite()) record("sent", wire.garble(fault.text))
        return
      case "Duplicate":
        twice = fault.events.length === 0 ? "all" : new Set(fault.events)
        return
      case "Slow":
        slowMs = fault.millis
        return
      case "Push":
        return transmit(provider.complete(fault.event, ++pushed))
      case "Hold":
        return dispatch({ _tag: "Hold" })
      case "Expire":
        return dispatch({ _tag: "Expire" })
      case "Exception":
        transmit({ exception: { type: fault.type, message: fault.message } })
        // a stream that is left open is as good as over: nothing more comes
        return end(fault.leaveOpen ? () => {} : wire.finish)
      case "RejectResumption":
        return dispatch({ _tag: "Arm", fault })
      case "ResetStream":
      case "TruncateFrame":
      case "WrongLength":
      case "GoAway":
        return suffer(fault)
    }
  }
  const reach = (tag: "Sent" | "Received", types: ReadonlyArray<string>): void => {
    for (const one of armed) {
      if (one.at._tag === tag && types.includes(one.at.event) && --one.left === 0) {
        armed = armed.filter((other) => other !== one)
        happen(one.fault)
      }
    }
  }
  const arm = (fault: Fault, at: Trigger): void => {
    if (at._tag !== "Elapsed") armed = [...armed, { fault, at, left: Math.max(1, at.times) }]
    else {
      const then = Effect.sync(() => happen(fault))
      start(Effect.andThen(Effect.sleep(at.millis), then))
    }
  }

  return {
    greet: () =>
      inOrder(() => {
        if (canWrite()) wire.greet()
      }),
    send: (event) => inOrder(() => transmit(event)),
    close: (code, reason) => inOrder(() => end(() => wire.close(code, reason))),
    received: (types) => reach("Received", types),
    inject: (faults) => {
      for (const fault of faults) {
        if ("at" in fault && fault.at !== undefined) arm(fault, fault.at)
        else happen(fault)
      }
    },
    ping: () => {
      if (canWrite()) wire.ping()
    },
    unstall: () => {
      isStalled = false
      wire.resume()
    },
    cut: () => {
      isOver = true
    },
    isOver: () => isOver,
    isStalled: () => isStalled
  }
}
