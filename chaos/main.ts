/**
 * `pnpm chaos`: whole conversations over real sockets, while everything that can go wrong with connections does.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Child from "./child.ts"
import * as Children from "./children.ts"
import { providers } from "./plan.ts"
import * as Report from "./report.ts"

class LawBroken extends Data.TaggedError("LawBroken")<{ readonly message: string }> {}

const positive = (flag: Flag.Flag<number>) =>
  Flag.filter(
    flag,
    (value) => value > 0,
    () => "Expected a number above 0"
  )

const flags = {
  seed: positive(Flag.Int("seed")).pipe(
    Flag.withDescription("The seed of the first conversation; each that follows has the next one"),
    Flag.withDefault(1)
  ),
  conversations: positive(Flag.Int("conversations")).pipe(
    Flag.withDescription("How many conversations with each provider"),
    Flag.withDefault(200)
  ),
  concurrency: positive(Flag.Int("concurrency")).pipe(
    Flag.withDescription("How many conversations with a provider are on at once"),
    Flag.withDefault(12)
  ),
  stories: Flag.Directory("stories", { mustExist: true }).pipe(
    Flag.withDescription("Writes the story of every conversation that breaks a law into this directory"),
    Flag.optional
  ),
  provider: Flag.Literals("provider", providers).pipe(Flag.withDescription("Only this provider"), Flag.optional),
  only: positive(Flag.Int("only")).pipe(
    Flag.withDescription("Only the conversation of this seed, and all of its story"),
    Flag.optional
  )
}

const chaos = Command.make(
  "chaos",
  flags,
  Effect.fnUntraced(function* ({ concurrency, conversations, only, provider, seed, stories }) {
    const seeds = Option.match(only, {
      onSome: (seed) => [seed],
      onNone: () => Array.from({ length: conversations }, (_, index) => seed + index)
    })
    const verbose = Option.isSome(only)
    const started = Date.now()
    const reports = yield* Effect.forEach(
      Option.match(provider, { onSome: (one) => [one], onNone: () => providers }),
      (provider) => Children.play({ provider, seeds, concurrency, verbose }),
      { concurrency: 2 }
    )
    for (const part of [Report.summary, Report.faults, Report.fates]) yield* Console.log(`${part(reports)}\n`)
    yield* Console.log(`seeds ${seeds[0]} to ${seeds.at(-1)}, ${((Date.now() - started) / 1000).toFixed(0)} seconds`)
    if (Option.isSome(stories)) yield* write(stories.value, reports)
    const failures = Report.failures(reports)
    if (failures !== undefined) {
      yield* Console.error(`\n${failures}`)
      return yield* new LawBroken({ message: "a law was broken" })
    }
    if (!verbose) return
    for (const { told } of reports) for (const { story } of told) yield* Console.log(`\n${story}`)
  })
).pipe(Command.withDescription("Conversations over real sockets, while everything goes wrong that can"))

const write = Effect.fnUntraced(function* (directory: string, reports: ReadonlyArray<Child.Report>) {
  const fs = yield* FileSystem.FileSystem
  for (const { provider, told } of reports) {
    for (const { seed, story } of told) {
      if (story !== undefined) yield* fs.writeFileString(`${directory}/${provider}-${seed}.txt`, story)
    }
  }
})

Command.run(chaos, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
