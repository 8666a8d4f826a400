import { Inbox } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Schema from "effect/Schema"

const full = (strategy: "dropping" | "sliding") => {
  const inbox = new Inbox.Inbox<number>(2, strategy)
  return { inbox, answers: [1, 2, 3].map((message) => inbox.offer(message)) }
}

describe("Inbox", () => {
  it.effect("refuses what does not fit, or drops the oldest, and says so", () =>
    Effect.gen(function* () {
      const dropping = full("dropping")
      assert.deepStrictEqual(dropping.answers, [true, true, false])
      assert.deepStrictEqual(yield* dropping.inbox.takeAll, [1, 2])
      const sliding = full("sliding")
      assert.deepStrictEqual(sliding.answers, [true, true, false])
      assert.deepStrictEqual(yield* sliding.inbox.takeAll, [2, 3])
    })
  )

  it.effect("ends behind what waits, with the first end", () =>
    Effect.gen(function* () {
      const inbox = new Inbox.Inbox<number, string>(4, "dropping")
      inbox.offer(1)
      inbox.done(Exit.fail("first"))
      inbox.done(Exit.fail("second"))
      assert.isTrue(inbox.offer(2))
      assert.strictEqual(yield* inbox.take, 1)
      assert.strictEqual(yield* Effect.flip(inbox.take), "first")
      assert.strictEqual(yield* Effect.flip(inbox.takeAll), "first")
    })
  )

  it.effect("does not run the reader in the stack of who offers", () =>
    Effect.gen(function* () {
      const inbox = new Inbox.Inbox<number>(4, "dropping")
      const reader = yield* Effect.forkChild(inbox.takeAll, { startImmediately: true })
      inbox.offer(1)
      inbox.offer(2)
      assert.isUndefined(reader.pollUnsafe())
      assert.deepStrictEqual(yield* Fiber.join(reader), [1, 2])
    })
  )

  it.effect("keeps what comes for a reader that has gone", () =>
    Effect.gen(function* () {
      const inbox = new Inbox.Inbox<number>(4, "dropping")
      const gone = yield* Effect.forkChild(inbox.takeAll, { startImmediately: true })
      inbox.offer(1)
      yield* Fiber.interrupt(gone)
      inbox.offer(2)
      assert.deepStrictEqual(yield* inbox.takeAll, [1, 2])
    })
  )

  const Pieces = Schema.Array(Schema.Literals([0, 1, 2, 5]))

  for (const steps of [2048, 30, 7]) {
    it.effect.prop(`loses nothing and keeps the order, whoever is faster (${steps} steps)`, [Pieces], ([pieces]) =>
      Effect.gen(function* () {
        const inbox = new Inbox.Inbox<number, "over">(1000, "dropping")
        const taken: Array<number> = []
        const reader = yield* inbox.takeAll.pipe(
          Effect.tap((all) => Effect.sync(() => taken.push(...all))),
          Effect.forever,
          Effect.flip,
          Effect.provideService(References.MaxOpsBeforeYield, steps),
          Effect.forkChild({ startImmediately: true })
        )
        let count = 0
        for (const piece of pieces) {
          for (let i = 0; i < piece; i++) inbox.offer(count++)
          yield* Effect.yieldNow
        }
        inbox.done(Exit.fail("over"))
        assert.strictEqual(yield* Fiber.join(reader), "over")
        assert.deepStrictEqual(
          taken,
          Array.from({ length: count }, (_, i) => i)
        )
      })
    )
  }
})
