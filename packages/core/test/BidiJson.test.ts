import { BidiError, BidiEvent, BidiJson } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"

const encodeInput = Schema.encodeSync(BidiJson.InputFromString)
const decodeInput = Schema.decodeUnknownSync(BidiJson.InputFromString)
const encodeOutput = Schema.encodeSync(BidiJson.OutputFromString)
const decodeOutput = Schema.decodeUnknownSync(BidiJson.OutputFromString)

// a wire of decimal numbers keeps lengths of time to the millisecond, not to the nanosecond
const coarse = <A extends object>(event: A): A =>
  Object.fromEntries(
    Object.entries(event).map(([key, value]) => [
      key,
      Duration.isDuration(value) ? Duration.millis(Math.round(Duration.toMillis(value))) : value
    ])
  ) as A

const same = <A extends object>(a: A, b: A) => assert.isTrue(Equal.equals(coarse(a), coarse(b)))

const timed = <Event extends BidiEvent.Untimed>(event: Event) =>
  ({ ...event, at: 1_700_000_000_000 }) as unknown as BidiEvent.Output
const out = (event: BidiEvent.Untimed) => JSON.parse(encodeOutput(timed(event)))
const bytes = new Uint8Array([0, 1, 2, 255])

describe("events as JSON", () => {
  it.prop("every input comes back as it was", { event: BidiEvent.Input }, ({ event }) => {
    same(decodeInput(encodeInput(event)), event)
  })

  it.prop("every output comes back as it was", { event: BidiEvent.Output }, ({ event }) => {
    same(decodeOutput(encodeOutput(event)), event)
  })

  it("looks like the reference's: inputs", () => {
    assert.deepStrictEqual(decodeInput('{"type":"bidi_text_input","text":"Hi","role":"user"}'), {
      _tag: "TextInput",
      text: "Hi",
      role: "user"
    })
    assert.deepStrictEqual(
      decodeInput(
        '{"type":"bidi_audio_input","audio":"AAEC/w==","format":"pcm","sample_rate":16000,"channels":1,"more":true}'
      ),
      { _tag: "AudioInput", audio: bytes, encoding: "pcm", sampleRate: 16000, channels: 1 }
    )
    assert.deepStrictEqual(decodeInput('{"type":"bidi_image_input","image":"AAEC/w==","mime_type":"image/png"}'), {
      _tag: "ImageInput",
      image: bytes,
      mimeType: "image/png"
    })
  })

  it("looks like the reference's: outputs", () => {
    const audio = { audio: bytes, encoding: "pcm", sampleRate: 24000, channels: 1 } as const
    assert.deepStrictEqual(out({ _tag: "AudioStream", responseId: "r", itemId: "i", ...audio }), {
      type: "bidi_audio_stream",
      audio: "AAEC/w==",
      format: "pcm",
      sample_rate: 24000,
      channels: 1,
      response_id: "r",
      item_id: "i",
      at: 1_700_000_000_000
    })
    const words = { _tag: "TranscriptStream", role: "assistant", currentTranscript: "one two" } as const
    assert.deepStrictEqual(out({ ...words, delta: " two", isFinal: false }), {
      type: "bidi_transcript_stream",
      delta: { text: " two" },
      text: " two",
      role: "assistant",
      is_final: false,
      current_transcript: "one two",
      at: 1_700_000_000_000
    })
    assert.deepInclude(out({ ...words, delta: "", isFinal: true }), { delta: { text: "" }, text: "one two" })
    assert.deepStrictEqual(
      out({ _tag: "ToolResult", id: "c", name: "add", result: { sum: 3 }, isFailure: false }).tool_result,
      { toolUseId: "c", status: "success", content: [{ json: { sum: 3 } }], name: "add" }
    )
    assert.deepStrictEqual(
      out({ _tag: "ToolResult", id: "c", name: "add", result: "no", isFailure: true }).tool_result,
      { toolUseId: "c", status: "error", content: [{ text: "no" }], name: "add" }
    )
    assert.deepStrictEqual(
      out({
        _tag: "Usage",
        inputTokens: 3,
        outputTokens: 4,
        totalTokens: 7,
        byModality: [{ modality: "audio", inputTokens: 3, outputTokens: 4 }],
        cacheReadInputTokens: 1
      }),
      {
        type: "bidi_usage",
        inputTokens: 3,
        outputTokens: 4,
        totalTokens: 7,
        modality_details: [{ modality: "audio", input_tokens: 3, output_tokens: 4 }],
        cacheReadInputTokens: 1,
        at: 1_700_000_000_000
      }
    )
    assert.deepStrictEqual(
      out({ _tag: "Interruption", reason: "user_speech", responseId: "r", heard: Duration.millis(1200) }),
      { type: "bidi_interruption", reason: "user_speech", response_id: "r", heard_ms: 1200, at: 1_700_000_000_000 }
    )
  })

  it("carries errors with their reasons", () => {
    const cause = new BidiError.BidiError({
      provider: "openai",
      reason: new BidiError.RateLimited({ message: "slow down", code: "429", retryAfter: Duration.seconds(3) })
    })
    const event = BidiEvent.fromError(cause)
    const decoded = decodeOutput(encodeOutput(timed(event)))
    assert.deepInclude(out(event), { type: "bidi_error", code: "429", message: "openai: RateLimited: slow down" })
    assert.isTrue(decoded._tag === "Error" && decoded.error.isRetryable)
    assert.isTrue(Equal.equals(decoded, timed(event)))
    const restart = { _tag: "ConnectionRestart", reason: "lost", turnInterrupted: false, attempt: 1 } as const
    assert.strictEqual(out({ ...restart, cause }).timeout_error, "openai: RateLimited: slow down")
    assert.strictEqual(out(restart).timeout_error, null)
  })

  it("says what is wrong with a bad event", () => {
    assert.throws(() => decodeInput('{"type":"bidi_audio_input","audio":"not base64!"}'))
    assert.throws(() => decodeInput('{"type":"bidi_dance"}'))
  })
})
