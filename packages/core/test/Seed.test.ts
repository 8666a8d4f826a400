import { BidiAgent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Condition from "../src/internal/condition.ts"

describe("a seed", () => {
  const ids = Effect.gen(function* () {
    const model = yield* BidiTest.model((line) => Effect.forever(line.next))
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
    const call = yield* agent.start()
    yield* call.send("Hello.")
    yield* call.send("Are you there?")
    return model.commands().map((command) => (command._tag === "UserMessage" ? command.id : ""))
  }).pipe(Effect.scoped)

  it.effect("repeats the ids of a conversation, which differ without it", () =>
    Effect.gen(function* () {
      const [first, again] = [yield* Random.withSeed(ids, "seed"), yield* Random.withSeed(ids, "seed")]
      assert.strictEqual(new Set(first).size, 2)
      for (const id of first) assert.match(id, /^[0-9a-f]{32}$/)
      assert.deepStrictEqual(again, first)
      assert.notDeepEqual(yield* ids, first)
    })
  )
})

describe("a condition", () => {
  it.effect("resumes who waits for the next signal, also when that came before the waiting", () =>
    Effect.gen(function* () {
      const condition = Condition.make()
      const next = condition.next()
      condition.signal()
      yield* next
      let holds = false
      const waiting = yield* Effect.forkChild(
        condition.until(() => holds),
        { startImmediately: true }
      )
      condition.signal()
      yield* BidiTest.settle
      assert.isUndefined(waiting.pollUnsafe())
      holds = true
      condition.signal()
      yield* BidiTest.settle
      assert.isDefined(waiting.pollUnsafe())
    })
  )
})
