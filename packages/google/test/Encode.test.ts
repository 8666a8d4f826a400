import { assert, describe, it } from "@effect/vitest"
import type { Command, ToolOutput } from "@effect-bidi/core/BidiModel"
import { refusal } from "../src/internal/encode.ts"
import { older, send, start } from "./support/protocol.ts"

const image = (mimeType: string, bytes: Uint8Array = new Uint8Array([1, 2, 3])) =>
  ({ _tag: "ImageInput", image: bytes, mimeType }) as const
const message = (...parts: Extract<Command, { _tag: "UserMessage" }>["parts"]) =>
  ({ _tag: "UserMessage", id: "m1", parts }) as const
const text = (text: string) => ({ realtimeInput: { text } })
const video = (mimeType: string) => ({ realtimeInput: { video: { mimeType, data: "AQID" } } })
const begin = { realtimeInput: { activityStart: {} } }
const end = { realtimeInput: { activityEnd: {} } }

describe("a message of the user", () => {
  it("is text in real time", () => {
    assert.deepStrictEqual(send(start(), message("Hello")), [text("Hello")])
  })

  it("is pictures first, then all of its text", () => {
    assert.deepStrictEqual(send(start(), message("Look:", image("image/png"), "What is it?", image("image/jpeg"))), [
      video("image/png"),
      video("image/jpeg"),
      text("Look:\nWhat is it?")
    ])
  })

  it("asks also about pictures alone", () => {
    assert.deepStrictEqual(send(start(), message(image("image/png"))), [
      video("image/png"),
      text("[The user shows this picture.]")
    ])
  })

  it("holds the bytes of a picture, not those around it", () => {
    const whole = Uint8Array.from({ length: 100 }, (_, i) => i)
    const [frame] = send(start(), message(image("image/png", whole.subarray(10, 20))))
    assert.deepStrictEqual(Uint8Array.from(Buffer.from(frame.realtimeInput.video.data, "base64")), whole.slice(10, 20))
  })

  it("is a turn where the application says what one is, unless it is part of one", () => {
    const state = start({ manual: true })
    const parts = [{ inlineData: { mimeType: "image/png", data: "AQID" } }, { text: "Hello" }]
    assert.deepStrictEqual(send(state, message("Hello", image("image/png"))), [
      { clientContent: { turns: [{ role: "user", parts }], turnComplete: true } }
    ])
    assert.deepStrictEqual(send(state, { _tag: "TurnStart" }), [begin])
    assert.deepStrictEqual(send(state, message("Hello", image("image/png"))), [video("image/png"), text("Hello")])
    assert.deepStrictEqual(send(state, { _tag: "TurnCommit" }), [end])
    assert.isTrue(send(state, { _tag: "Respond" })[0].clientContent.turnComplete)
  })

  it("is marked as a turn where the model takes no content while it talks", () => {
    assert.deepStrictEqual(send(start({ ...older, manual: true }), message("Hello", image("image/png"))), [
      begin,
      video("image/png"),
      text("Hello"),
      end
    ])
  })
})

