/**
 * What the OpenAI emulator sends, against frames of the service: the same fields, in the same order where order counts.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { Fold, tool, update } from "./support/fold.ts"
import type { Event } from "./support/fold.ts"
import { recorded } from "./support/recorded.ts"
import { appends, quiet, tone } from "./support/sound.ts"

const frames = recorded("openai").flatMap(({ frame, kind, scene }) =>
  frame === undefined ? [] : [{ frame: frame as Event, kind, scene }]
)

/** The names of all fields, however deep, also of what is in lists. */
const keysOf = (value: unknown): ReadonlyArray<string> => {
  if (Array.isArray(value))
    return [...new Set(value.flatMap((one) => keysOf(one).map((key) => `[].${key}`)))].toSorted()
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value)
    .flatMap(([key, inner]) => [key, ...keysOf(inner).map((rest) => `${key}.${rest}`)])
    .toSorted()
}

/** Which of its kind: those that end with a call have other items, and errors are told by their code. */
const kindOf = (event: Event): string => {
  if (event.type === "error") return `error ${event.error.code}`
  if (event.item !== undefined) return [event.type, event.item.role, event.item.content?.[0]?.type].join(" ")
  if (event.type !== "response.done") return event.type
  return `response.done ${event.response.output[0]?.type}`
}

const speech = appends(Pcm.concat([tone(800), quiet(1200)]))

/** What the service was recorded with: turns by its own ear, nothing but instructions changed. */
const talk = (): ReadonlyArray<Event> => {
  const fold = new Fold({ model: "gpt-realtime" })
  fold.send(update({ instructions: "You are a polite assistant on a call." }))
  fold.ask("hello")
  fold.send(...speech)
  fold.pass()
  return fold.events
}

/** What was recorded apart: words that come late or not at all, calls, and what is refused. */
const rest = (): ReadonlyArray<Event> => {
  const fold = new Fold({ hear: () => "hello there" })
  fold.send(
    update({
      tools: [tool("get_weather", { city: { type: "string" } })],
      audio: { input: { transcription: { model: "gpt-4o-transcribe" } } }
    }),
    ...speech
  )
  fold.pass()
  const item = fold.events.find(({ type }) => type === "response.output_audio.delta")!.item_id
  fold.send({ type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: 10_000_000 })
  fold.send({ type: "response.cancel" })
  fold.input({ _tag: "Arm", fault: { _tag: "FailTranscription" } })
  fold.send(...speech)
  fold.pass()
  fold.ask("what is the weather in Tokyo", { tool_choice: "required" })
  return fold.events
}

describe("the emulator sends what the service sends", () => {
  const plain = talk()
  const others = rest()

  it.each(frames.map(({ frame, kind }) => [kindOf(frame), kind, frame] as const))("%s (%s)", (name, kind, frame) => {
    const all = [...plain, ...others]
    const mine = (plain.some((one) => kindOf(one) === name) ? plain : all).filter((one) => kindOf(one) === name)
    assert.isAbove(mine.length, 0, `the emulator never sends ${name}`)
    for (const one of mine) {
      if (kind === "recorded") {
        assert.deepStrictEqual(keysOf(one), keysOf(frame))
      } else {
        // examples of the documentation leave out what does not matter to them, and show items as the REST API does
        const missing = keysOf(frame).filter((key) => !/(^|\.)object$/.test(key) && !keysOf(one).includes(key))
        assert.deepStrictEqual(missing, [])
      }
    }
  })

  it("in the order of a spoken turn", () => {
    const order = frames
      .filter(({ scene }) => scene === "voice-turn")
      .map(({ frame }) => frame.type)
      // counted beside the talk: it is told before or after the end of a reply
      .filter((type) => type !== "rate_limits.updated")
    const spoken = plain.findIndex(({ type }) => type === "input_audio_buffer.speech_stopped")
    const turn = [...plain.slice(0, 2), ...plain.slice(spoken)]
    let from = 0
    for (const type of order) {
      const at = turn.findIndex((one, i) => i >= from && one.type === type)
      assert.isAtLeast(at, 0, `${type} does not follow ${JSON.stringify(turn[from - 1])}`)
      from = at + 1
    }
  })

  it("and begins with the settings of the service", () => {
    const settings = (event: Event) => {
      const { audio, max_output_tokens, output_modalities, tool_choice, truncation } = event.session
      const { voice: _, ...output } = audio.output
      return { input: audio.input, output, max_output_tokens, output_modalities, tool_choice, truncation }
    }
    assert.deepStrictEqual(settings(plain[0]!), settings(frames[0]!.frame))
  })
})
