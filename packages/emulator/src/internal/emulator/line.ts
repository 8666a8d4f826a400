/**
 * The line of one connection: what leaves over it, and the faults that can happen to it on the way.
 */
import * as Effect from "effect/Effect"
import type { WebSocket } from "ws"
import { isResponseFault } from "../../Fault.ts"
import type { Fault, Moment } from "../../Fault.ts"
import type { Input, WireEvent } from "./machine.ts"

export interface Options {
  readonly socket: WebSocket
  readonly now: () => number
  readonly record: (kind: "received" | "sent", event: unknown) => void
  /** Runs an effect for as long as the connection lasts. */
  readonly start: (effect: Effect.Effect<void>) => unknown
  /** Tells the machine. */
  readonly dispatch: (input: Input) => void
}

export interface Line {
  readonly send: (event: WireEvent) => void
  readonly close: (code: number, reason: string) => void
  /** Something of the client came: faults may have waited for it. */
  readonly received: (type: string) => void
  /** Arms the faults; those without a moment happen before this returns. */
  readonly inject: (faults: ReadonlyArray<Fault>) => void
  readonly ping: () => void
  readonly thaw: () => void
  /** Nothing more may leave, whatever is still under way. */
  readonly cut: () => void
  readonly isOver: () => boolean
  readonly isStalled: () => boolean
}

interface Armed {
  readonly fault: Fault
  readonly at: Moment
  left: number
}

/** Codes that cannot stand in a close frame: the connection is cut instead. */
const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)

/** A close frame has room for 123 bytes of reason. */
const fitReason = (reason: string): string => {
  const bytes = Buffer.from(reason)
  // a character that was cut in two would not be valid any more
  return bytes.length <= 123
    ? reason
    : bytes
        .subarray(0, 123)
        .toString("utf8")
        .replace(/\uFFFD+$/, "")
}

/** A line over the socket, without any fault yet. */
export const make = ({ dispatch, now, record, socket, start }: Options): Line => {
  let isMute = false
  let isStalled = false
  let isOver = false
  let slowMs = 0
  let twice: ReadonlySet<string> | "all" | undefined
  let armed: ReadonlyArray<Armed> = []
  let pushed = 0
  // late events of a slow line, in order; unbounded: as many as the replies have, and they leave by the clock
  const late: Array<{ readonly due: number; readonly run: () => void }> = []

  const write = (text: string, event: unknown): boolean => {
    if (isOver || isMute || isStalled || socket.readyState !== socket.OPEN) return false
    socket.send(text)
    record("sent", event)
    return true
  }
  const transmit = (event: WireEvent): void => {
    const text = JSON.stringify(event)
    if (!write(text, event)) return
    if (twice === "all" || twice?.has(event.type) === true) write(text, event)
    reach("Sent", event.type)
  }
  const end = (code: number, reason: string): void => {
    if (isSendable(code)) socket.close(code, fitReason(reason))
    else socket.terminate()
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

  const happen = (fault: Fault): void => {
    if (isResponseFault(fault)) return dispatch({ _tag: "Arm", fault })
    switch (fault._tag) {
      // too late for that: the connection is there
      case "Refuse":
        return
      case "Mute":
        isMute = true
        return
      case "Close":
        return end(fault.code, fault.reason)
      case "Drop":
        return end(1006, "")
      case "Stall":
        isStalled = true
        return socket.pause()
      case "Malformed":
        write(fault.text, fault.text)
        return
      case "Duplicate":
        twice = fault.events.length === 0 ? "all" : new Set(fault.events)
        return
      case "Slow":
        slowMs = fault.millis
        return
      case "Push": {
        const type = typeof fault.event.type === "string" ? fault.event.type : ""
        return transmit({ event_id: `event_pushed_${++pushed}`, ...fault.event, type })
      }
      case "Hold":
        return dispatch({ _tag: "Hold" })
      case "Expire":
        return dispatch({ _tag: "Expire" })
    }
  }
  const reach = (tag: "Sent" | "Received", event: string): void => {
    for (const one of armed) {
      if (one.at._tag === tag && one.at.event === event && --one.left === 0) {
        armed = armed.filter((other) => other !== one)
        happen(one.fault)
      }
    }
  }
  const arm = (fault: Fault, at: Moment): void => {
    if (at._tag !== "Elapsed") armed = [...armed, { fault, at, left: Math.max(1, at.times) }]
    else {
      const then = Effect.sync(() => happen(fault))
      start(Effect.andThen(Effect.sleep(at.millis), then))
    }
  }

  return {
    send: (event) => inOrder(() => transmit(event)),
    close: (code, reason) => inOrder(() => end(code, reason)),
    received: (type) => reach("Received", type),
    inject: (faults) => {
      for (const fault of faults) {
        if ("at" in fault && fault.at !== undefined) arm(fault, fault.at)
        else happen(fault)
      }
    },
    ping: () => {
      if (!isOver && !isStalled && !isMute && socket.readyState === socket.OPEN) socket.ping()
    },
    thaw: () => {
      isStalled = false
      socket.resume()
    },
    cut: () => {
      isOver = true
    },
    isOver: () => isOver,
    isStalled: () => isStalled
  }
}
