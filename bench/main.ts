/**
 * `pnpm bench`: what the runtime costs, next to what nobody can do without.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Density from "./density.ts"
import * as Interruption from "./interruption.ts"
import type { MicroReport } from "./micro.ts"
import * as Process from "./process.ts"
import * as Report from "./report.ts"

const MOST_INTERRUPTED = 200

const positive = (flag: Flag.Flag<number>) =>
  Flag.filter(
    flag,
    (value) => value > 0,
    () => "Expected a number above 0"
  )

const flags = {
  sessions: Flag.String("sessions").pipe(
    Flag.map((list) => list.split(",").map(Number)),
    Flag.filter(
      (list) => list.every((count) => Number.isInteger(count) && count > 0),
      () => "Expected numbers of sessions, such as 1,50,200"
    ),
    Flag.withDescription("How many sessions in one process, several times"),
    Flag.withDefault([1, 50, 200, 500])
  ),
  seconds: positive(Flag.Finite("seconds")).pipe(
    Flag.withDescription("How long a run is measured"),
    Flag.withDefault(3)
  ),
  warmUp: positive(Flag.Finite("warm-up")).pipe(
    Flag.withDescription("Seconds of a run before it is measured"),
    Flag.withDefault(2)
  ),
  rounds: positive(Flag.Int("rounds")).pipe(
    Flag.withDescription("How often each driver has its turn"),
    Flag.withDefault(3)
  ),
  only: Flag.Literals("only", ["micro", "interruption", "density", "floor", "runtime"]).pipe(
    Flag.withDescription("A part of it: the microbenchmarks, the sessions, or one driver"),
    Flag.optional
  ),
  profile: Flag.Directory("profile", { mustExist: true }).pipe(
    Flag.withDescription("Writes a CPU profile of each measured run into this directory"),
    Flag.optional
  )
}

const micro = Effect.gen(function* () {
  const process = yield* Process.start("micro.ts")
  const reports = yield* process.ask<ReadonlyArray<MicroReport>>("measure")
  yield* process.stop
  return reports
}).pipe(Effect.scoped)

const bench = Command.make(
  "bench",
  flags,
  Effect.fnUntraced(function* ({ only, profile, rounds, seconds, sessions, warmUp }) {
    const part = Option.getOrUndefined(only)
    yield* Console.log(`${Report.machine()}\n`)
    if (part === undefined || part === "micro") yield* Console.log(`${Report.micro(yield* micro)}\n`)
    if (part === "micro") return
    if (part === undefined || part === "interruption") {
      const few = sessions.filter((count) => count <= MOST_INTERRUPTED)
      yield* Console.log(`${Report.interruption(yield* Interruption.measure({ sessions: few, warmUp }))}\n`)
    }
    if (part === "interruption") return
    const drivers: ReadonlyArray<Density.Driver> =
      part === "floor" || part === "runtime" ? [part] : ["floor", "runtime"]
    const plan = { drivers, sessions, rounds, seconds, warmUp, profile: Option.getOrUndefined(profile) }
    yield* Console.log(`${Report.density(yield* Density.measure(plan))}\n`)
    yield* Console.log(Report.legend(rounds, seconds))
  })
).pipe(Command.withDescription("What the runtime costs, next to a bare socket with JSON and base64"))

Command.run(bench, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
