import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "@effect-bidi/core/Transcript"
import { replay } from "../src/internal/history.ts"
import { older, send, start } from "./support/protocol.ts"

const user = (...parts: Extract<Entry, { _tag: "User" }>["parts"]): Entry => ({ _tag: "User", id: "u", parts })
const assistant = (text: string, more: object = {}): Entry => ({
  _tag: "Assistant",
  id: "a",
  responseId: "r",
  text,
  interrupted: false,
  ...more
})
const called = (output?: { result: string | object; isFailure: boolean }): Entry =>
  ({
    _tag: "ToolCall",
    id: "call_1",
    responseId: "r",
    name: "weather",
    input: { city: "Bern" },
    ...(output === undefined ? {} : { output })
  }) as Entry

const told = (role: string, ...texts: ReadonlyArray<string>) => ({ role, parts: texts.map((text) => ({ text })) })
const turnsOf = (...history: ReadonlyArray<Entry>) => {
  const [message] = replay(start(), history)
  return message?.clientContent?.turns
}

describe("the talk so far", () => {
  it("is one message to a new session, complete, and asks for nothing", () => {
    const state = start()
    assert.deepStrictEqual(replay(state, [user("Hi"), assistant("Hello."), user("Bye")]), [
      {
        clientContent: {
          turns: [told("user", "Hi"), told("model", "Hello."), told("user", "Bye")],
          turnComplete: true
        }
      }
    ])
    assert.isUndefined(state.owed)
  })

  it.each([[[]], [[user(), assistant("  "), called()]]])(
    "is told to be empty where the model waits for it: %j",
    (history) => {
      assert.deepStrictEqual(replay(start(), history), [{ clientContent: { turnComplete: true } }])
      assert.deepStrictEqual(replay(start({ resumed: true }), history), [])
      assert.deepStrictEqual(replay(start({ seed: "context" }), history), [])
      const state = start({ ...older, resumed: true })
      assert.deepStrictEqual(replay(state, history), [])
      assert.deepStrictEqual(state.untold, [])
    }
  )

  it("has one content for what one side said in a row", () => {
    assert.deepStrictEqual(turnsOf(user("Hi"), user("there"), assistant("One."), assistant("Two.")), [
      told("user", "Hi", "there"),
      told("model", "One.", "Two.")
    ])
  })

  it("is text: pictures, calls and notes are told in words", () => {
    const picture = { _tag: "ImageInput", image: new Uint8Array(1), mimeType: "image/png" } as const
    assert.deepStrictEqual(
      turnsOf(
        user("Look:", picture),
        called({ result: { celsius: 20 }, isFailure: false }),
        assistant("Warm."),
        { _tag: "Note", id: "n", text: "It rains." },
        called({ result: "no such city", isFailure: true })
      ),
      [
        told(
          "user",
          "Look:\n[The user showed a picture.]",
          '[From the application: You called the tool weather with {"city":"Bern"}. It returned {"celsius":20}]'
        ),
        told("model", "Warm."),
        told(
          "user",
          "[From the application: It rains.]",
          '[From the application: You called the tool weather with {"city":"Bern"}. It failed with no such city]'
        )
      ]
    )
  })

  it("holds of a reply that was cut off what was heard of it", () => {
    assert.deepStrictEqual(turnsOf(assistant("Once upon", { interrupted: true, full: "Once upon a time" })), [
      told("model", "Once upon")
    ])
  })

  it("waits for the user where the model knows no history, and ends with them", () => {
    const state = () => start({ seed: "context" })
    assert.deepStrictEqual(replay(state(), [user("Hi"), assistant("Hello.")]), [
      {
        clientContent: {
          turns: [told("user", "Hi"), told("model", "Hello."), told("user", " ")],
          turnComplete: false
        }
      }
    ])
    assert.deepStrictEqual(replay(state(), [user("Hi")]), [
      { clientContent: { turns: [told("user", "Hi")], turnComplete: false } }
    ])
  })

  it("is added to a session that goes on", () => {
    const [message] = replay(start({ resumed: true }), [user("Hi"), assistant("Hello.")])
    assert.isFalse(message?.clientContent?.turnComplete)
    assert.strictEqual(message?.clientContent?.turns?.at(-1)?.role, "user")
  })

  it("is told with the next words where the model would answer at once", () => {
    const state = start({ ...older, resumed: true })
    assert.deepStrictEqual(replay(state, [user("Hi"), assistant("Hello.")]), [])
    const say = () => send(state, { _tag: "UserMessage", id: "m", parts: ["Bye"] })
    assert.deepStrictEqual(say(), [
      {
        realtimeInput: {
          text: "[From the application: This happened meanwhile:\nUser: Hi\nYou: Hello.]\n\nBye"
        }
      }
    ])
    assert.deepStrictEqual(say(), [{ realtimeInput: { text: "Bye" } }])
  })
})
