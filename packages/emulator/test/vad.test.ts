import { cases } from "../../../scripts/cases.ts"
import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Vad from "../src/internal/audio/vad.ts"
import { quiet, tone } from "./support/sound.ts"

const config: Vad.Config = { threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500 }

const listen = (pcm: Pcm.Pcm, cuts: ReadonlyArray<number> = [], using = config): ReadonlyArray<Vad.Event> => {
  let state = Vad.initial()
  const events: Array<Vad.Event> = []
  let from = 0
  for (const size of [...cuts, pcm.samples.length]) {
    const [next, found] = Vad.step(using, state, pcm.samples.subarray(from, from + size), pcm.sampleRate)
    state = next
    events.push(...found)
    from += size
  }
  return events
}

it("a turn starts with its padding and stops after its pause", () => {
  assert.deepStrictEqual(listen(Pcm.concat([quiet(1000), tone(600), quiet(800)])), [
    { _tag: "Started", atMs: 700 },
    { _tag: "Stopped", atMs: 2100 }
  ])
})

it("a pause shorter than the limit stops nothing", () => {
  const events = listen(Pcm.concat([tone(300), quiet(480), tone(300), quiet(500)]))
  assert.deepStrictEqual(events, [
    { _tag: "Started", atMs: 0 },
    { _tag: "Stopped", atMs: 1580 }
  ])
})

it("padding does not reach into the turn before", () => {
  const events = listen(Pcm.concat([tone(200), quiet(500), quiet(40), tone(200)]))
  assert.deepStrictEqual(events.at(-1), { _tag: "Started", atMs: 700 })
})

it("a click is no speech", () => assert.deepStrictEqual(listen(Pcm.concat([quiet(200), tone(40), quiet(600)])), []))

it("the threshold decides how loud speech is", () => {
  const soft = Pcm.concat([tone(400, 300), quiet(600)])
  assert.strictEqual(listen(soft).length, 0)
  assert.strictEqual(listen(soft, [], { ...config, threshold: 0.2 }).length, 2)
})

it("works at 8 kHz", () => {
  const sound = Pcm.concat([quiet(400, 8000), tone(200, 8000, 8000), quiet(500, 8000)])
  assert.deepStrictEqual(listen(sound), [
    { _tag: "Started", atMs: 100 },
    { _tag: "Stopped", atMs: 1100 }
  ])
})

const Piece = Schema.Struct({
  loud: Schema.Boolean,
  ms: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 900 }))
})
const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 })))

it.prop(
  "does not depend on how the stream is cut, and starts and stops take turns in order",
  { pieces: Schema.Array(Piece), cuts: Cuts },
  ({ cuts, pieces }) => {
    const sound = Pcm.concat([quiet(0), ...pieces.map(({ loud, ms }) => (loud ? tone(ms) : quiet(ms)))])
    const whole = listen(sound)
    assert.deepStrictEqual(listen(sound, cuts), whole)
    let last = 0
    for (const [i, event] of whole.entries()) {
      assert.strictEqual(event._tag, i % 2 === 0 ? "Started" : "Stopped")
      assert.isAtLeast(event.atMs, last)
      assert.isAtMost(event.atMs, Pcm.durationMs(sound))
      last = event.atMs
    }
  },
  cases(60)
)
