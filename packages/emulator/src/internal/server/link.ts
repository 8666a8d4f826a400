/**
 * The outgoing messages of one connection, and the faults that affect them.
 */
import * as Effect from "effect/Effect"
import { isQuirk, isResponseFault } from "../../Fault.ts"
import type { Fault, Trigger, TransportFault } from "../../Fault.ts"
import type { Input, WireEvent } from "../session/machine.ts"
import type { Provider } from "./provider.ts"
import type { Transport } from "./transport.ts"

export interface Options {
  readonly transport: Transport
  readonly provider: Pick<Provider<never>, "typesOf" | "complete">
  readonly now: () => number
  readonly record: (kind: "received" | "sent", event: unknown) => void
  /** Runs an effect for as long as the connection lasts. */
  readonly start: (effect: Effect.Effect<void>) => unknown
  /** Passes an input to the machine. */
  readonly dispatch: (input: Input) => void
}

export interface Link {
  /** Tells the client that it is connected, where the transport can. */
  readonly accept: () => void
  readonly send: (event: WireEvent) => void
  readonly close: (code: number, reason: string) => void
  /** A client message arrived, which may trigger faults. */
  readonly received: (types: ReadonlyArray<string>) => void
  /** Arms the faults; those without a trigger happen before this returns. */
  readonly inject: (faults: ReadonlyArray<Fault>) => void
  readonly ping: () => void
  readonly unstall: () => void
  /** Sends nothing more. */
  readonly cut: () => void
  readonly isOver: () => boolean
  readonly isStalled: () => boolean
}

interface Armed {
  readonly fault: Fault
  readonly at: Trigger
  left: number
}

/** A link over the transport, without faults. */
export const make = ({ dispatch, now, provider, record, start, transport }: Options): Link => {
  let isMute = false
  let isStalled = false
  let isOver = false
  let slowMs = 0
  let twice: ReadonlySet<string> | "all" | undefined
  let armed: ReadonlyArray<Armed> = []
  let pushed = 0
  // delayed events, in order; unbounded, because their number is that of the replies
  const late: Array<{ readonly due: number; readonly run: () => void }> = []

  const canWrite = (): boolean => !isOver && !isMute && !isStalled && transport.isOpen()
  const write = (event: WireEvent): boolean => {
    if (!canWrite()) return false
    transport.send(event)
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

  const applyFault = (fault: TransportFault): void => {
    if (isOver || !transport.isOpen()) return
    const outcome = transport.applyFault(fault)
    if (outcome === "over") isOver = true
    // a transport without GOAWAY leaves it to the provider
    if (outcome === undefined && fault._tag === "GoAway") dispatch({ _tag: "Arm", fault })
  }

  const happen = (fault: Fault): void => {
    if (isResponseFault(fault) || isQuirk(fault)) return dispatch({ _tag: "Arm", fault })
    switch (fault._tag) {
      // these concern the handshake
      case "Refuse":
      case "ClockSkew":
        return
      case "Mute":
        isMute = true
        return
      case "Close":
        return end(() => transport.close(fault.code, fault.reason))
      case "End":
        return end(transport.finish)
      case "Drop":
        return end(transport.drop)
      case "Stall":
        isStalled = true
        return transport.pause()
      case "Malformed":
        if (canWrite()) record("sent", transport.sendMalformed(fault.text))
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
        // nothing more is sent on a stream that is left open
        return end(fault.leaveOpen ? () => {} : transport.finish)
      case "RejectResumption":
        return dispatch({ _tag: "Arm", fault })
      case "ResetStream":
      case "TruncateFrame":
      case "WrongLength":
      case "GoAway":
        return applyFault(fault)
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
    accept: () =>
      inOrder(() => {
        if (canWrite()) transport.accept()
      }),
    send: (event) => inOrder(() => transmit(event)),
    close: (code, reason) => inOrder(() => end(() => transport.close(code, reason))),
    received: (types) => reach("Received", types),
    inject: (faults) => {
      for (const fault of faults) {
        if ("at" in fault && fault.at !== undefined) arm(fault, fault.at)
        else happen(fault)
      }
    },
    ping: () => {
      if (canWrite()) transport.ping()
    },
    unstall: () => {
      isStalled = false
      transport.resume()
    },
    cut: () => {
      isOver = true
    },
    isOver: () => isOver,
    isStalled: () => isStalled
  }
}
