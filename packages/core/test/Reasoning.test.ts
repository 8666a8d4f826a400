/**
 * What a model thinks, or writes beside its speech: told to those who ask for it, never a caption, never history.
 */
import { BidiAgent, type BidiEvent, BidiJson, BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { agentWith } from "./support/agent.ts"

const thought = { _tag: "Reasoning", responseId: "r1", delta: "The user greets me." } as const

const script: BidiTest.Script = Effect.fnUntraced(function* (line) {
  yield* line.expectText("Hi")
  yield* line.emit({ _tag: "ResponseStarted", responseId: "r1" })
  yield* line.emit(thought)
  yield* line.emit({ _tag: "TranscriptDelta", role: "assistant", itemId: "i1", responseId: "r1", delta: "Hello." })
  yield* line.emit({ _tag: "ResponseDone", responseId: "r1", stopReason: "complete" })
  // too late: the reply is over
  yield* line.emit({ ...thought, delta: "Done." })
})

describe("what the model thinks", () => {
  it.effect("reaches outputs and hooks that ask for it, and is neither caption nor history", () =>
    Effect.gen(function* () {
      const asked: Array<BidiEvent.Output> = []
      const others: Array<BidiEvent.Output> = []
      const hooked: Array<BidiEvent.Output> = []
      const keep = (into: Array<BidiEvent.Output>) => (event: BidiEvent.Output) =>
        Effect.sync(() => void into.push(event))
      const { agent } = yield* agentWith(script)
      const call = yield* agent.start({
        outputs: [
          BidiOutput.make("asks", { events: ["Reasoning"], handle: keep(asked) }),
          BidiOutput.make("does not", { handle: keep(others) })
        ],
        hooks: [BidiAgent.on("Reasoning", keep(hooked))]
      })
      yield* call.send("Hi")
      yield* BidiTest.settle
      const history = JSON.stringify((yield* call.history).content)
      yield* call.stop()
      yield* call.await
      assert.deepStrictEqual(asked, [{ ...thought, at: 0 }])
      assert.deepStrictEqual(hooked, [{ ...thought, at: 0 }])
      assert.notInclude(JSON.stringify(others), "greets")
      assert.include(history, "Hello.")
      assert.notInclude(history, "greets")
    })
  )

  it("is JSON, and comes back from it", () => {
    const timed = { ...thought, at: 7 }
    const json = Schema.encodeSync(BidiJson.Output)(timed)
    assert.deepStrictEqual(json as object, {
      type: "bidi_reasoning",
      response_id: "r1",
      delta: "The user greets me.",
      at: 7
    })
    assert.deepStrictEqual(Schema.decodeUnknownSync(BidiJson.Output)(json), timed)
  })
})
