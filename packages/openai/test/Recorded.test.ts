/** Frames of the real service, as people recorded them or as its documentation shows them, through the decoder. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { endOf, receive } from "../src/internal/decode.ts"
import type { Frame } from "../src/internal/frame.ts"
import { errors, events, send, start, summary } from "./support/protocol.ts"

interface Recorded {
  readonly scene: string
  readonly origin: string
  readonly frame?: Frame
  readonly close?: { readonly code: number; readonly reason: string }
}

const all = readFileSync(new URL("../../emulator/test/fixtures/openai.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded)

const scene = (name: string) => all.flatMap((one) => (one.scene === name && one.frame !== undefined ? [one.frame] : []))

describe("recorded frames", () => {
  it.each(all.flatMap(({ frame, origin }) => (frame === undefined ? [] : [[frame.type, origin, frame] as const])))(
    "are known and complete: %s (%s)",
    (type, _, frame) => {
      const heard = events(start(), frame)
      // those that are problems say so themselves
      const problems = heard.filter(({ _tag }) => _tag === "Unknown" || (_tag === "Problem" && type !== "error"))
      assert.deepStrictEqual(problems, [])
    }
  )

  it("of a spoken turn are that turn", () => {
    const itemId = "item_S0000000000000000001"
    const responseId = "resp_A00000000000000000001"
    const { delta } = scene("voice-turn").find(({ type }) => type === "response.output_audio.delta")!
    const audio = new Uint8Array(Buffer.from(delta as string, "base64"))
    const heard = events(start(), ...scene("voice-turn")).filter(({ _tag }) => _tag !== "Usage")
    assert.deepStrictEqual(heard, [
      { _tag: "SpeechStopped" },
      { _tag: "UserTurn", itemId: "item_U0000000000000000001", respond: true },
      { _tag: "ResponseStarted", responseId },
      { _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta: " tower" },
      { _tag: "AudioDelta", responseId, itemId, audio },
      { _tag: "TranscriptDone", role: "assistant", itemId, responseId, text: "The tower" },
      { _tag: "ResponseDone", responseId, stopReason: "complete" }
    ])
  })

  it("of what it cost add up", () => {
    const [usage] = events(start(), ...scene("voice-turn")).filter(({ _tag }) => _tag === "Usage")
    assert.deepInclude(usage, { inputTokens: 132, outputTokens: 188, totalTokens: 320, cacheReadInputTokens: 64 })
  })

  it("of words that come late, or never", () => {
    assert.deepStrictEqual(
      summary(start(), ...scene("late-words")).filter((event: any) => event._tag !== "Usage"),
      [
        { _tag: "TranscriptDone", role: "user", itemId: "item_U0000000000000000001", text: "Hello there" },
        {
          _tag: "TranscriptFailed",
          itemId: "item_U0000000000000000002",
          error: ["InvalidRequest", "audio_unintelligible"]
        }
      ]
    )
  })

  it("of a call are one call, which is answered under the provider's own id", () => {
    const state = start()
    const [calls] = events(state, ...scene("call")).filter(({ _tag }) => _tag === "ToolCalls")
    assert(calls?._tag === "ToolCalls")
    assert.deepStrictEqual(calls.calls, [
      { id: "call_9Q9eysr6LstYMEx6", name: "get_weather", arguments: '{"city":"Tokyo"}' }
    ])
    const long = "9f2c6a0e-7b6c-4d3c-9d50-3a8a1c1a0e11-and-more" // servers that speak the protocol give UUIDs
    const [output] = send(state, {
      _tag: "ToolOutputs",
      outputs: [{ id: long, name: "", result: 1, isFailure: false }]
    })
    assert.strictEqual(output.item.call_id, long)
  })

  it("of a cancellation that came too late are nothing", () => {
    assert.deepStrictEqual(events(start(), ...scene("not-active")), [])
  })

  it("of a cut that was refused are a problem, and the end of nothing", () => {
    const out = receive(start(), scene("truncate-refused"))
    assert.deepStrictEqual(
      out.events.map((event) => event._tag),
      ["Problem"]
    )
    assert.isUndefined(out.fatal)
  })

  it.each([
    ["wrong-intent", "InvalidRequest"],
    ["wrong-key", "Auth"],
    ["old-shape", "InvalidRequest"],
    ["an-hour", "SessionExpired"]
  ])("of a close alone say why: %s is %s", (name, reason) => {
    const [{ code, reason: text }] = all.flatMap((one) => (one.scene === name && one.close ? [one.close] : []))
    assert.strictEqual(endOf(start(), errors.closed(code!, text!)).reason._tag, reason)
  })
})
