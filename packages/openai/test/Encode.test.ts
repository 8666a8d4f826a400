import { assert, describe, it } from "@effect/vitest"
import type { Command } from "@effect-bidi/core/BidiModel"
import { receive } from "../src/internal/decode.ts"
import { fit } from "../src/internal/ids.ts"
import * as F from "./fixtures/frames.ts"
import { cut, send, start, types } from "./support/protocol.ts"

const interrupt = (items: Extract<Command, { _tag: "Interrupt" }>["items"], responseId = "resp_1") =>
  ({ _tag: "Interrupt", responseId, items }) as const

const create = (n: number) => ({ type: "response.create", event_id: `bidi_${n}` })

describe("a command", () => {
  it("is a message of the user, and the request for a reply", () => {
    const image = { _tag: "ImageInput", image: Uint8Array.of(1, 2, 3), mimeType: "image/png" } as const
    const parts = ["Look:", image]
    assert.deepStrictEqual(send(start(), { _tag: "UserMessage", id: "message_1", parts }), [
      {
        type: "conversation.item.create",
        event_id: "bidi_1",
        item: {
          id: "message_1",
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "Look:" },
            { type: "input_image", image_url: "data:image/png;base64,AQID" }
          ]
        }
      },
      create(2)
    ])
  })

  it("is the outputs of all tools, and the request for one reply", () => {
    const output = (id: string, result: any, isFailure = false) => ({ id, name: "tool", result, isFailure })
    const outputs = [
      output("call_1", { degrees: 21 }),
      output("call_2", "text"),
      output("call_3", null),
      output("call_4", "no such city", true),
      output("call_5", { reason: "offline" }, true)
    ]
    const frames = send(start(), { _tag: "ToolOutputs", outputs })
    assert.deepStrictEqual(
      frames.slice(0, -1).map(({ item }) => [item.type, item.call_id, item.output]),
      [
        ["function_call_output", "call_1", '{"degrees":21}'],
        ["function_call_output", "call_2", '"text"'],
        ["function_call_output", "call_3", "null"],
        ["function_call_output", "call_4", '{"error":{"message":"no such city"}}'],
        ["function_call_output", "call_5", '{"error":{"reason":"offline"}}']
      ]
    )
    assert.deepStrictEqual(frames.at(-1), create(6))
  })

  it("is a note, with or without the request for a reply", () => {
    const item = { type: "message", role: "system", content: [{ type: "input_text", text: "It rains." }] }
    const note = { type: "conversation.item.create", event_id: "bidi_1", item }
    assert.deepStrictEqual(send(start(), { _tag: "Note", text: "It rains.", respond: false }), [note])
    assert.deepStrictEqual(send(start(), { _tag: "Note", text: "It rains.", respond: true }), [note, create(2)])
  })

  it("is the request for a reply, whose instructions come after those of the session", () => {
    const respond: Command = { _tag: "Respond", instructions: "Greet." }
    assert.deepStrictEqual(send(start(), { _tag: "Respond" }), [create(1)])
    assert.deepStrictEqual(send(start(), respond), [{ ...create(1), response: { instructions: "Greet." } }])
    assert.deepStrictEqual(send(start({ instructions: "You are Ada." }), respond), [
      { ...create(1), response: { instructions: "You are Ada.\n\nGreet." } }
    ])
  })

  it("is a change of the session, which later replies follow", () => {
    const state = start({ instructions: "You are Ada." })
    const weather = { name: "weather", description: undefined, parameters: { type: "object" } }
    const updated = (instructions: string) =>
      receive(state, [F.frame("session.updated", { session: { instructions } })])
    assert.deepStrictEqual(send(state, { _tag: "Update", instructions: "You are Bo.", tools: [weather] }), [
      {
        type: "session.update",
        event_id: "bidi_1",
        session: {
          type: "realtime",
          instructions: "You are Bo.",
          tools: [{ type: "function", name: "weather", parameters: { type: "object" } }]
        }
      }
    ])
    assert.deepStrictEqual(updated("You are Bo.").settled, [{ eventId: "bidi_1" }])
    assert.deepStrictEqual(send(state, { _tag: "Respond", instructions: "Greet." }), [
      { ...create(2), response: { instructions: "You are Bo.\n\nGreet." } }
    ])
    const [cleared] = send(state, { _tag: "Update", instructions: undefined, tools: [] })
    assert.deepInclude(cleared, { session: { type: "realtime", instructions: "", tools: [] } })
  })

  it("is a turn that the application begins, ends or takes back", () => {
    const state = start()
    assert.deepStrictEqual(send(state, { _tag: "TurnStart" }), [
      { type: "input_audio_buffer.clear", event_id: "bidi_1" }
    ])
    assert.deepStrictEqual(send(state, { _tag: "TurnCommit" }), [
      { type: "input_audio_buffer.commit", event_id: "bidi_2" }
    ])
    const taken = receive(state, [F.userSpeech[2]!])
    assert.deepStrictEqual<ReadonlyArray<any>>(taken.frames, [create(3)])
    assert.deepStrictEqual(taken.settled, [{ eventId: "bidi_2" }])
    assert.deepStrictEqual(send(state, { _tag: "TurnClear" }), [
      { type: "input_audio_buffer.clear", event_id: "bidi_4" }
    ])
  })
})

