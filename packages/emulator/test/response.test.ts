import { assert, describe, it } from "@effect/vitest"
import * as Assistant from "@effect-bidi/emulator/Assistant"
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
  tool,
  toolOutput,
  typesOf,
  update,
  userText
} from "./support/fold.ts"
import type { Event } from "./support/fold.ts"

const create = { type: "response.create" }

describe("a response", () => {
  it("in audio has all its events in order", () => {
    const fold = new Fold()
    fold.send(userText("my name is Ada"))
    fold.send(create)
    fold.pass()
    const isDelta = (type: string) => /(?:audio|transcript)\.delta$/.test(type)
    const types = typesOf(fold.events.slice(3))
    assert.deepStrictEqual(
      types.filter((type) => !isDelta(type)),
      [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated"
      ]
    )
    assert.isTrue(types.slice(4, types.indexOf("response.output_audio.done")).every(isDelta))
  })

  it("carries ids, places and bookkeeping", () => {
    const fold = new Fold()
    const userId = fold.send(userText("my name is Ada"))[0]!.item.id
    const { response } = one(fold.send({ ...create, response: { metadata: { turn: "1" } } }), "response.created")
    assert.match(response.id, /^resp_/)
    assert.match(response.conversation_id, /^conv_/)
    assert.deepInclude(response, {
      object: "realtime.response",
      status: "in_progress",
      output: [],
      usage: null,
      metadata: { turn: "1" },
      output_modalities: ["audio"]
    })
    const events = fold.pass()
    const added = one(events, "conversation.item.added")
    assert.strictEqual(added.previous_item_id, userId)
    assert.deepInclude(added.item, { status: "in_progress", content: [], role: "assistant" })
    for (const event of events.filter(({ type }) => type.startsWith("response.") && type !== "response.done")) {
      assert.strictEqual(event.response_id, response.id)
      assert.strictEqual(event.output_index, 0)
      assert.strictEqual(event.item_id ?? event.item.id, added.item.id)
    }
    const done = one(events, "response.done").response
    assert.deepInclude(done, { id: response.id, status: "completed", status_details: null, metadata: { turn: "1" } })
    assert.deepStrictEqual(done.output, [
      {
        id: added.item.id,
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_audio", transcript: "Nice to meet you, Ada." }]
      }
    ])
    assert.strictEqual(fold.send(userText("bye"))[0]!.previous_item_id, added.item.id)
  })

  it("in text has text deltas and no sound", () => {
    const fold = new Fold()
    const events = fold.ask("my name is Ada", { output_modalities: ["text"] })
    assert.deepStrictEqual(
      of(events, "response.output_text.delta").map(({ delta }) => delta),
      ["Nice", " to", " meet", " you,", " Ada."]
    )
    assert.strictEqual(one(events, "response.output_text.done").text, "Nice to meet you, Ada.")
    assert.deepStrictEqual(one(events, "response.content_part.added").part, { type: "text", text: "" })
    assert.strictEqual(msIn(events), 0)
    assert.deepStrictEqual(one(events, "response.done").response.output[0].content, [
      { type: "output_text", text: "Nice to meet you, Ada." }
    ])
  })

  it("of the session is text when the session is", () => {
    const fold = new Fold()
    fold.send(update({ output_modalities: ["text"] }))
    assert.strictEqual(one(fold.ask("my name is Ada"), "response.output_text.done").text, "Nice to meet you, Ada.")
  })

  it("calls functions: arguments in pieces, then whole, with the name", () => {
    const fold = new Fold()
    fold.send(update({ tools: [clock, calculator] }))
    const events = fold.ask("what time is it and calculate 25 times 48")
    const [time, sum] = callsIn(events)
    assert.deepInclude(time, { name: "current_time", arguments: {} })
    assert.deepInclude(sum, { name: "calculator", arguments: { expression: "25 * 48" } })
    const pieces = of(events, "response.function_call_arguments.delta").filter(({ output_index }) => output_index === 1)
    assert.strictEqual(pieces.map(({ delta }) => delta).join(""), '{"expression":"25 * 48"}')
    assert.isAbove(pieces.length, 1)
    assert.deepStrictEqual(
      one(events, "response.done").response.output.map(({ type }: Event) => type),
      ["function_call", "function_call"]
    )
    fold.send(toolOutput(sum!.callId, 1200), toolOutput(time!.callId, "10:42"))
    fold.send(create)
    assert.strictEqual(saidIn(fold.pass()), "The answer is 1200. It is 10:42.")
  })

  it("says something and calls in one go, as two items", () => {
    const fold = new Fold()
    fold.send(update({ tools: [clock] }))
    const events = fold.ask("my name is Ada and what time is it")
    assert.deepStrictEqual(
      of(events, "response.output_item.added").map(({ item, output_index }) => [item.type, output_index]),
      [
        ["message", 0],
        ["function_call", 1]
      ]
    )
    const [message, call] = of(events, "conversation.item.added").filter(({ item }) => item.status === "in_progress")
    assert.strictEqual(call!.previous_item_id, message!.item.id)
  })

  it("heeds its own tools, choice and instructions", () => {
    const fold = new Fold()
    fold.send(update({ tools: [clock] }))
    assert.deepStrictEqual(callsIn(fold.ask("what time is it", { tools: [] })), [])
    assert.deepStrictEqual(callsIn(fold.ask("what time is it", { tool_choice: "none" })), [])
    assert.strictEqual(
      callsIn(fold.ask("hello", { tool_choice: { type: "function", name: "current_time" } }))[0]?.name,
      "current_time"
    )
    assert.strictEqual(saidIn(fold.ask("hello", { instructions: 'Say exactly: "One moment."' })), "One moment.")
  })

  it("beside the conversation leaves no trace in it", () => {
    const fold = new Fold()
    fold.send(userText("my name is Ada"), {
      ...create,
      response: { conversation: "none", output_modalities: ["text"], instructions: 'Say exactly: "aside"' }
    })
    fold.send(create)
    const events = fold.pass()
    assert.deepStrictEqual(
      of(events, "response.done").map(({ response }) => [
        response.conversation_id === null,
        response.output[0].content[0].text ?? response.output[0].content[0].transcript
      ]),
      [
        [true, "aside"],
        [false, "Nice to meet you, Ada."]
      ]
    )
    assert.strictEqual(of(events, "conversation.item.added").length, 1)
    assert.strictEqual(saidIn(fold.ask("what did you just say")), "I said: Nice to meet you, Ada.")
  })

  it("reads what it brings along in place of the conversation", () => {
    const fold = new Fold()
    const { id } = fold.send(userText("my name is Ada"))[0]!.item
    const ask = (input: ReadonlyArray<object>) => {
      fold.send({ ...create, response: { conversation: "none", output_modalities: ["text"], input } })
      return saidIn(fold.pass())
    }
    assert.strictEqual(ask([{ type: "item_reference", id }]), "Nice to meet you, Ada.")
    assert.include(ask([userText("what is my name?").item]), "not told me")
    assert.include(ask([]), "scripted emulator")
  })

  it("counts tokens that add up, with the last prompt in the cache", () => {
    const fold = new Fold()
    fold.send(update({ instructions: "x".repeat(1000) }))
    const first = one(fold.ask("hello"), "response.done").response.usage
    const second = one(fold.ask("hello again"), "response.done").response.usage
    assert.strictEqual(first.input_token_details.cached_tokens, 0)
    assert.strictEqual(second.input_token_details.cached_tokens % 64, 0)
    assert.isAbove(second.input_token_details.cached_tokens, 0)
    for (const {
      input_token_details: input,
      input_tokens,
      output_token_details: output,
      output_tokens,
      total_tokens
    } of [first, second]) {
      assert.strictEqual(input.text_tokens + input.audio_tokens + input.image_tokens, input_tokens)
      assert.strictEqual(output.text_tokens + output.audio_tokens, output_tokens)
      assert.strictEqual(input_tokens + output_tokens, total_tokens)
      assert.isAtMost(input.cached_tokens, input_tokens)
    }
    // what was said before is read again
    assert.isAbove(second.input_tokens, first.input_tokens)
  })

  it("stops at its most tokens, as incomplete", () => {
    const fold = new Fold()
    const { response } = one(fold.ask("tell me a story", { max_output_tokens: 40 }), "response.done")
    assert.deepInclude(response, {
      status: "incomplete",
      status_details: { type: "incomplete", reason: "max_output_tokens" }
    })
    assert.strictEqual(response.output[0].status, "incomplete")
    assert.isTrue(story.startsWith(response.output[0].content[0].transcript))
    assert.isAtLeast(response.usage.output_tokens, 40)
  })

  it("fails when the assistant does, and the session goes on", () => {
    let broken = true
    const fold = new Fold({
      assistant: (prompt) => {
        if (broken) throw new Error("out of order")
        return Assistant.scripted(prompt)
      }
    })
    const { response } = one(fold.ask("hello"), "response.done")
    assert.strictEqual(response.status, "failed")
    assert.include(response.status_details.error.message, "out of order")
    broken = false
    assert.strictEqual(one(fold.ask("hello"), "response.done").response.status, "completed")
  })

  it("comes at its pace: speed times faster than it is heard", () => {
    const fold = new Fold({ speed: 4, latencyMs: 300 })
    fold.send(userText("tell me a story"), create)
    assert.deepStrictEqual(fold.pass(299), [])
    fold.pass(1)
    const from = fold.now
    assert.strictEqual(msIn(fold.events), 100)
    fold.pass(1000)
    assert.strictEqual(msIn(fold.events), 4100)
    fold.pass()
    // the wake-up after the last delta waits for that delta too
    assert.closeTo((fold.now - from) * 4, msIn(fold.events), 1)
  })

  it("waits for nothing at infinite speed", () => {
    const fold = new Fold({ speed: Number.POSITIVE_INFINITY })
    fold.ask("tell me a story")
    assert.strictEqual(fold.now, 0)
  })

  it.each([20, 100, 250])("has deltas of %d ms, the last one shorter", (chunkMs) => {
    const fold = new Fold({ chunkMs })
    const lengths = of(fold.ask("my name is Ada"), "response.output_audio.delta").map((event) => msIn([event]))
    assert.isTrue(lengths.slice(0, -1).every((ms) => ms === chunkMs))
    assert.isAtMost(lengths.at(-1)!, chunkMs)
  })

  it.each(["audio/pcmu", "audio/pcma"])("in %s is as long as in pcm", (type) => {
    const fold = new Fold()
    const pcmMs = msIn(fold.ask("my name is Ada"))
    fold.send(update({ audio: { output: { format: { type } } } }))
    const bytes = of(fold.ask("my name is Ada"), "response.output_audio.delta").reduce(
      (sum, { delta }) => sum + Buffer.from(delta, "base64").length,
      0
    )
    assert.strictEqual(bytes / 8, pcmMs)
  })

  it("stands still while it is held, and goes on where it was", () => {
    const fold = new Fold()
    fold.input({ _tag: "Hold" })
    fold.send(userText("my name is Ada"))
    assert.deepStrictEqual(typesOf(fold.send(create)), ["response.created"])
    assert.deepStrictEqual(fold.pass(10_000), [])
    fold.input({ _tag: "Release" })
    assert.strictEqual(saidIn(fold.pass()), "Nice to meet you, Ada.")
  })
})

it("a custom tool with a schema of its own is called like any other", () => {
  const fold = new Fold()
  fold.send(
    update({
      tools: [tool("book_table", { guests: { type: "integer" }, restaurant: { type: "string" } }, "Books a table")]
    })
  )
  assert.deepStrictEqual(callsIn(fold.ask("book a table for 4 at Luigi's"))[0]?.arguments, {
    guests: 4,
    restaurant: "Luigi's"
  })
})
