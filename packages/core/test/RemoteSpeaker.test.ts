/** A speaker out of sight: it plays in real time, what it reports corrects the clock, and no report holds anything up. */
import { BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"
import { Ledger } from "../src/internal/playback/ledger.ts"
import { MAX_LAG_MILLIS, RemoteClock } from "../src/internal/playback/remoteClock.ts"
import { agentWith } from "./support/agent.ts"

const remote = BidiOutput.make("browser", { events: ["AudioStream"], handle: () => Effect.void })

const report = (itemId: string, millis: number) =>
  ({ _tag: "PlaybackReport", itemId, played: Duration.millis(millis) }) as const

/** Ten seconds of speech at once, and the reports of the browser that plays them: when, and what they say. */
const telling = Effect.fnUntraced(function* (
  reports: ReadonlyArray<readonly [at: number, played: number]>,
  script: (line: BidiTest.Line) => Effect.Effect<unknown> = () => Effect.void
) {
  const { agent, model } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      yield* line.reply({ text: "A story.", audio: "10 seconds", itemId: "tale" })
      yield* script(line)
    })
  )
  const call = yield* agent.start({ outputs: [remote] })
  yield* Effect.forkChild(
    Effect.forEach(reports, ([at, played], i) =>
      Effect.andThen(Effect.sleep(at - (reports[i - 1]?.[0] ?? 0)), call.send(report("tale", played)))
    )
  )
  return { call, model }
})

describe("a speaker that reports its position", () => {
  for (const [what, reports] of [
    ["once, and never again", [[1000, 800]]],
    ["up to a millisecond before the end", [[9999, 9999]]],
    ["twice the same", [[1000, 1000], [4000, 1000]]] // prettier-ignore
  ] as const) {
    it.effect(`${what} is done when its sound is`, () =>
      Effect.gen(function* () {
        const { call } = yield* telling(reports)
        const [at, played] = reports.at(-1)!
        yield* BidiTest.advance("10 millis") // the reply is there
        const waiting = yield* Effect.forkChild(Effect.all([call.awaitIdle, call.awaitSilence]))
        yield* BidiTest.advance(at + (10_000 - played) - 20)
        assert.isUndefined(waiting.pollUnsafe(), "not yet")
        yield* BidiTest.advance("30 millis")
        assert.isDefined(waiting.pollUnsafe(), "but now")
      })
    )
  }

  it.effect("goes on between two reports", () =>
    Effect.gen(function* () {
      const { call, model } = yield* telling([[1000, 800]])
      yield* BidiTest.advance("4 seconds")
      yield* call.interrupt()
      assert.deepInclude(model.commands()[0], { items: [{ itemId: "tale", heard: 3800, produced: 10_000 }] })
    })
  )

  it.effect("wakes those who wait when it says that all was played", () =>
    Effect.gen(function* () {
      const { call } = yield* telling([[3000, 10_000]])
      yield* BidiTest.advance("10 millis")
      const waiting = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("3 seconds")
      assert.isDefined(waiting.pollUnsafe())
    })
  )

  it.effect("and says again and again that nothing was played is believed for a while only", () =>
    Effect.gen(function* () {
      const { call } = yield* telling(Array.from({ length: 200 }, (_, i) => [100 * (i + 1), 0] as const))
      yield* BidiTest.advance("10 millis")
      const waiting = yield* Effect.forkChild(call.awaitIdle)
      yield* BidiTest.advance("14 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* BidiTest.advance("1 second")
      assert.isDefined(waiting.pollUnsafe())
    })
  )

  it.effect("does not keep the microphone shut with a protected greeting", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.expect("Respond")
          yield* line.reply({ text: "This call is recorded.", audio: "2 seconds", itemId: "greeting" })
        })
      )
      const call = yield* agent.start({ outputs: [remote] })
      const saying = yield* Effect.forkChild(call.say("This call is recorded.", { interruptible: false }))
      yield* BidiTest.advance("1 second")
      yield* Fiber.join(saying)
      yield* call.send(report("greeting", 700))
      yield* BidiTest.advance("3 seconds")
      const audio = new Uint8Array(960).fill(7)
      yield* call.send({ _tag: "AudioInput", audio, ...call.model.input })
      yield* BidiTest.settle
      const heard = model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio] : []))
      assert.deepStrictEqual(heard.at(-1), audio)
    })
  )

  const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8000 }))
  const Step = Schema.TaggedUnion({
    Produce: { item: Schema.Literals(["a", "b", "c"]), millis: Millis },
    Pass: { millis: Millis },
    Report: { item: Schema.Literals(["a", "b", "c"]), played: Millis },
    Pause: { millis: Millis },
    Flush: {}
  })

  it.prop(
    "with any reports, everything settles when its sound would have been over, and the grace",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(40)) },
    ({ steps }) => {
      const ledger = new Ledger()
      const time = new RemoteClock()
      let now = 0
      let over = 0 // when the sound would have been over
      const position = () => time.played(now)
      ledger.add(position)
      for (const step of steps) {
        const before = position()
        switch (step._tag) {
          case "Produce":
            ledger.append(`r-${step.item}`, step.item, step.millis)
            time.append(step.millis, now)
            over = Math.max(over, now) + step.millis
            assert.isAtLeast(position(), before, "more to play takes nothing back")
            break
          case "Pass":
            now += step.millis
            assert.isAtLeast(position(), before, "time goes on")
            break
          case "Pause":
            time.pause(now)
            now += step.millis
            assert.strictEqual(position(), before)
            // what comes meanwhile waits as well
            over = Math.max(over, now - step.millis) + step.millis + 10
            ledger.append(`r-d`, "d", 10)
            time.append(10, now)
            time.resume(now)
            break
          case "Report": {
            const played = ledger.locate(position, step.item, step.played)
            if (played !== undefined) time.report(played, now)
            break
          }
          case "Flush":
            time.flush(now)
            ledger.flushed()
            over = now
        }
        assert.isAtMost(position(), time.given)
        if (now >= over + MAX_LAG_MILLIS) assert.strictEqual(ledger.remaining(), 0)
      }
      now = Math.max(now, over + MAX_LAG_MILLIS)
      assert.strictEqual(ledger.remaining(), 0)
      assert.deepStrictEqual(ledger.unheard(), [])
    },
    cases(60)
  )
})

describe("who waits for a device that does not get on", () => {
  it.effect("looks at it less and less", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.reply({ text: "A story.", audio: "1 second" }))
      let looks = 0
      let given = false
      const stuck = BidiOutput.speaker(
        "stuck",
        Effect.succeed({
          play: () => void (given = true),
          flush: Effect.void,
          played: () => {
            looks++
            return Duration.millis(given ? 999 : 0) // all but the last millisecond, for ever
          }
        })
      )
      const call = yield* agent.start({ outputs: [stuck] })
      yield* BidiTest.advance("10 millis")
      yield* Effect.forkChild(call.awaitSilence)
      yield* BidiTest.advance("10 seconds")
      assert.isAtMost(looks, 200)
    })
  )
})
