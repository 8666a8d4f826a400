/**
 * What a provider adds reaches the application before we know it, and nobody who did not ask for it.
 */
import { BidiAgent, type BidiEvent, BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { agentWith } from "./support/agent.ts"

const raw = { type: "mood.detected", mood: "cheerful", scores: [0.25, 0.75] }
const expected = { _tag: "Unknown", provider: "test", type: "mood.detected", raw, at: 0 } as const

const script: BidiTest.Script = (line) => line.emit({ _tag: "Unknown", type: raw.type, raw })

const output = (seen: Array<BidiEvent.Output>, events?: ReadonlyArray<BidiEvent.OutputTag>) =>
  BidiOutput.make("watcher", {
    ...(events === undefined ? {} : { events }),
    handle: (event: BidiEvent.Output) => Effect.sync(() => void seen.push(event))
  })

describe("what nobody here knows", () => {
  it.effect("reaches outputs and hooks that ask for it, with the provider, its type and all of it", () =>
    Effect.gen(function* () {
      const asked: Array<BidiEvent.Output> = []
      const others: Array<BidiEvent.Output> = []
      const hooked: Array<BidiEvent.Output> = []
      const { agent } = yield* agentWith(script)
      const call = yield* agent.start({
        outputs: [output(asked, ["Unknown"]), output(others)],
        hooks: [BidiAgent.on("Unknown", (event) => Effect.sync(() => void hooked.push(event)))]
      })
      yield* BidiTest.settle
      yield* call.stop()
      yield* call.await
      assert.deepStrictEqual(asked, [expected])
      assert.deepStrictEqual(hooked, [expected])
      assert.notInclude(
        others.map((event) => event._tag),
        "Unknown"
      )
    })
  )

  it.effect("reaches call.events from when they are taken", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.emit({ _tag: "Unknown", type: "too.early", raw: {} })
          yield* line.expectText("Hi")
          yield* script(line)
        })
      )
      const call = yield* agent.start()
      yield* BidiTest.settle
      const seen: Array<BidiEvent.Output> = []
      yield* Effect.forkChild(Stream.runForEach(call.events, (event) => Effect.sync(() => void seen.push(event))))
      yield* BidiTest.settle
      yield* call.send("Hi")
      yield* BidiTest.settle
      assert.deepStrictEqual(
        seen.filter((event) => event._tag === "Unknown"),
        [expected]
      )
    })
  )
})