describe("an interruption", () => {
  const cancel = { type: "response.cancel", event_id: "bidi_1", response_id: "resp_1" }
  const truncate = (millis: number, fields: object = {}) => ({
    type: "conversation.item.truncate",
    event_id: "bidi_1",
    item_id: "item_1",
    content_index: 0,
    audio_end_ms: millis,
    ...fields
  })
  const remove = { type: "conversation.item.delete", event_id: "bidi_1", item_id: "item_1" }

  /** A reply of 150 ms that is generated, and still audible. */
  const generated = () => {
    const state = start()
    receive(state, F.spokenReply)
    return state
  }

  it("cuts an item where it was heard", () => {
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", 60)])), [truncate(60)])
  })

  it("cuts in whole milliseconds", () => {
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", 60.9)])), [truncate(60)])
  })

  it("forgets an item of which nothing was heard", () => {
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", 0)])), [remove])
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", -5)])), [remove])
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", Number.NaN)])), [remove])
  })

  it("leaves an item alone that was heard to its end", () => {
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", 150)])), [])
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_1", 9000)])), [])
    const state = start()
    // 150.5 ms: what is heard is counted in whole ones
    receive(state, [F.audio("resp_1", "item_1", Buffer.alloc(7224).toString("base64")), F.done("resp_1")])
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 150)])), [])
  })

  it("cancels a reply that is being generated, before it cuts it", () => {
    const state = start()
    receive(state, F.spokenReply.slice(0, 6))
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 60)])), [cancel, truncate(60, { event_id: "bidi_2" })])
  })

  it("cuts no further than what has arrived, as long as more is generated", () => {
    const state = start()
    receive(state, F.spokenReply.slice(0, 6))
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 5000)])), [
      cancel,
      truncate(100, { event_id: "bidi_2" })
    ])
  })

  it("cancels a reply of which nothing is audible yet", () => {
    const state = start()
    receive(state, [F.created("resp_1")])
    assert.deepStrictEqual(send(state, interrupt([])), [cancel])
  })

  it("does not cancel what is done, whoever ended it", () => {
    const state = start()
    receive(state, [F.created("resp_1"), F.cancelled("resp_1", "turn_detected")])
    assert.deepStrictEqual(send(state, interrupt([])), [])
  })

  it("says nothing of items that this connection never had", () => {
    assert.deepStrictEqual(send(generated(), interrupt([cut("item_of_old", 10)])), [])
    assert.deepStrictEqual(send(start(), interrupt([cut("item_1", 10)], "resp_of_old")), [])
  })

  it("names the part of the item that is the sound", () => {
    const state = start()
    receive(state, [F.audio("resp_1", "item_1", F.pcm(100), { content_index: 1 }), F.done("resp_1")])
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 10)])), [truncate(10, { content_index: 1 })])
  })

  it("treats every item for itself", () => {
    const state = start()
    const items = ["item_1", "item_2", "item_3"]
    receive(state, [F.created("resp_1"), ...items.map((id) => F.audio("resp_1", id, F.pcm(100))), F.done("resp_1")])
    const cuts = items.map((itemId, i) => cut(itemId, [100, 40, 0][i]!))
    const frames = send(state, interrupt(cuts))
    assert.deepStrictEqual(
      frames.map(({ audio_end_ms, item_id, type }) => [type, item_id, audio_end_ms]),
      [
        ["conversation.item.truncate", "item_2", 40],
        ["conversation.item.delete", "item_3", undefined]
      ]
    )
  })

  it("says so once", () => {
    const state = generated()
    send(state, interrupt([cut("item_1", 0)]))
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 0)])), [])
  })

  it("counts G.711 in its own bytes", () => {
    const state = start({ bytesPerMilli: 8 })
    receive(state, [F.audio("resp_1", "item_1", Buffer.alloc(800).toString("base64")), F.done("resp_1")])
    assert.deepStrictEqual(send(state, interrupt([cut("item_1", 99)])), [truncate(99)])
  })

  it("lets the reply to the next message wait until the cancelled one is over", () => {
    const state = start()
    receive(state, F.spokenReply.slice(0, 6))
    send(state, interrupt([cut("item_1", 60)]))
    const message: Command = { _tag: "UserMessage", id: "m", parts: ["No, wait."] }
    assert.deepStrictEqual(types(send(state, message)), ["conversation.item.create"])
    assert.deepStrictEqual(types(receive(state, [F.cancelled("resp_1")]).frames), ["response.create"])
  })
})

describe("an id", () => {
  it("stays as it is where the provider takes it", () => {
    for (const id of ["a", "item_B2-x", "0123456789abcdef0123456789abcdef"]) assert.strictEqual(fit(id), id)
  })

  it.each(["", "a b", "item:1", "ü", "9f2c6a0e-7b6c-4d3c-9d50-3a8a1c1a0e11", "x".repeat(33)])(
    "is made to fit: %j",
    (id) => {
      assert.match(fit(id), /^[\w-]{1,32}$/)
      assert.strictEqual(fit(id), fit(id))
    }
  )

  it("does not become one with another", () => {
    const long = "x".repeat(40)
    const ids = ["", "a b", "a c", `${long}1`, `${long}2`]
    assert.strictEqual(new Set(ids.map(fit)).size, ids.length)
  })
})
