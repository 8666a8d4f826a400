/** Devices that are lost and come back, in virtual time. */
import { settle } from "@effect-bidi/core/BidiTest"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { AudioError } from "../src/AudioError.ts"
import { deviceFailed } from "../src/internal/errors.ts"
import { keepOpen } from "../src/internal/session/keepOpen.ts"
import { watch } from "../src/internal/backends/watchdog.ts"

const gone = deviceFailed("input", "test", "unplugged")

/** A scripted device, attempt by attempt; `log` holds what happened, with the time. */
const device = (attempts: ReadonlyArray<"refused" | "ends" | { readonly lives: number }>) => {
  const log: Array<string> = []
  const note = (what: string) => Effect.map(Clock.currentTimeMillis, (now) => void log.push(`${now} ${what}`))
  let next = 0
  const open = Effect.suspend(() => {
    const attempt = attempts[next++] ?? "refused"
    if (attempt === "refused") return Effect.andThen(note("refused"), Effect.fail(gone))
    return Effect.as(
      Effect.acquireRelease(note("open"), () => note("closed")),
      { done: attempt === "ends" ? Effect.void : Effect.andThen(Effect.sleep(attempt.lives), Effect.fail(gone)) }
    )
  })
  const schedule: Schedule.Schedule<unknown, AudioError> = Schedule.spaced("100 millis").pipe(
    Schedule.upTo({ times: 2 })
  )
  return {
    log,
    run: keepOpen({ open, schedule, onOpen: () => Effect.void, onLost: () => note("lost") })
  }
}

const play = Effect.fnUntraced(function* (run: Effect.Effect<void, AudioError>) {
  const fiber = yield* Effect.forkChild(run)
  for (let i = 0; i < 300; i++) {
    yield* settle
    yield* TestClock.adjust("100 millis")
  }
  return yield* Effect.exit(Fiber.join(fiber))
})

it.effect("a device that cannot be opened the first time is an error at once", () =>
  Effect.gen(function* () {
    const { log, run } = device(["refused", "ends"])
    assert.strictEqual(yield* Effect.flip(run), gone)
    assert.deepStrictEqual(log, ["0 refused"])
  })
)

it.effect("one that is lost is closed, and opened again as the schedule says; its end is success", () =>
  Effect.gen(function* () {
    const { log, run } = device([{ lives: 1000 }, "refused", "ends"])
    assert.strictEqual((yield* play(run))._tag, "Success")
    assert.deepStrictEqual(log, ["0 open", "1000 lost", "1000 closed", "1100 refused", "1200 open", "1200 closed"])
  })
)

it.effect("one that is lost again and again exhausts the schedule; one that worked for long resets it", () =>
  Effect.gen(function* () {
    const { log, run } = device([{ lives: 1000 }, { lives: 6000 }, { lives: 0 }, { lives: 0 }, { lives: 0 }])
    assert.strictEqual((yield* play(run))._tag, "Failure")
    assert.deepStrictEqual(
      log.filter((line) => line.endsWith("open")),
      ["0 open", "1100 open", "7200 open", "7300 open"]
    )
  })
)

it.effect("interruption closes the device", () =>
  Effect.gen(function* () {
    const { log, run } = device([{ lives: 100_000 }])
    const fiber = yield* Effect.forkChild(run)
    yield* settle
    yield* Fiber.interrupt(fiber)
    assert.deepStrictEqual(log, ["0 open", "0 closed"])
  })
)

it.effect("the watchdog fails after two silent seconds, and not before", () =>
  Effect.gen(function* () {
    let count = 0
    const failedAt = yield* Deferred.make<number>()
    yield* watch(() => count, gone).pipe(
      Effect.catch(() => Effect.flatMap(Clock.currentTimeMillis, (now) => Deferred.succeed(failedAt, now))),
      Effect.forkChild
    )
    for (let i = 0; i < 40; i++) {
      yield* settle
      yield* TestClock.adjust("250 millis")
      if (i < 20) count++
    }
    assert.strictEqual(yield* Deferred.await(failedAt), 7500)
  })
)
