/** Pieces of audio that end within a sample, with a device whose rate differs from the model's. */
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as AudioIO from "../src/AudioIO.ts"
import { bytesOf } from "../src/internal/signal/samples.ts"
import { conversation, speech } from "./support/conversation.ts"
import { tone } from "./support/signal.ts"

describe("half a sample", () => {
  it.effect("is played with the next piece, and nothing is thrown", () =>
    Effect.gen(function* () {
      const audio = yield* AudioIO.AudioIO
      const sink = yield* Effect.provideService(audio.output.open, CurrentConversation, conversation)
      const bytes = bytesOf(tone(440, 1, 24_000))
      // as providers cut it: 4801 bytes
      for (let at = 0; at < bytes.length; at += 4801) {
        sink.offer(speech(bytes.slice(at, at + 4801)))
      }
      // half a sample at the end of an item is dropped
      sink.offer(speech(new Uint8Array(4801), "j"))
      sink.offer(speech(new Uint8Array(1), "k"))
      yield* BidiTest.advance("2 seconds")
      assert.strictEqual(audio.counts().produced, 24_000 + 2400)
      assert.strictEqual(typeof sink.playback, "function")
      const played = typeof sink.playback === "function" ? sink.playback() : Duration.zero
      assert.strictEqual(Duration.toMillis(played), 1100)
    }).pipe(Effect.scoped, Effect.provide(AudioIO.layer({ backend: "file", deviceRate: 44_100 })))
  )
})
