import { BidiAgent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

describe("an event", () => {
  it.effect("carries the time at which it happened, whenever somebody hears of it", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Tell me a story.")
          yield* line.wait("2 seconds")
          yield* line.reply({ text: "Once there was a fox.", audio: "1 second", over: "1 second" })
        })
      )
      const seen: Array<readonly [tag: string, at: number]> = []
      const see = ({ _tag, at }: { readonly _tag: string; readonly at: number }) => seen.push([_tag, at])
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
      yield* BidiTest.advance("10 seconds")
      const slowly = (event: { readonly _tag: string; readonly at: number }) =>
        Effect.andThen(
          Effect.sleep("1 minute"),
          Effect.sync(() => void see(event))
        )
      const call = yield* agent.start({
        outputs: [recorder.output],
        hooks: [BidiAgent.on("ResponseStart", slowly), BidiAgent.on("ResponseComplete", slowly)]
      })
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("5 minutes")
      assert.deepStrictEqual(seen, [
        ["ResponseStart", 12_000],
        ["ResponseComplete", 13_000]
      ])
      const sound = recorder.events().filter(({ _tag }) => _tag === "AudioStream")
      assert.deepStrictEqual([sound[0]!.at, sound.at(-1)!.at], [12_100, 13_000])
    })
  )
})
