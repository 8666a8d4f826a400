import { assert, describe, it } from "@effect/vitest"
import * as Fault from "@effect-bidi/emulator/Fault"
import { story } from "../src/internal/assistant/story.ts"
import {
  Fold,
  calculator,
  callsIn,
  clock,
  msIn,
  of,
  one,
  saidIn,
  systemText,
  typesOf,
  update,
  userText,
  assistantText,
  weather
} from "./support/fold.ts"
import type { Event } from "./support/fold.ts"

const errorIn = (events: ReadonlyArray<Event>) => one(events, "error").error as Record<string, unknown>
const create = { type: "response.create" }

describe("cancelling", () => {
  const speak = (fold: Fold, ms: number) => {
    fold.send(userText("tell me a long story"), create)
    while (msIn(fold.events) < ms) fold.wake()
  }

  it("closes what is open with what was sent of it", () => {
    const fold = new Fold()
    speak(fold, 2000)
    const events = fold.send({ type: "response.cancel" })
    assert.deepStrictEqual(typesOf(events), [
      "response.output_audio.done",
      "response.output_audio_transcript.done",
      "response.content_part.done",
      "conversation.item.done",
      "response.output_item.done",
      "response.done",
      "rate_limits.updated"
    ])
    const sent = of(fold.events, "response.output_audio_transcript.delta")
      .map(({ delta }) => delta)
      .join("")
    assert.strictEqual(saidIn(events), sent)
    assert.isTrue(story.startsWith(sent))
    const { response } = one(events, "response.done")
    assert.deepInclude(response, {
      status: "cancelled",
      status_details: { type: "cancelled", reason: "client_cancelled" }
    })
    assert.deepInclude(response.output[0], { status: "incomplete" })
    assert.deepStrictEqual(fold.pass(), [])
  })

  it("before anything was sent leaves an empty response", () => {
    const fold = new Fold({ latencyMs: 100 })
    fold.send(userText("hello"), create)
    const { response } = one(fold.send({ type: "response.cancel" }), "response.done")
    assert.deepStrictEqual(response.output, [])
    assert.strictEqual(response.usage.output_tokens, 0)
  })

  it("by name picks the response", () => {
    const fold = new Fold()
    fold.send(userText("tell me a story"))
    const aside = one(fold.send({ ...create, response: { conversation: "none" } }), "response.created").response.id
    const main = one(fold.send(create), "response.created").response.id
    assert.strictEqual(
      one(fold.send({ type: "response.cancel", response_id: aside }), "response.done").response.id,
      aside
    )
    assert.strictEqual(one(fold.send({ type: "response.cancel" }), "response.done").response.id, main)
  })

  it("inside a call ends its arguments where they are", () => {
    const fold = new Fold()
    fold.send(update({ tools: [calculator] }), userText("calculate 123456789 times 987654321"), create)
    while (of(fold.events, "response.function_call_arguments.delta").length < 2) fold.wake()
    const events = fold.send({ type: "response.cancel" })
    const done = one(events, "response.function_call_arguments.done")
    assert.strictEqual(done.name, "calculator")
    assert.throws(() => JSON.parse(done.arguments))
    assert.strictEqual(one(events, "response.done").response.output[0].status, "incomplete")
  })
})

