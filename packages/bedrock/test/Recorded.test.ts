/**
 * The frames of the service that people recorded or that AWS documents, through the decoder: each is understood, and what
 * a scene leads to is what happened in it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { recorded } from "../../emulator/test/support/recorded.ts"
import { parse } from "../src/internal/frame.ts"
import { read, ready } from "./support/line.ts"
import * as P from "./support/protocol.ts"

const frames = recorded("nova")
const scene = (name: string) =>
  frames.flatMap(({ event, scene }) => (scene === name ? [parse(Buffer.from(JSON.stringify({ event })))] : []))

describe("frames of the service", () => {
  it("are all understood", () => {
    for (const name of new Set(frames.flatMap(({ event, scene }) => (event === undefined ? [] : [scene])))) {
      const tags = P.untilEnd(P.start(), ...scene(name)).map(({ _tag }) => _tag)
      assert.notInclude(tags, "Problem", name)
      assert.notInclude(tags, "Unknown", name)
    }
  })

  it("of a turn are a turn of the user, a reply to its end, and what it cost", () => {
    assert.deepStrictEqual(P.events(P.start(), ...scene("turn")), [
      P.turn(true),
      // the frames with words and sound were left out of the recording
      P.heardAll(""),
      P.started(),
      P.done("complete"),
      {
        _tag: "Usage",
        responseId: "p-r1",
        inputTokens: 45,
        outputTokens: 72,
        totalTokens: 117,
        byModality: [
          { modality: "text", inputTokens: 5, outputTokens: 12 },
          { modality: "audio", inputTokens: 40, outputTokens: 60 }
        ]
      }
    ])
  })

  it("of a call are a call, whose arguments are JSON in a text", () => {
    const id = "u1000000-0000-4000-8000-000000000001"
    assert.deepStrictEqual(P.events(P.start(), ...scene("call")), [
      P.started(),
      P.calls(1, id, "get_weather", '{"city":"Tokyo"}'),
      P.done("tool_use")
    ])
  })

  it("of a reply that is cut off say so once", () => {
    const found = P.events(P.start(), ...scene("cut"))
    assert.deepStrictEqual(
      found.map(({ _tag }) => _tag).filter((tag) => tag !== "TranscriptDelta"),
      ["ResponseStarted", "AudioDelta", "Interrupted", "TranscriptDone", "ResponseDone"]
    )
    assert.deepStrictEqual(found.at(-1), P.done("interrupted"))
  })

  it("of the end are the end of a prompt, and of nothing else", () => {
    assert.deepStrictEqual(P.events(P.start(), ...scene("end")), [])
  })

  const exceptions = frames.filter(({ exception }) => exception !== undefined)
  it.effect.each(exceptions.map((frame) => [frame.exception!.message, frame] as const))("%s", ([, frame]) =>
    Effect.gen(function* () {
      const { connection, peer } = yield* ready()
      const reader = yield* read(connection)
      peer.raise(frame.exception!.name, frame.exception!.message)
      assert.strictEqual((yield* reader.end).reason._tag, frame.expect)
    })
  )
})
