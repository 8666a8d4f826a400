import { BidiAgent, type BidiEvent, BidiJson, BidiModel } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Renewals from "../src/internal/connection/renewal.ts"
import { agentWith, reasonOf } from "./support/agent.ts"

const dialed = (model: BidiTest.TestModel) =>
  model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.at / 1000] : []))

const warnings = (events: ReadonlyArray<BidiEvent.Output>) =>
  events.filter((event) => event._tag === "ConnectionWarning")

/** An hour of a conversation over connections that the model announces the end of in some way. */
const anHour = (
  script: BidiTest.Script,
  options: BidiTest.ModelOptions,
  connection: BidiAgent.ConnectionOptions = {}
) =>
  Effect.gen(function* () {
    const { agent, model } = yield* agentWith(script, options)
    const recorder = BidiTest.recorder()
    const call = yield* agent.start({ outputs: [recorder.output], connection })
    yield* BidiTest.advance("1 hour")
    yield* call.stop()
    return { dialed: dialed(model), warnings: warnings(recorder.events()), model, events: recorder.events() }
  })

describe("renewals have a pace of their own", () => {
  it.effect("when every connection is said to have ended before it began, its age counts", () =>
    Effect.gen(function* () {
      const { dialed, warnings } = yield* anHour((line) => line.accept, {
        lifetime: "-1 hour",
        limits: { maxDuration: Duration.minutes(30), renewBefore: Duration.minutes(5) }
      })
      assert.deepStrictEqual(dialed, [0, 25 * 60, 50 * 60])
      assert.isTrue(warnings.every(({ timeLeft }) => Duration.equals(timeLeft, Duration.minutes(5))))
    })
  )

  it.effect("when every connection is said to end at once, each lives longer than the one before", () =>
    Effect.gen(function* () {
      const { dialed, warnings } = yield* anHour((line) => line.accept, { lifetime: "10 millis" })
      assert.deepStrictEqual(dialed.slice(0, 7), [0, 1, 3, 7, 15, 31, 63])
      assert.isAtMost(dialed.length, 66) // then one a minute
      assert.isTrue(warnings.every(({ message }) => message?.includes("has only just begun")))
    })
  )

  for (const timeLeft of [Duration.seconds(50), Duration.zero, Duration.seconds(-5), Duration.infinity]) {
    for (const overlap of [true, false]) {
      it.effect(
        `when the provider tells every connection to go at once (${Duration.format(timeLeft)}, ${overlap})`,
        () =>
          Effect.gen(function* () {
            const { dialed, events, warnings } = yield* anHour((line) => line.emit({ _tag: "Expiring", timeLeft }), {
              capabilities: { overlap }
            })
            assert.isAtLeast(dialed.length, 60)
            assert.isAtMost(dialed.length, 66)
            for (const warning of warnings) {
              assert.isFalse(Duration.isNegative(warning.timeLeft))
              Schema.encodeSync(BidiJson.Output)(warning)
            }
            assert.isTrue(events.every((event) => event._tag !== "ConnectionRestart" || event.reason === "scheduled"))
          })
      )
    }
  }

  it.effect("and are told in whole milliseconds", () =>
    Effect.gen(function* () {
      const { warnings } = yield* anHour((line) => line.accept, { lifetime: "448.999 millis" })
      assert.strictEqual(warnings[0]?.message?.split(" although")[0], "the connection ends in 112ms")
    })
  )

  it.effect("when it told so while the connection stood by for the end of a turn", () =>
    Effect.gen(function* () {
      const { dialed } = yield* anHour(
        (line) =>
          Effect.andThen(
            line.emit({ _tag: "Expiring", timeLeft: Duration.seconds(50) }),
            Effect.forever(line.reply({ text: "on and on", over: "8 seconds" }))
          ),
        {}
      )
      assert.isAtMost(dialed.length, 66)
    })
  )

  it.effect("when the application wants several a second", () =>
    Effect.gen(function* () {
      const { dialed } = yield* anHour((line) => line.accept, {}, { renew: { after: "1 millis" } })
      assert.isAtMost(dialed.length, 66)
    })
  )

  it.effect("and are as many as asked for where that is sensible", () =>
    Effect.gen(function* () {
      const { dialed, warnings } = yield* anHour((line) => line.accept, {}, { renew: { after: "2 seconds" } })
      assert.lengthOf(dialed, 1800 + 1)
      assert.isTrue(warnings.every(({ message }) => message === undefined))
    })
  )

  it.effect("begin anew after a connection that was renewed in its time", () =>
    Effect.gen(function* () {
      const { dialed } = yield* anHour(
        (line) =>
          line.generation === 4
            ? Effect.andThen(line.accept, Effect.never)
            : line.emit({ _tag: "Expiring", timeLeft: Duration.seconds(50) }),
        { limits: { renewAfter: Duration.minutes(10) } }
      )
      assert.deepStrictEqual(dialed.slice(0, 7), [0, 1, 3, 7, 607, 608, 610])
    })
  )
})

