import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "@effect-bidi/core/Transcript"
import { replay } from "../src/internal/history.ts"
import { receive } from "../src/internal/decode.ts"
import * as F from "./fixtures/frames.ts"
import { cut, send, start, types } from "./support/protocol.ts"

const items = (...history: ReadonlyArray<Entry>): ReadonlyArray<any> =>
  replay(start(), history).map((frame) => {
    assert(frame.type === "conversation.item.create")
    return frame.item
  })

const assistant = (id: string, text: string, more: object = {}): Entry => ({
  _tag: "Assistant",
  id,
  responseId: "resp_old",
  text,
  interrupted: false,
  ...more
})

const toolCall = (id: string, output?: { result: any; isFailure: boolean }): Entry => ({
  _tag: "ToolCall",
  id,
  responseId: "resp_old",
  name: "weather",
  input: { city: "Bern" },
  ...(output === undefined ? {} : { output })
})

describe("the talk so far", () => {
  it("is told in its order", () => {
    const image = { _tag: "ImageInput", image: Uint8Array.of(255), mimeType: "image/jpeg" } as const
    const told = items(
      { _tag: "User", id: "item_u", parts: ["Hi", image] },
      assistant("item_a", "Hello."),
      toolCall("call_1", { result: 21, isFailure: false }),
      toolCall("call_2", { result: "offline", isFailure: true }),
      { _tag: "Note", id: "note_1", text: "It rains." }
    )
    const call = { type: "function_call", name: "weather", arguments: '{"city":"Bern"}' }
    assert.deepStrictEqual(told, [
      {
        id: "item_u",
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "Hi" },
          { type: "input_image", image_url: "data:image/jpeg;base64,/w==" }
        ]
      },
      { id: "item_a", type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello." }] },
      { ...call, call_id: "call_1" },
      { type: "function_call_output", call_id: "call_1", output: "21" },
      { ...call, call_id: "call_2" },
      { type: "function_call_output", call_id: "call_2", output: '{"error":{"message":"offline"}}' },
      { id: "note_1", type: "message", role: "system", content: [{ type: "input_text", text: "It rains." }] }
    ])
  })

  it("holds what was heard of a reply that was cut off, not what was meant", () => {
    const [item] = items(assistant("item_a", "Once upon", { interrupted: true, full: "Once upon a time" }))
    assert.deepStrictEqual(item.content, [{ type: "output_text", text: "Once upon" }])
  })

  it("leaves out what has no words, and calls without an output", () => {
    assert.deepStrictEqual(items({ _tag: "User", id: "u", parts: [] }, assistant("a", ""), toolCall("call_1")), [])
  })

  it("makes long ids fit, a call and its output alike", () => {
    const id = "a-call-id-of-another-provider-which-is-rather-long"
    const [call, output] = items(toolCall(id, { result: null, isFailure: false }))
    assert.match(call.call_id, /^[\w-]{1,32}$/)
    assert.strictEqual(call.call_id, output.call_id)
    const [, live] = [
      null,
      ...send(start(), { _tag: "ToolOutputs", outputs: [{ id, name: "", result: 1, isFailure: false }] })
    ]
    // one that the provider made itself comes back as it was
    assert.strictEqual(live.item.call_id, id)
    const ids = items({ _tag: "User", id, parts: ["x"] }, assistant(`${id}2`, "y")).map((item) => item.id)
    assert.strictEqual(new Set(ids).size, 2)
  })

  it("causes no reply, and is nothing that could be cut off", () => {
    const state = start()
    assert.deepStrictEqual(types(replay(state, [assistant("item_a", "Hello.")])), ["conversation.item.create"])
    const interrupt = { _tag: "Interrupt", responseId: "resp_old", items: [cut("item_a", 1)] } as const
    assert.deepStrictEqual(send(state, interrupt), [])
  })

  it("names the entry that was not taken", () => {
    const state = start()
    const [frame] = replay(state, [assistant("item_a", "Hello.")])
    const [problem] = receive(state, [F.error({ event_id: frame!.event_id })]).events
    assert(problem?._tag === "Refused")
    assert.strictEqual(problem.id, "item_a")
    assert.deepStrictEqual(problem.details, { event: "conversation.item.create", about: "item_a" })
  })
})
