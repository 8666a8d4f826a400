/**
 * The client's side: opens sessions, gives each a microphone at 50 frames per second, and measures its process. All that
 * differs between drivers is how a session is opened and what a frame goes through.
 */
import { Caller } from "./caller.ts"
import { answer, argument } from "./child.ts"
import * as Frame from "./frame.ts"
import { type Distribution, Latency } from "./latency.ts"
import { type Load, type Memory, measure, memory } from "./load.ts"
import { profile } from "./profile.ts"
import { Ticker } from "./ticker.ts"

/** What a driver saw between `begin` and `end`. */
export interface DriverReport extends Load {
  readonly received: number
  readonly lost: number
  readonly latency: Distribution
  readonly captions: number
  readonly before: Memory
  readonly after: Memory
}

/** Where a session takes the frames of a microphone. */
export type Microphone = (frame: Uint8Array) => void

/** Opened sessions. */
export interface Opened {
  readonly microphones: ReadonlyArray<Microphone>
  readonly close: () => Promise<void>
}

/** Runs a driver as a child process: `<url> <sessions> [<directory for a CPU profile>]`. */
export const drive = (open: (url: string, callers: ReadonlyArray<Caller>) => Promise<Opened>): void => {
  const latency = new Latency()
  const ticker = new Ticker()
  const callers = Array.from({ length: Number(argument(1)) }, () => new Caller(latency))
  const sum = (count: (caller: Caller) => number) => callers.reduce((total, caller) => total + count(caller), 0)
  let before: Memory
  let opened: Opened
  let load: () => Load
  let profiled: () => Promise<void>

  answer({
    open: async () => {
      before = await memory()
      opened = await open(argument(0), callers)
      for (const [index, microphone] of opened.microphones.entries()) {
        const caller = callers[index]!
        ticker.add(() => microphone(caller.speak()))
      }
    },
    begin: async () => {
      profiled = await profile(argument(2))
      latency.reset()
      for (const caller of callers) caller.receipt.reset()
      load = measure()
    },
    end: async (): Promise<DriverReport> => {
      const cost = load()
      const distribution = latency.summary()
      const received = sum(({ receipt }) => receipt.received)
      const lost = sum(({ receipt }) => receipt.lost)
      await profiled()
      const after = await memory()
      return { ...cost, received, lost, latency: distribution, captions: sum((c) => c.captions), before, after }
    },
    /** When speakers were silenced, in order. */
    flushes: () => callers.flatMap((caller) => caller.flushes).toSorted((one, other) => one - other),
    stop: async () => {
      ticker.stop()
      await opened.close()
    }
  })
}

/** Frames that should pass in one direction. */
export const expected = (sessions: number, seconds: number): number => sessions * seconds * Frame.FRAMES_PER_SECOND
