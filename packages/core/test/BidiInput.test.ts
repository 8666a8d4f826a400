import { type BidiEvent, BidiInput } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

const text = (text: string) => ({ _tag: "TextInput", text, role: "user" }) as const

type Push = (input: BidiEvent.Input) => boolean

// A device that is there as long as somebody listens to it.
const makeDevice = () => {
  const listeners = new Set<Push>()
  const open = (push: Push) =>
    Effect.andThen(
      Effect.acquireRelease(
        Effect.sync(() => void listeners.add(push)),
        () => Effect.sync(() => listeners.delete(push))
      ),
      Effect.never
    )
  return { listeners, open, say: (words: string) => Array.from(listeners, (push) => push(text(words))) }
}

describe("make", () => {
  it.effect("takes a stream event by event, and waits where it must", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const input = BidiInput.make("typed", Stream.make(text("1"), text("2"), text("3")))
      yield* input.run((event) => {
        seen.push(event)
        return event._tag === "TextInput" && event.text === "2" ? Effect.sync(() => seen.push("waited")) : undefined
      })
      assert.deepStrictEqual(seen, [text("1"), text("2"), "waited", text("3")])
    })
  )

  it.effect("fails as the stream does", () =>
    Effect.gen(function* () {
      const input = BidiInput.make("typed", Stream.concat(Stream.make(text("1")), Stream.fail("unplugged")))
      assert.strictEqual(yield* Effect.flip(input.run(() => undefined)), "unplugged")
    })
  )
})

describe("capture", () => {
  it.effect("has what is pushed taken before push returns", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const device = makeDevice()
      const input = BidiInput.capture("microphone", device.open, { capacity: 2 })
      const running = yield* Effect.forkChild(
        input.run((event) => void seen.push(event)),
        { startImmediately: true }
      )
      assert.deepStrictEqual(device.say("1"), [true])
      assert.deepStrictEqual(seen, [text("1")])
      yield* Fiber.interrupt(running)
    })
  )

  it.effect("keeps what comes while something takes time, without the oldest where there is no room", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const device = makeDevice()
      const first = yield* Deferred.make<void>()
      const input = BidiInput.capture("microphone", device.open, { capacity: 2 })
      const running = yield* Effect.forkChild(
        input.run((event) => (seen.push(event) === 1 ? Deferred.await(first) : undefined)),
        { startImmediately: true }
      )
      assert.deepStrictEqual(["1", "2", "3", "4"].flatMap(device.say), [true, true, true, false])
      assert.deepStrictEqual(seen, [text("1")])
      yield* Deferred.succeed(first, undefined)
      yield* Effect.yieldNow
      assert.deepStrictEqual(seen, [text("1"), text("3"), text("4")])
      yield* Fiber.interrupt(running)
    })
  )

  it.effect("ends and fails as the device does, behind what it said", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const input = (end: Effect.Effect<void, string>) =>
        BidiInput.capture(
          "microphone",
          (push) =>
            Effect.andThen(
              Effect.sync(() => push(text("1"))),
              end
            ),
          { capacity: 2 }
        ).run((event) => void seen.push(event))
      yield* input(Effect.void)
      assert.strictEqual(yield* Effect.flip(input(Effect.fail("unplugged"))), "unplugged")
      assert.deepStrictEqual(seen, [text("1"), text("1")])
    })
  )

  it.effect("lets go of the device when nobody listens any more, and does not mind what still comes", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const device = makeDevice()
      const running = yield* Effect.forkChild(
        BidiInput.capture("microphone", device.open, { capacity: 2 }).run((event) => void seen.push(event)),
        { startImmediately: true }
      )
      const [late] = device.listeners
      yield* Fiber.interrupt(running)
      assert.strictEqual(device.listeners.size, 0)
      late!(text("2"))
      assert.deepStrictEqual(seen, [])
    })
  )
})
