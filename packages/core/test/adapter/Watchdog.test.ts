import { MISSED_INTERVALS, PING_INTERVAL, watch } from "@effect-bidi/core/adapter/Watchdog"
import { BidiError, ConnectionLost } from "@effect-bidi/core/BidiError"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"

const watched = Effect.gen(function* () {
  const opened = yield* Deferred.make<void, BidiError>()
  const over = yield* Deferred.make<void>()
  const peer = { pings: 0, alive: true, dead: 0 }
  yield* watch({
    ping: () => void peer.pings++,
    isAlive: () => {
      const { alive } = peer
      peer.alive = false
      return alive
    },
    onDead: () => void peer.dead++,
    opened: Deferred.await(opened),
    over: Deferred.await(over)
  })
  return { over, opened, peer }
})

const standing = Effect.tap(watched, ({ opened }) => Deferred.succeed(opened, undefined))
const interval = TestClock.adjust(PING_INTERVAL)

describe("the watchdog", () => {
  it.effect("waits for the handshake, and asks nothing of a connection that never stands", () =>
    Effect.gen(function* () {
      const { opened, peer } = yield* watched
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(peer.pings, 0)
      yield* Deferred.fail(opened, new BidiError({ reason: new ConnectionLost({ message: "no" }) }))
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(peer, { pings: 0, dead: 0 })
    })
  )

  it.effect("gives up a silent peer, once, and no sooner", () =>
    Effect.gen(function* () {
      const { peer } = yield* standing
      for (let i = 0; i < MISSED_INTERVALS; i++) {
        yield* interval
        assert.deepInclude(peer, { pings: i + 2, dead: 0 })
      }
      yield* interval
      assert.strictEqual(peer.dead, 1)
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(peer, { pings: MISSED_INTERVALS + 1, dead: 1 })
    })
  )

  it.effect("is content with a peer that gives a sign of life late, of whatever kind", () =>
    Effect.gen(function* () {
      const { peer } = yield* standing
      for (let i = 0; i < 20; i++) {
        yield* interval
        if (i % MISSED_INTERVALS === 0) peer.alive = true
      }
      assert.deepInclude(peer, { pings: 21, dead: 0 })
    })
  )

  it.effect("does not take it for silence when the process was held up", () =>
    Effect.gen(function* () {
      const { peer } = yield* standing
      for (let i = 0; i < 3; i++) {
        peer.alive = true
        yield* TestClock.adjust(PING_INTERVAL)
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(peer.dead, 0)
    })
  )

  it.effect("sleeps for good when the connection is over", () =>
    Effect.gen(function* () {
      const { over, peer } = yield* standing
      yield* interval
      yield* Deferred.succeed(over, undefined)
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(peer, { pings: 2, dead: 0 })
    })
  )
})
