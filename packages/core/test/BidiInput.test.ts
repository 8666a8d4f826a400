import { type BidiEvent, BidiInput } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const text = (text: string) => ({ _tag: "TextInput", text, role: "user" }) as const

describe("capture", () => {
  it.effect("is what was pushed, without the oldest where there was no room, and ends with the device", () =>
    Effect.gen(function* () {
      const answers: Array<boolean> = []
      const stream = BidiInput.capture(
        (push) => Effect.sync(() => void answers.push(...["1", "2", "3"].map((words) => push(text(words))))),
        { capacity: 2 }
      )
      assert.deepStrictEqual(yield* Stream.runCollect(stream), [text("2"), text("3")])
      assert.deepStrictEqual(answers, [true, true, false])
    })
  )

  it.effect("fails as the device does, behind what it said", () =>
    Effect.gen(function* () {
      const heard: Array<unknown> = []
      const stream = BidiInput.capture(
        (push) => Effect.sync(() => push(text("1"))).pipe(Effect.andThen(Effect.fail("unplugged"))),
        {
          capacity: 2
        }
      )
      const error = yield* Effect.flip(Stream.runForEach(stream, (input) => Effect.sync(() => heard.push(input))))
      assert.strictEqual(error, "unplugged")
      assert.deepStrictEqual(heard, [text("1")])
    })
  )

  it.effect("lets go of the device when nobody listens any more, and does not mind what still comes", () =>
    Effect.gen(function* () {
      const devices = new Set<(input: BidiEvent.Input) => boolean>()
      let late: ((input: BidiEvent.Input) => boolean) | undefined
      const stream = BidiInput.capture(
        (push) =>
          Effect.andThen(
            Effect.acquireRelease(
              Effect.sync(() => {
                devices.add(push)
                late = push
                push(text("1"))
              }),
              () => Effect.sync(() => devices.delete(push))
            ),
            Effect.never
          ),
        { capacity: 2 }
      )
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(stream, 1)), [text("1")])
      assert.strictEqual(devices.size, 0)
      assert.isTrue(late!(text("2")))
    })
  )
})
