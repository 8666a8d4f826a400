/** What the speaker logs about its buffer at the level Debug. */
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as AudioIO from "../src/AudioIO.ts"
import { conversation, speech } from "./support/conversation.ts"

const linesAt = (level: "Debug" | "Info") =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
    yield* Effect.gen(function* () {
      const audio = yield* AudioIO.AudioIO
      const sink = yield* Effect.provideService(audio.output.open, CurrentConversation, conversation)
      const say = (seconds: number) => sink.offer(speech(new Uint8Array(48_000 * seconds)))
      say(1)
      yield* BidiTest.advance("2 seconds")
      say(2) // it had played all there was
      yield* BidiTest.advance("500 millis")
      yield* sink.pause!
      yield* sink.resume!
      yield* sink.flush
      say(4)
    }).pipe(
      Effect.scoped,
      Effect.provide([AudioIO.layer({ backend: "file", outputBuffer: "3 seconds" }), Logger.layer([logger])]),
      Effect.provideService(References.MinimumLogLevel, level)
    )
    return lines
  })

describe("the speaker", () => {
  it.effect("says what happens to its buffer", () =>
    Effect.gen(function* () {
      const lines = yield* linesAt("Debug")
      assert.match(lines[0]!, /^speaker: .* at 24000 Hz$/)
      assert.deepStrictEqual(lines.slice(1, 5), [
        "speaker: underrun, it has played all it had",
        "speaker: paused",
        "speaker: resumed",
        "speaker: flushed, 1.50 s of speech dropped"
      ])
      assert.include(lines, "speaker: overrun, 4.00 s of speech did not fit into its buffer")
    })
  )

  it.effect("says nothing when the level is off", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* linesAt("Info"), [])
    })
  )
})
