import { assert, describe, it } from "@effect/vitest"
import { Fold, one, saidIn, toolOutput, userText } from "./support/fold.ts"
import type { Event } from "./support/fold.ts"

const errorIn = (events: ReadonlyArray<Event>) => one(events, "error").error as Record<string, unknown>
const create = { type: "response.create" }

describe("wrong messages", () => {
  it.each<[string, string | object, string, string | null]>([
    ["no JSON", "not json", "invalid_json", null],
    ["no object", "[1]", "invalid_type", null],
    ["null", "null", "invalid_type", null],
    ["no type", {}, "missing_required_parameter", "type"],
    ["an unknown type", { type: "nope" }, "invalid_value", "type"],
    ["a type that is no text", { type: 7 }, "invalid_type", "type"],
    ["no session", { type: "session.update" }, "missing_required_parameter", "session"],
    ["a session of no type", { type: "session.update", session: {} }, "missing_required_parameter", "session.type"],
    ["no audio", { type: "input_audio_buffer.append" }, "missing_required_parameter", "audio"],
    ["audio that is no base64", { type: "input_audio_buffer.append", audio: "§§§" }, "invalid_value", "audio"],
    ["half a sample", { type: "input_audio_buffer.append", audio: "AAAA" }, "invalid_value", "audio"],
    ["empty audio", { type: "input_audio_buffer.append", audio: "" }, "invalid_value", "audio"],
    ["an item of no type", { type: "conversation.item.create", item: {} }, "missing_required_parameter", "item.type"],
    [
      "content of another role",
      {
        type: "conversation.item.create",
        item: { type: "message", role: "system", content: [{ type: "output_text", text: "x" }] }
      },
      "invalid_value",
      "item.content[0].type"
    ],
    ["an output without a call", toolOutput("call_x", 1), "invalid_tool_call_id", "item.call_id"],
    [
      "an image from the web",
      {
        type: "conversation.item.create",
        item: { type: "message", role: "user", content: [{ type: "input_image", image_url: "https://x.org/a.png" }] }
      },
      "invalid_value",
      "item.content[0].image_url"
    ],
    [
      "an item behind none",
      { ...userText("x"), previous_item_id: "item_x" },
      "item_create_invalid_previous_item_id",
      "previous_item_id"
    ],
    [
      "deleting nothing",
      { type: "conversation.item.delete", item_id: "item_x" },
      "item_delete_invalid_item_id",
      "item_id"
    ],
    [
      "retrieving nothing",
      { type: "conversation.item.retrieve", item_id: "item_x" },
      "item_retrieve_invalid_item_id",
      "item_id"
    ],
    [
      "truncating nothing",
      { type: "conversation.item.truncate", item_id: "item_x", content_index: 0, audio_end_ms: 1 },
      "item_truncate_invalid_item_id",
      "item_id"
    ],
    [
      "a negative truncation",
      { type: "conversation.item.truncate", item_id: "item_x", content_index: 0, audio_end_ms: -5 },
      "integer_below_min_value",
      "audio_end_ms"
    ],
    [
      "a truncation at NaN",
      { type: "conversation.item.truncate", item_id: "item_x", content_index: 0, audio_end_ms: Number.NaN },
      "invalid_type",
      "audio_end_ms"
    ],
    [
      "a truncation inside a millisecond",
      { type: "conversation.item.truncate", item_id: "item_x", content_index: 0, audio_end_ms: 10.5 },
      "invalid_type",
      "audio_end_ms"
    ],
    ["cancelling nothing", { type: "response.cancel" }, "response_cancel_not_active", null],
    ["cancelling another", { type: "response.cancel", response_id: "resp_x" }, "response_cancel_not_active", null],
    ["an empty commit", { type: "input_audio_buffer.commit" }, "input_audio_buffer_commit_empty", null],
    [
      "a reference to nothing",
      { type: "response.create", response: { input: [{ type: "item_reference", id: "item_x" }] } },
      "item_not_found",
      "response.input[0].id"
    ],
    ["an event of WebRTC", { type: "output_audio_buffer.clear" }, "invalid_value", "type"]
  ])("%s is an error that leaves the session alive", (_, message, code, param) => {
    const fold = new Fold()
    const given = typeof message === "string" ? message : { ...message, event_id: "mine" }
    const error = errorIn(fold.send(given))
    assert.deepInclude(error, {
      type: "invalid_request_error",
      code,
      param,
      event_id: typeof message === "string" ? null : "mine"
    })
    assert.isAbove((error.message as string).length, 10)
    assert.strictEqual(saidIn(fold.ask("my name is Ada")), "Nice to meet you, Ada.")
  })

  it("a binary frame is an error", () => {
    const fold = new Fold()
    fold.input({ _tag: "Unreadable", reason: "No binary frames." })
    assert.strictEqual(errorIn(fold.events).code, "invalid_event")
  })

  it("says which event types there are", () => {
    const { message } = errorIn(new Fold().send({ type: "nope" })) as { message: string }
    for (const type of ["session.update", "input_audio_buffer.append", "response.cancel"])
      assert.include(message, `'${type}'`)
  })

  it("a second response in the conversation is refused with the name of the first", () => {
    const fold = new Fold()
    const { id } = one(fold.send(create), "response.created").response
    const error = errorIn(fold.send(create))
    assert.strictEqual(error.code, "conversation_already_has_active_response")
    assert.include(error.message as string, id)
    fold.pass()
    one(fold.send(create), "response.created")
  })
})
