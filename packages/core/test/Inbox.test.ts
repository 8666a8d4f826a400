import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as Inbox from "@effect-bidi/core/adapter/Inbox"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
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

  it.effect("hands over to a reader that waits, in the stack of who offers", () =>
    Effect.gen(function* () {
      const taken: Array<number> = []
      const inbox = new Inbox.Inbox<number>(4, "dropping")
      inbox.offer(1)
      const reader = yield* Effect.forkChild(
        inbox.forEach((message) => void taken.push(message)),
        { startImmediately: true }
      )
      assert.deepStrictEqual(taken, [1])
      inbox.offer(2)
      assert.deepStrictEqual(taken, [1, 2])
      yield* Fiber.interrupt(reader)
      inbox.offer(3)
      assert.deepStrictEqual(taken, [1, 2])
      assert.deepStrictEqual(yield* inbox.takeAll, [3])
    })
  )

  it.effect("waits for what one message takes before the next, and never runs it in the stack of who offers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const inbox = new Inbox.Inbox<number>(2, "dropping")
      const gate = yield* Deferred.make<void>()
      yield* Effect.forkChild(
        inbox.forEach((message) => {
          log.push(`take ${message}`)
          if (message !== 1) return undefined
          return Effect.andThen(
            Effect.sync(() => log.push("work")),
            Deferred.await(gate)
          )
        }),
        { startImmediately: true }
      )
      assert.deepStrictEqual(
        [1, 2, 3, 4].map((message) => inbox.offer(message)),
        [true, true, true, false]
      )
      assert.deepStrictEqual(log, ["take 1"])
      yield* BidiTest.settle
      assert.deepStrictEqual(log, ["take 1", "work"])
      yield* Deferred.succeed(gate, undefined)
      yield* BidiTest.settle
      assert.deepStrictEqual(log, ["take 1", "work", "take 2", "take 3"])
    })
  )

  it.effect("keeps the order of what is offered while a message is taken", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const inbox = new Inbox.Inbox<number, "over">(4, "dropping")
      const reader = yield* Effect.forkChild(
        Effect.flip(
          inbox.forEach((message) => {
            log.push(`begin ${message}`)
            if (message === 1) inbox.offer(2)
            if (message === 2) inbox.done(Exit.fail("over"))
            log.push(`end ${message}`)
            return undefined
          })
        ),
        { startImmediately: true }
      )
      inbox.offer(1)
      assert.deepStrictEqual(log, ["begin 1", "end 1", "begin 2", "end 2"])
      assert.strictEqual(yield* Fiber.join(reader), "over")
    })
  )

  it.effect("throws nothing at who offers: it is a defect of the reader", () =>
    Effect.gen(function* () {
      const inbox = new Inbox.Inbox<number>(4, "dropping")
      const reader = yield* Effect.forkChild(
        inbox.forEach(() => {
          throw new Error("unreadable")
        }),
        { startImmediately: true }
      )
      assert.isTrue(inbox.offer(1))
      const exit = yield* Fiber.await(reader)
      assert(Exit.isFailure(exit))
      assert.isTrue(Cause.hasDies(exit.cause))
    })
  )

  it("drops of what waits only what it is told to", () => {
    const inbox = new Inbox.Inbox<number>(4, "dropping")
    for (const message of [1, 2, 3, 4]) inbox.offer(message)
    inbox.retain((message) => message % 2 === 0)
    assert.isTrue(inbox.offer(5))
    assert.deepStrictEqual(Effect.runSync(inbox.takeAll), [2, 4, 5])
  })

  for (const steps of [2048, 30, 7]) {
    it.effect.prop(
      `has everything taken in order, whatever takes time (${steps} steps)`,
      [Pieces, Schema.Array(Schema.Boolean)],
      ([pieces, slow]) =>
        Effect.gen(function* () {
          const inbox = new Inbox.Inbox<number, "over">(1000, "dropping")
          const log: Array<number> = []
          const reader = yield* inbox
            .forEach((message) => {
              log.push(message)
              return slow[message % Math.max(1, slow.length)] === true
                ? Effect.andThen(
                    Effect.yieldNow,
                    Effect.sync(() => log.push(-message))
                  )
                : undefined
            })
            .pipe(
              Effect.flip,
              Effect.provideService(References.MaxOpsBeforeYield, steps),
              Effect.forkChild({ startImmediately: true })
            )
          let count = 1
          for (const piece of pieces) {
            for (let i = 0; i < piece; i++) inbox.offer(count++)
            yield* Effect.yieldNow
          }
          inbox.done(Exit.fail("over"))
          assert.strictEqual(yield* Fiber.join(reader), "over")
          const expected: Array<number> = []
          for (let message = 1; message < count; message++) {
            expected.push(message)
            if (slow[message % Math.max(1, slow.length)] === true) expected.push(-message)
          }
          assert.deepStrictEqual(log, expected)
        })
    )
  }
})
