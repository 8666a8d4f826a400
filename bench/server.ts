/**
 * The provider's side: just enough of OpenAI Realtime for sessions that talk without end. Runs in a process of its own.
 */
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { WebSocketServer } from "ws"
import { answer } from "./child.ts"
import { Latency, type Distribution } from "./latency.ts"
import { type Load, measure } from "./load.ts"
import { Session } from "./session.ts"
import { Ticker } from "./ticker.ts"

/** What the server saw between `begin` and `end`. */
export interface ServerReport extends Load {
  readonly sessions: number
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly latency: Distribution
  /** By how much its own ticks were late. */
  readonly lag: Distribution
}

const lag = new Latency()
const latency = new Latency()
const ticker = new Ticker((millis) => lag.record(millis))
const sessions = new Set<Session>()

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  perMessageDeflate: false,
  skipUTF8Validation: true
})

server.on("connection", (socket) => {
  const session = new Session(socket, (millis) => latency.record(millis))
  let pause = () => {}
  session.onReady = () => {
    sessions.add(session)
    pause = ticker.add(() => session.tick())
  }
  socket.on("error", () => socket.terminate())
  socket.on("close", () => {
    pause()
    sessions.delete(session)
  })
})

let load: () => Load

const INTERRUPTIONS = 100

/** The users interrupt, one after the other; answers when the provider said so. */
const interruptions = async (all: ReadonlyArray<Session>): Promise<ReadonlyArray<number>> => {
  const sent: Array<number> = []
  const apart = Math.max(20, 100 / all.length) // nobody more often than every 100 ms
  for (let turn = 0; sent.length < INTERRUPTIONS; turn++) {
    await sleep(apart)
    const at = all[turn % all.length]!.interrupt()
    if (at !== undefined) sent.push(at)
  }
  return sent
}

server.on("listening", () =>
  answer({
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    begin: () => {
      lag.reset()
      latency.reset()
      for (const session of sessions) session.reset()
      load = measure()
    },
    end: (): ServerReport => {
      const all = Array.from(sessions)
      const sum = (count: (session: Session) => number) => all.reduce((total, session) => total + count(session), 0)
      return {
        ...load(),
        sessions: all.length,
        sent: sum((session) => session.sent),
        received: sum((session) => session.receipt.received),
        lost: sum((session) => session.receipt.lost),
        latency: latency.summary(),
        lag: lag.summary()
      }
    },
    interrupt: () => interruptions(Array.from(sessions)),
    stop: () => {
      ticker.stop()
      for (const socket of server.clients) socket.terminate()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    }
  })
)