describe("the answers of tools", () => {
  const output = (id: string, result: ToolOutput["result"], isFailure = false): ToolOutput => ({
    id,
    name: `tool_${id}`,
    result,
    isFailure
  })
  const responses = (outputs: ReadonlyArray<ToolOutput>, session = {}) => {
    const [{ toolResponse }, ...rest] = send(start(session), { _tag: "ToolOutputs", outputs })
    assert.deepStrictEqual(rest, [])
    return toolResponse.functionResponses
  }

  it("are one message, with ids and names, and ask for one reply", () => {
    assert.deepStrictEqual(
      responses([output("1", { celsius: 20 }), output("2", "no such city", true), output("3", 7)]),
      [
        { id: "1", name: "tool_1", response: { output: { celsius: 20 } }, scheduling: "SILENT" },
        { id: "2", name: "tool_2", response: { error: "no such city" }, scheduling: "SILENT" },
        { id: "3", name: "tool_3", response: { output: 7 }, scheduling: "WHEN_IDLE" }
      ]
    )
  })

  it("may cut a reply off", () => {
    const [first, last] = responses([output("1", 1), output("2", 2)], { scheduling: "interrupt" })
    assert.deepStrictEqual([first.scheduling, last.scheduling], ["SILENT", "INTERRUPT"])
  })

  it("say nothing of scheduling where there is no choice", () => {
    assert.deepStrictEqual(responses([output("1", "sunny")], older), [
      { id: "1", name: "tool_1", response: { output: "sunny" } }
    ])
  })

  it.each([
    [null, "Done. There is no result."],
    ["", "Done. There is no result."],
    [{}, "Done. The result is empty."],
    [[], "Done. The result is an empty list."],
    [0, 0],
    [false, false],
    [[[]], [[]]]
  ])("are never nothing: %j", (result, told) => {
    assert.deepStrictEqual(responses([output("1", result)])[0].response, { output: told })
    assert.deepStrictEqual(responses([output("1", result, true)])[0].response, { error: told })
  })
})

describe("what the application says", () => {
  it("is told apart from what the user says", () => {
    assert.deepStrictEqual(send(start(), { _tag: "Note", text: "It rains.", respond: true }), [
      text("[From the application: It rains.]")
    ])
    assert.deepStrictEqual(send(start(), { _tag: "Respond", instructions: "Greet." }), [
      text("[From the application: Greet.]")
    ])
    assert.deepStrictEqual(send(start(), { _tag: "Respond" }), [
      text("[From the application: Say what you would say next, without mentioning this.]")
    ])
  })

  it("waits for something to answer when no reply is asked for", () => {
    const parts = [{ text: "[From the application: It rains.]" }]
    assert.deepStrictEqual(send(start(), { _tag: "Note", text: "It rains.", respond: false }), [
      { clientContent: { turns: [{ role: "user", parts }], turnComplete: false } }
    ])
  })

  it("cuts nothing off: there is no message for it", () => {
    const items = [{ itemId: "c_a1", heard: 100, produced: 200 }]
    assert.deepStrictEqual(send(start(), { _tag: "Interrupt", responseId: "c_r1", items }), [])
  })
})

describe("a command that is refused", () => {
  const reason = (command: Command, session = {}) => refusal(start(session), command)?.reason

  it.each(["image/webp", "image/gif", "audio/wav", "IMAGE/PNG"])(
    "has a picture of a kind that is not read: %s",
    (type) => {
      const refused = reason(message("Look", image("image/png"), image(type)))
      assert(refused?._tag === "InvalidRequest")
      assert.strictEqual(refused.option, "mimeType")
      assert.include(refused.message, type)
      assert.include(refused.message, "image/png and image/jpeg")
    }
  )

  it("takes back speech", () => {
    assert.strictEqual(reason({ _tag: "TurnClear" })?._tag, "Unsupported")
  })

  it("tells something on the side, where the model answers everything", () => {
    const refused = reason({ _tag: "Note", text: "It rains.", respond: false }, older)
    assert(refused?._tag === "Unsupported")
    assert.include(refused.message, "gemini-3.1-flash-live-preview")
    assert.isUndefined(reason({ _tag: "Note", text: "It rains.", respond: true }, older))
    assert.isUndefined(reason({ _tag: "Note", text: "It rains.", respond: false }))
  })

  it.each([
    message("Hi", image("image/png"), image("image/jpeg")),
    { _tag: "Respond" },
    { _tag: "TurnStart" },
    { _tag: "TurnCommit" },
    { _tag: "ToolOutputs", outputs: [] },
    { _tag: "Interrupt", responseId: "c_r1", items: [] }
  ] as const)("is none of these: %j", (command) => {
    assert.isUndefined(reason(command))
  })
})
