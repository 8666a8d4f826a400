/** What was heard, as laws of the ledger and of a device in real time. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { DeviceClock } from "../src/internal/playback/deviceClock.ts"
import { Ledger } from "../src/internal/playback/ledger.ts"

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 }))
const Step = Schema.TaggedUnion({
  Produce: { response: Schema.Literals(["r1", "r2"]), item: Schema.Literals(["a", "b"]), millis: Millis },
  Pass: { millis: Millis },
  Interrupt: {}
})
type Step = typeof Step.Type

/** Plays the steps on devices that begin late by some milliseconds, and are silenced together. */
const play = (steps: ReadonlyArray<Step>, delays: ReadonlyArray<number>, onInterrupt: (ledger: Ledger) => void) => {
  const ledger = new Ledger()
  const devices = delays.map((delay) => ({ delay, time: new DeviceClock() }))
  let now = 0
  for (const { delay, time } of devices) ledger.add(() => time.played(Math.max(0, now - delay)))
  let produced = 0
  for (const step of steps) {
    if (step._tag === "Pass") now += step.millis
    if (step._tag === "Produce") {
      produced += step.millis
      ledger.append(step.response, step.response + step.item, step.millis)
      for (const { delay, time } of devices) time.append(step.millis, Math.max(0, now - delay))
    }
    if (step._tag === "Interrupt") {
      onInterrupt(ledger)
      for (const { delay, time } of devices) time.flush(Math.max(0, now - delay))
      ledger.flushed()
      assert.strictEqual(ledger.remaining(), 0)
      assert.deepStrictEqual(ledger.unheard(), [])
    }
  }
  return { ledger, produced }
}

const steps = Schema.Array(Step).check(Schema.isMaxLength(30))
const delays = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 }))).check(
  Schema.isBetweenLength(1, 3)
)

describe("the ledger", () => {
  it.prop(
    "never hears more than was produced, nor less than nothing, and counts in whole milliseconds",
    { steps, delays },
    ({ delays, steps }) => {
      play(steps, delays, (ledger) => {
        for (const response of ["r1", "r2"]) {
          for (const { heard, produced } of ledger.heard(response)) {
            assert.isTrue(Number.isInteger(heard) && heard >= 0 && heard <= produced)
          }
        }
      })
    }
  )

  it.prop(
    "has something to interrupt exactly while something is still to be heard",
    { steps, delays },
    ({ delays, steps }) => {
      play(steps, delays, (ledger) => {
        // the furthest device decides what is unheard, the last one what is still audible
        if (ledger.unheard().length > 0) assert.isAbove(ledger.remaining(), 0)
      })
    }
  )

  it.prop("hears everything in the end", { steps, delays }, ({ delays, steps }) => {
    const { ledger } = play([...steps, ...silence], delays, () => undefined)
    assert.strictEqual(ledger.remaining(), 0)
    assert.deepStrictEqual(ledger.unheard(), [])
  })

  it.prop("without a device hears what is produced when it is produced", { steps }, ({ steps }) => {
    const ledger = new Ledger()
    for (const step of steps) {
      if (step._tag === "Produce") ledger.append(step.response, step.item, step.millis)
      assert.strictEqual(ledger.remaining(), 0)
    }
  })
})

const silence: ReadonlyArray<Step> = Array.from({ length: 100 }, () => ({ _tag: "Pass", millis: 5000 }))

describe("a device in real time", () => {
  it("plays from the moment it has something, and not while it has nothing", () => {
    const time = new DeviceClock()
    time.append(1000, 500)
    assert.strictEqual(time.played(500), 0)
    assert.strictEqual(time.played(900), 400)
    assert.strictEqual(time.played(9000), 1000)
    time.append(1000, 10_000)
    assert.strictEqual(time.played(10_250), 1250)
    assert.strictEqual(time.flush(10_300), 1300)
    assert.strictEqual(time.played(99_999), 1300)
    time.append(100, 100_000)
    assert.strictEqual(time.played(100_050), 1350)
  })

  it("goes on where it is when it is resumed without having been paused", () => {
    const time = new DeviceClock()
    time.append(1000, 0)
    time.resume(400)
    assert.strictEqual(time.played(500), 500)
  })
})
