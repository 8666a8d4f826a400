import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Limits from "../src/internal/conversation/limits.ts"
import { agentWith } from "./support/agent.ts"

const chat: BidiTest.Script = Effect.fnUntraced(function* (line) {
  yield* line.accept
  while (true) {
    if ((yield* line.next)._tag === "UserMessage") yield* line.reply({ text: "Yes.", audio: "5 seconds" })
  }
})

const start = Effect.fnUntraced(function* (limits: Parameters<typeof startWith>[1]) {
  return yield* startWith(chat, limits)
})

const startWith = Effect.fnUntraced(function* (
  script: BidiTest.Script,
  limits: {
    readonly userIdle?: Duration.Input
    readonly maxIdle?: Duration.Input
    readonly maxDuration?: Duration.Input
  }
) {
  const { agent } = yield* agentWith(script)
  const recorder = BidiTest.recorder()
  const speaker = yield* BidiTest.speaker()
  const call = yield* agent.start({ outputs: [recorder.output, speaker.output], limits })
  const idle = () =>
    recorder.events().flatMap((event) => (event._tag === "UserIdle" ? [Duration.toSeconds(event.idle)] : []))
  return { call, idle, recorder }
})

describe("limits", () => {
  it.effect("tell when nothing happens, again and again", () =>
    Effect.gen(function* () {
      const { call, idle } = yield* start({ userIdle: "10 seconds" })
      yield* BidiTest.advance("25 seconds")
      assert.deepStrictEqual(idle(), [10, 20])
      yield* call.send("Hello?")
      yield* BidiTest.advance("14 seconds") // five of them are the reply
      assert.deepStrictEqual(idle(), [10, 20])
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(idle(), [10, 20, 10])
    })
  )

  it.effect("end a conversation in which nothing happens, and no other", () =>
    Effect.gen(function* () {
      const { call, idle, recorder } = yield* start({ userIdle: "20 seconds", maxIdle: "30 seconds" })
      for (let i = 0; i < 5; i++) {
        yield* BidiTest.advance("15 seconds")
        yield* call.send("Still here.")
      }
      assert.deepStrictEqual(idle(), [])
      yield* BidiTest.advance("34 seconds")
      assert.notStrictEqual(recorder.events().at(-1)?._tag, "ConnectionClose")
      yield* BidiTest.advance("1 second")
      assert.strictEqual(yield* call.await, "timeout")
    })
  )

  it.effect("end a conversation that lasts too long", () =>
    Effect.gen(function* () {
      const { call } = yield* start({ maxDuration: "10 minutes" })
      yield* BidiTest.advance("9 minutes")
      yield* call.send("Go on.")
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* call.await, "timeout")
    })
  )

  it.effect("do not wait for ever for a reply that does not come", () =>
    Effect.gen(function* () {
      const { call, idle } = yield* startWith((line) => line.accept, { userIdle: "10 seconds" })
      yield* call.send("Hello?")
      yield* BidiTest.advance("39 seconds")
      assert.deepStrictEqual(idle(), [])
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(idle(), [10])
    })
  )

  it.effect("takes a timer that is a little early for what it is", () =>
    Effect.gen(function* () {
      const told: Array<unknown> = []
      const since = yield* Clock.currentTimeMillis
      let looks = 0
      const services = {
        fanout: { emit: (event: unknown) => told.push(event) },
        // by this clock, every timer fires a millisecond too soon
        now: () => since + (looks++ === 0 ? 0 : Math.max(0, elapsed() - 1)),
        turn: { awaitIdle: Effect.void, awaitActivity: Effect.never }
      } as unknown as Parameters<typeof Limits.enforce>[0]
      const clock = yield* Clock.Clock
      const elapsed = () => clock.currentTimeMillisUnsafe() - since
      const over = yield* Deferred.make<number>()
      const stop = () => Effect.asVoid(Deferred.sync(over, elapsed))
      yield* Effect.forkScoped(Limits.enforce(services, { maxIdle: "1 second" }, stop), { startImmediately: true })
      yield* BidiTest.advance("3 seconds")
      assert.strictEqual(yield* Deferred.await(over), 1001)
      assert.deepStrictEqual(told, [])
    })
  )
})
