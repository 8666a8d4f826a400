/**
 * What was measured, as tables in Markdown.
 */
import { arch, availableParallelism, cpus, platform } from "node:os"
import type { Run } from "./density.ts"
import { expected } from "./driver.ts"
import { median } from "./median.ts"
import type { Interrupted } from "./interruption.ts"
import type { MicroReport } from "./micro.ts"

/** Where it was measured, and when. */
export const machine = (): string =>
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${platform()} ${arch()}, ` +
  `${availableParallelism()} cores (${cpus()[0]?.model.trim()})`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")

// ---------------------------------------------------------------------------------------------------------------------
// micro
// ---------------------------------------------------------------------------------------------------------------------

export const micro = (reports: ReadonlyArray<MicroReport>): string =>
  table(
    ["one frame of 20 ms", "hot loop, ns", "one by one, ns"],
    reports.map(({ hot, name, alone }) => [name, nanos(hot), alone === undefined ? "" : nanos(alone)])
  )

const nanos = (value: number) => value.toFixed(0)

// ---------------------------------------------------------------------------------------------------------------------
// interruption
// ---------------------------------------------------------------------------------------------------------------------

export const interruption = (all: ReadonlyArray<Interrupted>): string =>
  table(
    ["from speech started to silence, sessions", "interruptions", "p50, ms", "p99, ms", "longest, ms"],
    all.map(({ count, latency: { max, p50, p99 }, sessions }) => [
      String(sessions),
      String(count),
      ...[p50, p99, max].map((millis) => millis.toFixed(2))
    ])
  )

// ---------------------------------------------------------------------------------------------------------------------
// density
// ---------------------------------------------------------------------------------------------------------------------

export const density = (runs: ReadonlyArray<Run>): string => {
  const rows = Map.groupBy(runs, ({ name, sessions }) => `${sessions} ${name}`)
  return table(
    [
      "sessions",
      "driver",
      "CPU",
      "to the floor",
      "down p50 / p99, ms",
      "up p50 / p99, ms",
      "lost down / up",
      "RSS per session",
      "live per session",
      "server CPU",
      "others' CPU",
      "remarks"
    ],
    Array.from(rows.values(), (row) => cells(row, floorOf(runs, row[0]!.sessions)))
  )
}

const floorOf = (runs: ReadonlyArray<Run>, sessions: number) =>
  runs.filter((run) => run.name === "floor" && run.sessions === sessions)

const cells = (runs: ReadonlyArray<Run>, floor: ReadonlyArray<Run>): ReadonlyArray<string> => {
  const { name, sessions } = runs[0]!
  const middle = (of: (run: Run) => number) => median(runs.map(of))
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0)
  const millis = (p50: (run: Run) => number, p99: (run: Run) => number) =>
    `${middle(p50).toFixed(2)} / ${middle(p99).toFixed(1)}`
  const remarks = Array.from(new Set(runs.flatMap(remarksOn)))
  return [
    String(sessions),
    name,
    percent(middle(({ driver }) => driver.cpu)),
    name === "floor" || floor.length === 0 ? "" : ratio(runs, floor),
    millis(
      ({ driver }) => driver.latency.p50,
      ({ driver }) => driver.latency.p99
    ),
    millis(
      ({ server }) => server.latency.p50,
      ({ server }) => server.latency.p99
    ),
    `${sum(({ driver }) => driver.lost)} / ${sum(({ server }) => server.lost)}`,
    kibibytes(middle(({ driver }) => driver.after.rss - driver.before.rss) / sessions),
    kibibytes(middle(({ driver }) => driver.after.live - driver.before.live) / sessions),
    percent(middle(({ server }) => server.cpu)),
    percent(middle(({ others }) => others)),
    remarks.join("; ")
  ]
}

// Neighbours in time are compared, so that what disturbs both does not count.
const ratio = (runs: ReadonlyArray<Run>, floor: ReadonlyArray<Run>): string => {
  const value = median(runs.map((run, round) => run.driver.cpu / floor[round]!.driver.cpu)).toFixed(2)
  const isBound = [...runs, ...floor].some((run) => remarksOn(run).length > 0)
  return isBound ? `(${value})` : value
}

const BUSY = 0.9
const LATE = 20
const SHORT = 0.98

/** What makes a run say little about the driver. */
const remarksOn = ({ driver, server, sessions }: Run): ReadonlyArray<string> => {
  const remarks: Array<string> = []
  if (server.sessions !== sessions) remarks.push("sessions ended")
  if (server.cpu > BUSY || server.lag.p99 > LATE) remarks.push("the server is too slow")
  if (driver.busy > BUSY) remarks.push("the driver is too slow")
  const full = SHORT * expected(sessions, Math.min(driver.seconds, server.seconds))
  if (driver.received < full || server.received < full) remarks.push("frames are behind")
  return remarks
}

export const legend = (rounds: number, seconds: number): string =>
  `Medians of ${rounds} rounds of ${seconds} s; losses are sums. CPU 100 % is one core. ` +
  `A ratio in parentheses was measured under the remark beside it.`

const percent = (part: number) => `${(part * 100).toFixed(1)} %`
const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`
