import { assert, it } from "@effect/vitest"
import type { Entry } from "@effect-bidi/emulator/Emulator"
import { toMessage } from "../src/internal/server/message.ts"
import { format } from "../src/internal/program/openaiTrace.ts"
import * as Wire from "../src/internal/openai/codec.ts"
import * as Trace from "../src/internal/program/trace.ts"
import { Fold, clock, update, userText } from "./support/fold.ts"
import { appends, tone } from "./support/sound.ts"

const message = (kind: "received" | "sent", event: unknown, at = 0): Entry =>
  toMessage({ kind, connection: 1, at, event, keepAudio: false, wording: Wire })

const lines = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  let state = Trace.initial
  return entries.flatMap((entry) => {
    const [next, printed] = Trace.step(format, state, entry)
    state = next
    return printed
  })
}

it("names what matters in one line each", () => {
  assert.deepStrictEqual(
    lines([
      { kind: "opened", connection: 1, at: 1000, url: "/v1/realtime?model=x" },
      message("received", update({ instructions: "Be brief.", tools: [clock] }), 1250),
      message("received", userText("what\ntime is it"), 2000),
      message("sent", { type: "error", error: { code: "invalid_value", message: "No." } }, 2000),
      message("received", "garbage", 2000),
      { kind: "closed", connection: 1, at: 3500, code: 1000, reason: "bye" },
      { kind: "refused", connection: 2, at: 3500, url: "/v1/realtime", status: 401 }
    ]),
    [
      "   0.000 #1 opened /v1/realtime?model=x",
      "   0.250 #1 → session.update instructions tools: current_time",
      "   1.000 #1 → conversation.item.create user: what time is it",
      "   1.000 #1 ← error invalid_value: No.",
      '   1.000 #1 → (no event) "garbage"',
      "   2.500 #1 closed 1000 bye",
      "   2.500 #2 refused with 401 /v1/realtime"
    ]
  )
})

it("runs of sound and words are one line, with their size", () => {
  const delta = (text: string): Entry =>
    message("sent", { type: "response.output_audio_transcript.delta", delta: text })
  const sound = message("sent", { type: "response.output_audio.delta", delta: Buffer.alloc(3072).toString("base64") })
  const printed = lines([
    ...appends(tone(300)).map((event) => message("received", event)),
    delta("Nice"),
    sound,
    sound,
    delta(" to meet you"),
    message("sent", { type: "response.output_audio.done" })
  ])
  assert.deepStrictEqual(printed, [
    "   0.000 #1 → input_audio_buffer.append ×3 14.1 KiB of audio",
    '   0.000 #1 ← speaks ×4 6.0 KiB of audio "Nice to meet you"',
    "   0.000 #1 ← response.output_audio.done"
  ])
})

it("of a whole conversation has no base64 in it and no line that is too long", () => {
  const fold = new Fold({ hear: () => "tell me a long story" })
  fold.send(update({ tools: [clock], audio: { input: { transcription: { model: "whisper-1" } } } }))
  const turn = [...appends(tone(500)), ...appends({ ...tone(700), samples: tone(700).samples.fill(0) })]
  fold.send(...turn)
  fold.pass()
  const printed = lines([
    ...turn.map((event) => message("received", event)),
    ...fold.events.map((event) => message("sent", event))
  ])
  assert.isAbove(printed.length, 10)
  for (const line of printed) {
    assert.notMatch(line, /[A-Za-z0-9+/]{60}/)
    assert.isBelow(line.length, 200)
  }
})

it("short texts that look like base64 are left alone", () => {
  const entry = message("sent", { type: "x", delta: "Hello", audio: "AAAA" })
  assert.deepInclude(entry, { event: { type: "x", delta: "Hello", audio: "AAAA" }, audioBytes: 0 })
})
