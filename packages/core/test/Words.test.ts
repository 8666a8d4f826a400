/** Words of the user, where there are none. */
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { agentWith } from "./support/agent.ts"

/** A turn of the user whose words come in these pieces, and is answered. */
const heard = Effect.fnUntraced(function* (...pieces: ReadonlyArray<string>) {
  const { agent } = yield* agentWith((line) =>
    Effect.gen(function* () {
      yield* line.emit({ _tag: "UserTurn", itemId: "u", respond: true })
      for (const delta of pieces) yield* line.emit({ _tag: "TranscriptDelta", role: "user", itemId: "u", delta })
      yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: "u", text: pieces.join("") })
      yield* line.reply({ text: "Yes?" })
      return yield* Effect.never
    })
  )
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({ outputs: [recorder.output] })
  yield* BidiTest.advance("1 second")
  const events = recorder.events()
  const words = events.filter((event) => event._tag === "TranscriptStream" && event.role === "user")
  const { content } = yield* call.history
  return {
    words,
    roles: content.map(({ role }) => role),
    isAnswered: events.some(({ _tag }) => _tag === "ResponseStart")
  }
})

describe("what the user said", () => {
  it.effect.each([[[]], [[""]], [[" "]], [["\n", "  "]]])(
    "makes no line where nothing was understood: %j",
    ([pieces]) =>
      Effect.gen(function* () {
        const { isAnswered, roles, words } = yield* heard(...pieces!)
        assert.deepStrictEqual(words, [])
        assert.deepStrictEqual(roles, ["assistant"])
        assert.isTrue(isAnswered)
      })
  )

  it.effect("begins with its first word, and its pieces add up to it", () =>
    Effect.gen(function* () {
      const { roles, words } = yield* heard(" ", "Hello", " there")
      assert.deepStrictEqual(
        words.map((event) => event._tag === "TranscriptStream" && [event.delta, event.isFinal]),
        [
          [" Hello", false],
          [" there", false],
          ["", true]
        ]
      )
      assert.deepStrictEqual(roles, ["user", "assistant"])
    })
  )
})