describe("an end that is known", () => {
  for (const connection of [{ reconnect: false }, { renew: false }]) {
    it.effect(`is told ahead, also where nothing is renewed: ${JSON.stringify(connection)}`, () =>
      Effect.gen(function* () {
        const silent: BidiTest.Script = (line) => line.accept
        const timeLeft = Duration.seconds(50)
        const announced = yield* anHour(silent, { lifetime: "80 minutes" }, connection)
        const left = ({ warnings }: typeof announced) => warnings.map(({ timeLeft }) => Duration.toSeconds(timeLeft))
        assert.deepStrictEqual(left(announced), [20 * 60])
        const told = yield* anHour((line) => line.emit({ _tag: "Expiring", timeLeft }), {}, connection)
        assert.deepStrictEqual(left(told), [50])
        const unknown = yield* anHour(silent, { limits: { renewAfter: Duration.minutes(7) } }, connection)
        assert.deepStrictEqual(left(unknown), [])
        for (const { dialed } of [announced, told, unknown]) assert.lengthOf(dialed, 1)
      })
    )
  }

  const at = (...[limits, expiresAt, after]: [BidiModel.Limits, number | undefined, Duration.Input?]) => {
    const due = Renewals.due(limits, 1000, expiresAt, after)
    return due === undefined ? undefined : (due.at - 1000) / 1000
  }
  const minutes = Duration.minutes
  const hour = { maxDuration: minutes(60), renewBefore: minutes(5) }

  it("is met ahead, whoever names it, the earliest first", () => {
    assert.strictEqual(at(hour, undefined), 55 * 60)
    // a clock that is wrong by an hour, by years, or not a number
    for (const expiresAt of [0, 1000, -1e18, 1e18, Infinity, NaN]) assert.strictEqual(at(hour, expiresAt), 55 * 60)
    assert.strictEqual(at(hour, 1000 + 8 * 60_000), 6 * 60)
    // a limit that is announced shorter than the default
    assert.strictEqual(at({ renewAfter: minutes(7) }, 1000 + 4 * 60_000), 3 * 60)
    assert.strictEqual(at({ maxDuration: minutes(5), renewAfter: minutes(7) }, undefined), 280)
    // and than what the application thought of
    assert.strictEqual(at({}, 1000 + 120_000, "7 minutes"), 100)
    assert.strictEqual(at(hour, 1000 + 3_600_000, "58 minutes"), 58 * 60)
    assert.strictEqual(at({}, undefined), undefined)
    assert.strictEqual(at({ maxDuration: Duration.millis(NaN) }, undefined), 0)
  })
})

describe("a connection whose end is told in an impossible way", () => {
  it.effect("is told without it", () =>
    Effect.gen(function* () {
      for (const expiresAt of [NaN, Infinity, 1e30, -1e30]) {
        const scripted = yield* BidiTest.model((line) => line.accept)
        const layer = Layer.effect(
          BidiModel.BidiModel,
          Effect.map(BidiModel.BidiModel, (model) => ({
            ...model,
            connect: (setup: BidiModel.Setup) =>
              Effect.map(model.connect(setup), (connection) => ({ ...connection, expiresAt }))
          }))
        ).pipe(Layer.provide(scripted.layer))
        const agent = yield* BidiAgent.make({}).pipe(Effect.provide(layer))
        const recorder = BidiTest.recorder()
        const call = yield* agent.start({ outputs: [recorder.output] })
        yield* BidiTest.advance("1 day")
        assert.deepStrictEqual(
          recorder.events().map((event) => [event._tag, "expiresAt" in event]),
          [["ConnectionStart", false]]
        )
        assert.isUndefined(reasonOf(yield* Effect.exit(Effect.andThen(call.stop(), call.await))))
      }
    })
  )
})
