/**
 * What a conversation leaves behind: nothing.
 *
 * Thousands of conversations are opened and closed in virtual time, one after the other: each talks, calls a tool, loses
 * its connection, and ends. Afterwards the heap is what it was before, up to a few bytes a cycle; no fiber is alive, and
 * nothing holds the process. The measure itself is checked: a leak of one kilobyte a cycle does not pass it.
 *
 * 10,000 of them, or five times `LAWS`.
 */
import { BidiAgent, BidiInput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { cases } from "../../../scripts/cases.ts"
import { countFibers } from "./support/fibers.ts"

const CYCLES = cases(2000).arbitrary.runs * 5
const WARM_UP = 500

/** Bytes a cycle: less than the smallest thing that a cycle could leave behind. */
const TOLERANCE = 100

const toolkit = Toolkit.make(
  Tool.make("work", { parameters: Schema.Struct({ name: Schema.String }), success: Schema.String })
)
const handlers = toolkit.toLayer({ work: ({ name }) => Effect.succeed(`result of ${name}`) })

const script: BidiTest.Script = Effect.fnUntraced(function* (line) {
  if (line.generation === 1) {
    yield* line.expectText("Hello")
    yield* line.callTools(["work", { name: "a" }])
    yield* line.drop()
  } else {
    yield* line.next // the result, or the wish to go on with it
    yield* line.reply({ text: "Done.", audio: "1 second" })
  }
})

const cycle = Effect.gen(function* () {
  const model = yield* BidiTest.model(script)
  const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({
    inputs: [BidiInput.make("silence", Stream.never)],
    outputs: [recorder.output],
    hooks: [BidiAgent.on("ConnectionRestart", () => Effect.void)],
    connection: { retry: Schedule.spaced("1 second") }
  })
  yield* call.send("Hello")
  yield* call.awaitIdle
  yield* call.stop()
  yield* call.await
  return { connections: model.open(), restarts: model.log().filter((entry) => entry._tag === "Dialed").length - 1 }
}).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))

/** The heap without garbage. */
const heap = (): number => {
  setFlagsFromString("--expose_gc")
  const collect = runInNewContext("gc") as () => void
  for (let i = 0; i < 3; i++) collect()
  return process.memoryUsage().heapUsed
}

/** How many bytes of the heap a cycle costs for good. */
const growth = <E>(cycles: number, cycle: Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    for (let i = 0; i < WARM_UP; i++) yield* cycle
    const before = heap()
    for (let i = 0; i < cycles; i++) yield* cycle
    return (heap() - before) / cycles
  })

describe("a conversation that is over", () => {
  it.effect(
    `leaves nothing behind, ${CYCLES} times`,
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* cycle, { connections: 0, restarts: 1 })
        const handles = process.getActiveResourcesInfo().length
        // a leak grows every time; what is compiled meanwhile is up to a megabyte, once
        const twice = Effect.all([growth(CYCLES, cycle), growth(CYCLES, cycle)])
        const [spans, alive] = yield* countFibers(twice)
        const bytes = Math.min(...spans)
        console.log(`${bytes.toFixed(1)} bytes a cycle, ${alive} fibers`)
        assert.strictEqual(alive, 0)
        assert.isAtMost(process.getActiveResourcesInfo().length, handles)
        assert.isBelow(bytes, TOLERANCE)
      }),
    240_000
  )

  it.effect(
    "would be caught if each left a kilobyte",
    () =>
      Effect.gen(function* () {
        // a tenth of the cycles, and ten times as much each: the same heap in the end
        const cycles = CYCLES / 10
        const left: Array<unknown> = []
        const leaking = Effect.tap(cycle, () => Effect.sync(() => left.push(Array.from({ length: 1280 }, Math.random))))
        const bytes = yield* growth(cycles, leaking)
        assert.isAbove((bytes * cycles) / CYCLES, TOLERANCE)
        assert.isAtLeast(left.length, cycles)
      }),
    120_000
  )
})