describe("truncation", () => {
  const told = (): { fold: Fold; id: string; ms: number } => {
    const fold = new Fold()
    const events = fold.ask("tell me a long story")
    return { fold, id: one(events, "response.output_item.done").item.id, ms: msIn(events) }
  }
  const truncate = (item_id: string, audio_end_ms: number, content_index = 0) => ({
    type: "conversation.item.truncate",
    item_id,
    content_index,
    audio_end_ms
  })

  it("keeps what was heard, in memory too, and drops the transcript", () => {
    const { fold, id } = told()
    const ack = one(fold.send(truncate(id, 10_000)), "conversation.item.truncated")
    assert.deepInclude(ack, { item_id: id, content_index: 0, audio_end_ms: 10_000 })
    const kept = one(fold.send({ type: "conversation.item.retrieve", item_id: id }), "conversation.item.retrieved")
    assert.deepStrictEqual(kept.item.content, [{ type: "output_audio" }])
    const heard = saidIn(fold.ask("what did you just say", { output_modalities: ["text"] })).replace("I said: ", "")
    assert.isTrue(story.startsWith(heard))
    assert.closeTo(heard.length / story.length, 10_000 / 90_000, 0.03)
    fold.send(systemText("The conversation was reconnected, continue."), create)
    assert.strictEqual(`${heard} ${saidIn(fold.pass())}`, story)
  })

  it("is possible while the reply is still being sent, and is not undone by it", () => {
    const fold = new Fold()
    fold.send(userText("tell me a long story"), create)
    while (msIn(fold.events) < 5000) fold.wake()
    const id = of(fold.events, "response.output_item.added")[0]!.item.id
    assert.strictEqual(
      errorIn(fold.send(truncate(id, 5001))).message,
      "Audio content of 5000ms is already shorter than 5001ms"
    )
    one(fold.send(truncate(id, 2000)), "conversation.item.truncated")
    fold.pass()
    const said = saidIn(fold.ask("what did you just say", { output_modalities: ["text"] }))
    assert.isBelow(said.length, 80)
  })

  it("at the very end, and again shorter, is fine; longer is not", () => {
    const { fold, id, ms } = told()
    assert.strictEqual(
      errorIn(fold.send(truncate(id, ms + 1))).message,
      `Audio content of ${ms}ms is already shorter than ${ms + 1}ms`
    )
    one(fold.send(truncate(id, ms)), "conversation.item.truncated")
    one(fold.send(truncate(id, 500)), "conversation.item.truncated")
    assert.strictEqual(
      errorIn(fold.send(truncate(id, 501))).message,
      "Audio content of 500ms is already shorter than 501ms"
    )
    one(fold.send(truncate(id, 0)), "conversation.item.truncated")
  })

  it("is for sound of the assistant only, in its one part", () => {
    const { fold, id } = told()
    const only = "Only model output audio messages can be truncated"
    const mine = fold.send(userText("hello"))[0]!.item.id
    assert.strictEqual(errorIn(fold.send(truncate(mine, 100))).message, only)
    const replayed = fold.send(assistantText("hello"))[0]!.item.id
    assert.strictEqual(errorIn(fold.send(truncate(replayed, 100))).message, only)
    const text = one(fold.ask("hello", { output_modalities: ["text"] }), "response.output_item.done").item.id
    assert.strictEqual(errorIn(fold.send(truncate(text, 100))).message, only)
    assert.strictEqual(errorIn(fold.send(truncate(id, 100, 1))).param, "content_index")
  })
})

describe("faults of a response", () => {
  const arm = (...faults: ReadonlyArray<Fault.ResponseFault>): Fold => {
    const fold = new Fold()
    fold.send(update({ tools: [clock, calculator, weather] }))
    for (const fault of faults) fold.input({ _tag: "Arm", fault })
    return fold
  }

  it("a failure comes at once, or in the middle, and only once", () => {
    const fold = arm(Fault.failResponse({ code: "rate_limit_exceeded", message: "slow down" }))
    const first = one(fold.ask("tell me a story"), "response.done").response
    assert.deepInclude(first, { status: "failed", output: [] })
    assert.deepStrictEqual(first.status_details, {
      type: "failed",
      error: { type: "server_error", code: "rate_limit_exceeded", message: "slow down" }
    })
    assert.strictEqual(one(fold.ask("my name is Ada"), "response.done").response.status, "completed")
    fold.input({ _tag: "Arm", fault: Fault.failResponse({ afterChunks: 3 }) })
    const events = fold.ask("tell me a story")
    assert.strictEqual(msIn(events), 300)
    assert.strictEqual(one(events, "response.done").response.output[0].status, "incomplete")
  })

  it("a cut is incomplete for its reason", () => {
    const events = arm(Fault.cutResponse("content_filter", 2)).ask("tell me a story")
    assert.deepStrictEqual(one(events, "response.done").response.status_details, {
      type: "incomplete",
      reason: "content_filter"
    })
    assert.strictEqual(msIn(events), 200)
  })

  it("a cancelled response with whole function calls", () => {
    const events = arm(Fault.cancelCalls()).ask("calculate 2 times 3")
    assert.strictEqual(callsIn(events).length, 1)
    assert.deepInclude(one(events, "response.done").response, {
      status: "cancelled",
      status_details: { type: "cancelled", reason: "turn_detected" }
    })
    assert.strictEqual(callsIn(arm(Fault.cancelCalls()).ask("hello")).length, 1)
  })

  it("a storm of tool calls, each with arguments that fit", () => {
    const calls = callsIn(arm(Fault.toolStorm(12)).ask("calculate 2 times 3"))
    assert.strictEqual(calls.length, 12)
    assert.strictEqual(new Set(calls.map(({ callId }) => callId)).size, 12)
    assert.deepStrictEqual(calls[4]?.arguments, { expression: "2 * 3" })
  })

  it("late sound after a cancellation", () => {
    const fold = arm(Fault.lateAudio(2))
    fold.send(userText("tell me a story"), create)
    while (msIn(fold.events) < 500) fold.wake()
    const events = fold.send({ type: "response.cancel" })
    const late = events
      .slice(typesOf(events).indexOf("response.done") + 1)
      .filter(({ type }) => type === "response.output_audio.delta")
    assert.strictEqual(late.length, 2)
    assert.strictEqual(late[0]!.response_id, one(events, "response.done").response.id)
  })
})
