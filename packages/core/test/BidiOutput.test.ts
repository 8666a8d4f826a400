import { Audio, type BidiEvent, BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const sound: BidiEvent.AudioStream = {
  _tag: "AudioStream",
  responseId: "r",
  itemId: "i",
  audio: new Uint8Array(2),
  at: 0,
  ...Audio.pcm(24_000)
}
const speech = (phase: "started" | "stopped"): BidiEvent.Output => ({ _tag: "UserSpeech", phase, at: 0 })

describe("an output with a mailbox", () => {
  it.effect("drops sound that it has not begun to handle, and nothing else, when it is to fall silent", () =>
    Effect.gen(function* () {
      const handled: Array<string> = []
      const output = BidiOutput.make("remote", {
        events: ["AudioStream", "UserSpeech"],
        handle: (event) => Effect.sync(() => handled.push(event._tag === "UserSpeech" ? event.phase : event._tag))
      })
      const sink = yield* output.open
      yield* Effect.forkScoped(sink.run, { startImmediately: true })
      sink.offer(sound) // the output waits for it, and has not run yet
      sink.offer(speech("started"))
      sink.offer(sound)
      yield* sink.flush
      assert.deepStrictEqual(handled, [])
      sink.offer(speech("stopped"))
      yield* BidiTest.settle
      assert.deepStrictEqual(handled, ["started", "stopped"])
      sink.offer(sound)
      yield* sink.end
      yield* BidiTest.settle
      assert.deepStrictEqual(handled, ["started", "stopped", "AudioStream"])
    }).pipe(Effect.scoped)
  )
})
