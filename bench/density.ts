/**
 * Many sessions in one process: the floor and the runtime by turns, against one server.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { cpus } from "node:os"
import type { DriverReport } from "./driver.ts"
import * as Process from "./process.ts"
import type { ServerReport } from "./server.ts"

export type Driver = "floor" | "runtime"

export interface Plan {
  readonly drivers: ReadonlyArray<Driver>
  readonly sessions: ReadonlyArray<number>
  readonly rounds: number
  /** Seconds that are measured, and seconds before that are not. */
  readonly seconds: number
  readonly warmUp: number
  /** Where to write CPU profiles of the drivers. */
  readonly profile: string | undefined
}

/** One driver with so many sessions, once. */
export interface Run {
  readonly name: Driver
  readonly sessions: number
  readonly driver: DriverReport
  readonly server: ServerReport
  /** What everybody else did meanwhile on this machine, in parts of one core. */
  readonly others: number
}

export const measure = Effect.fnUntraced(function* (plan: Plan) {
  const server = yield* Process.start("server.ts")
  const url = yield* server.ask<string>("url")
  const runs: Array<Run> = []
  for (const sessions of plan.sessions) {
    for (let round = 1; round <= plan.rounds; round++) {
      for (const name of plan.drivers) {
        const run = yield* once(plan, server, url, name, sessions)
        yield* Console.error(`${sessions} sessions, round ${round}, ${progress(run)}`)
        runs.push(run)
      }
    }
  }
  yield* server.stop
  return runs as ReadonlyArray<Run>
}, Effect.scoped)

const once = Effect.fnUntraced(function* (
  { profile, seconds, warmUp }: Plan,
  server: Process.Process,
  url: string,
  name: Driver,
  sessions: number
) {
  const args = [url, String(sessions), ...(profile === undefined ? [] : [profile])]
  const driver = yield* Process.start(`${name}.ts`, args)
  const both = <A, B>(question: string) =>
    Effect.all([driver.ask<A>(question), server.ask<B>(question)], { concurrency: 2 })

  yield* driver.ask("open")
  yield* Effect.sleep(warmUp * 1000)
  yield* both("begin")
  const spent = machine()
  yield* Effect.sleep(seconds * 1000)
  const [fromDriver, fromServer] = yield* both<DriverReport, ServerReport>("end")
  const others = Math.max(0, spent() - fromDriver.cpu - fromServer.cpu)
  yield* driver.stop
  return { name, sessions, driver: fromDriver, server: fromServer, others } satisfies Run
}, Effect.scoped)

/** How busy all cores of the machine are, until the answer is called. */
const machine = () => {
  const busy = () => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  const started = performance.now()
  const before = busy()
  return () => (busy() - before) / (performance.now() - started)
}

const progress = ({ driver, name, others, server }: Run) =>
  `${name}: CPU ${percent(driver.cpu)}, server ${percent(server.cpu)}, others ${percent(others)}, ` +
  `lost ${driver.lost} and ${server.lost}`

const percent = (part: number) => `${(part * 100).toFixed(1)} %`
