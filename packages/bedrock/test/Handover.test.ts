/**
 * What the next connection is told of the user's last words: once, as text or as sound. AWS' sample of a session that
 * continues another leaves the text out where the sound is played again, "or it is answered twice".
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as Effect from "effect/Effect"
import { NovaSonic } from "../src/index.ts"
import * as F from "./fixtures/frames.ts"
import { keys } from "./support/line.ts"
import * as Server from "./support/server.ts"

// minutes of virtual time, of which every moment is sound on a real connection
vi.setConfig({ testTimeout: 30_000 })

const QUESTION = "What time is it?"

/** A loud second in frames of 20 ms. */
const frames = Array.from({ length: 50 }, () => new Uint8Array(640).fill(7))

/** Somebody asks, the provider has understood it, and nobody answers before `lose` ends the connection. */
const asked = Effect.fnUntraced(function* (
  words: ReadonlyArray<ReturnType<typeof F.frame>>,
  lose: (peer: Server.Peer) => Effect.Effect<void>
) {
  const server = yield* Server.make()
  const model = NovaSonic.layer({ region: "us-east-1", credentials: keys, endpoint: server.url })
  const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model))
  const call = yield* agent.start({ connection: { renew: { after: "1 minute", wait: "1 second" } } })
  const peer = yield* server.accept
  yield* peer.opening
  yield* BidiTest.advance("58 seconds")
  for (const audio of frames) {
    yield* call.send({ _tag: "AudioInput", audio, ...call.model.input })
    yield* BidiTest.advance("20 millis")
  }
  peer.send(F.wire(F.completionStart), ...words.map(F.wire))
  yield* Server.turns(20)
  yield* lose(peer)
  const other = yield* server.accept
  yield* other.opening
  let sound = 0
  let texts = ""
  const isSaid = () => sound > 0 || texts.includes(QUESTION)
  yield* Effect.forkScoped(
    Effect.forever(Effect.map(other.sound, (some) => (sound += some.filter((byte) => byte === 7).length)))
  )
  yield* Effect.forkScoped(
    Effect.forever(Effect.map(other.next, ({ data, name }) => (texts += name === "textInput" ? data.content : "")))
  )
  while (!isSaid()) yield* BidiTest.advance("100 millis")
  yield* BidiTest.advance("2 seconds")
  yield* BidiTest.advance("2 seconds")
  return { sound, times: texts.split(QUESTION).length - 1 }
})

const losses: ReadonlyArray<readonly [string, (peer: Server.Peer) => Effect.Effect<void>]> = [
  ["lost", (peer) => Effect.sync(() => peer.stream.session?.destroy())],
  // the turn is waited for, but only so long
  ["renewed", () => BidiTest.advance("4 seconds")]
]

describe.each(losses)("a connection that is %s before the user is answered", (_, lose) => {
  it.effect("has the user's words told once", () =>
    Effect.gen(function* () {
      const { sound, times } = yield* asked(F.user("u", QUESTION), lose)
      const all = frames.length * 640
      assert.isTrue((times === 1 && sound === 0) || (times === 0 && sound === all), `${times} times, ${sound} bytes`)
    })
  )

  it.effect("has speech whose words are still coming sent again as sound", () =>
    Effect.gen(function* () {
      const { sound, times } = yield* asked(F.user("u", "What time").slice(0, -1), lose)
      assert.deepStrictEqual([sound, times], [frames.length * 640, 0])
    })
  )
})
