import { assert, it } from "@effect/vitest"
import { Nova, audio, msIn, words } from "../support/nova.ts"
import { quiet, tone } from "../support/sound.ts"

const second = quiet(1000, 16_000)

/** Sends a second of sound every second; answers when the stream ends, in seconds. */
const endOf = (stream: Nova, sound = second): number => {
  while (stream.closes.length === 0) {
    stream.send(...audio(sound, 1000))
    stream.pass(1000)
  }
  return stream.now / 1000
}

it("a stream lasts eight minutes", () => {
  const stream = new Nova({ silenceMs: Number.POSITIVE_INFINITY })
  assert.strictEqual(endOf(stream), 480)
  assert.deepStrictEqual(stream.exception, {
    type: "modelTimeoutException",
    message: "Model has timed out in processing the request. Try your request again."
  })
})

it("nothing from the client for 55 seconds is too long, at any time", () => {
  const stream = new Nova()
  stream.pass(54_000)
  stream.send(...audio(second, 1000))
  stream.pass(54_999)
  assert.deepStrictEqual(stream.closes, [])
  stream.pass(1)
  assert.match(stream.exception?.message, /^RequestId=.* : Timed out waiting for input events$/)
})

it("nothing from a client that has not even begun is, too", () => {
  const stream = new Nova({ begin: null })
  stream.pass(55_000)
  assert.match(stream.exception?.message, /Timed out waiting for input events/)
})

it("silence of three minutes is too long", () => {
  const stream = new Nova()
  assert.strictEqual(endOf(stream), 180)
  assert.match(
    stream.exception?.message,
    /InternalErrorCode=531::RST_STREAM closed stream. HTTP\/2 error code: NO_ERROR$/
  )
})

it("silence begins anew with every word: of the user, typed or spoken, and of the assistant", () => {
  const typed = new Nova({ sessionMs: 1e9 })
  typed.pass(50_000)
  typed.ask("my name is Ada")
  assert.strictEqual(endOf(typed), 50 + 180)
  const spoken = new Nova({ sessionMs: 1e9, hear: () => "my name is Ada" })
  for (let i = 0; i < 100; i++) {
    spoken.send(...audio(second, 1000))
    spoken.pass(1000)
  }
  spoken.send(...audio(tone(1000, 8000, 16_000)))
  // the pause that ends the speech is noticed a moment later
  assert.closeTo(endOf(spoken), 100 + 180, 2)
  const format = new Nova({ sessionMs: 1e9, speed: 8 })
  format.send(...words("tell me a long story"))
  const end = endOf(format)
  assert.closeTo(end, msIn(format.events) / 1000 + 180, 1)
})

it("a stream expires on demand", () => {
  const stream = new Nova()
  stream.input({ _tag: "Expire" })
  assert.strictEqual(stream.exception?.type, "modelTimeoutException")
})
