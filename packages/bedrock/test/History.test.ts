import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "@effect-bidi/core/Transcript"
import { HISTORY, replay } from "../src/internal/history.ts"
import { pieces, tail } from "../src/internal/text.ts"
import { start } from "./support/protocol.ts"

interface Message {
  readonly role: string
  readonly text: string
}

/** The messages of a history. Everything else of their blocks is checked on the way. */
const messages = (...history: ReadonlyArray<Entry>): ReadonlyArray<Message> => {
  const found: Array<Message> = []
  const names = new Set<string>()
  let texts: Array<string> = []
  let open: any
  for (const event of replay(start(), history) as ReadonlyArray<any>) {
    if (event.contentStart !== undefined) {
      assert.isUndefined(open)
      open = event.contentStart
      assert.deepInclude(open, { type: "TEXT", interactive: false })
      assert.isFalse(names.has(open.contentName))
      names.add(open.contentName)
    } else if (event.textInput !== undefined) {
      assert.strictEqual(event.textInput.contentName, open.contentName)
      assert.isAtMost(Buffer.byteLength(event.textInput.content), 1024)
      texts.push(event.textInput.content)
    } else {
      assert.strictEqual(event.contentEnd.contentName, open.contentName)
      found.push({ role: open.role, text: texts.join("") })
      open = undefined
      texts = []
    }
  }
  assert.isUndefined(open)
  return found
}

const user = (text: string, id = text): Entry => ({ _tag: "User", id, parts: [text] })
const agent = (text: string, more: object = {}): Entry => ({
  _tag: "Assistant",
  id: text,
  responseId: "r",
  text,
  interrupted: false,
  ...more
})
const call = (output?: { result: any; isFailure: boolean }): Entry => ({
  _tag: "ToolCall",
  id: "call_1",
  responseId: "r",
  name: "weather",
  input: { city: "Bern" },
  ...(output === undefined ? {} : { output })
})

const size = (told: ReadonlyArray<Message>) => told.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)

describe("the talk so far", () => {
  it("is told in turns, tools and facts with what the user said", () => {
    const told = messages(
      user("Weather?"),
      call({ result: { sun: true }, isFailure: false }),
      { ...call({ result: "offline", isFailure: true }), id: "call_2" } as Entry,
      agent("Sunny."),
      agent("Very."),
      { _tag: "Note", id: "n", text: "It is noon." },
      user("Thanks.")
    )
    assert.deepStrictEqual(told, [
      {
        role: "USER",
        text: [
          "Weather?",
          '[You called the tool weather with {"city":"Bern"}. It returned: {"sun":true}]',
          '[You called the tool weather with {"city":"Bern"}. It failed: "offline"]'
        ].join("\n")
      },
      { role: "ASSISTANT", text: "Sunny.\nVery." },
      { role: "USER", text: "[It is noon.]\nThanks." }
    ])
  })

  it("begins with the user, also if the agent did", () => {
    assert.deepStrictEqual(messages(agent("Hello!"), user("Hi")), [
      { role: "USER", text: "[The call begins.]" },
      { role: "ASSISTANT", text: "Hello!" },
      { role: "USER", text: "Hi" }
    ])
  })

  it("holds what was heard of a reply that was cut off, not what was meant", () => {
    const told = messages(user("Go"), agent("Once upon", { interrupted: true, full: "Once upon a time" }))
    assert.deepStrictEqual(told[1], { role: "ASSISTANT", text: "Once upon" })
  })

  it("leaves out what has no words, and calls without an output", () => {
    assert.deepStrictEqual(messages({ _tag: "User", id: "u", parts: [] }, agent(" "), call()), [])
  })

  it("mentions pictures, which the model cannot see", () => {
    const image = { _tag: "ImageInput", image: Uint8Array.of(1), mimeType: "image/png" } as const
    assert.deepStrictEqual(messages({ _tag: "User", id: "u", parts: ["Look", image] }), [
      { role: "USER", text: "Look\n[a picture]" }
    ])
  })

  it("comes in pieces of 1 KB", () => {
    const text = "ä".repeat(3000)
    assert.deepStrictEqual(messages(user(text)), [{ role: "USER", text }])
    assert.strictEqual(replay(start(), [user(text)]).filter((event) => "textInput" in event).length, 6)
  })

  it("leaves out the oldest exchanges when it is more than 40 KB", () => {
    const long = (n: number) => [user(`${n} ${"u".repeat(5000)}`), agent(`${n} ${"a".repeat(7000)}`)]
    const told = messages(...[1, 2, 3, 4, 5].flatMap(long))
    assert.isAtMost(size(told), 40 * 1024)
    assert.deepStrictEqual(
      told.map(({ role, text }) => `${role} ${text.charAt(0)}`),
      ["USER 3", "ASSISTANT 3", "USER 4", "ASSISTANT 4", "USER 5", "ASSISTANT 5"]
    )
    // all of it fits, to the last byte
    const exactly = "x".repeat(HISTORY / 2)
    assert.strictEqual(size(messages(user(exactly), agent(exactly))), HISTORY)
    assert.strictEqual(messages(user("old"), agent("old"), user(exactly), agent(exactly)).length, 2)
  })

  it("tells the end of an exchange that is too long by itself", () => {
    const told = messages(
      user("old"),
      agent("old"),
      user(`${"😀".repeat(20_000)} why?`),
      agent(`${"a".repeat(60_000)}!`)
    )
    assert.isAtMost(size(told), 40 * 1024)
    assert.deepStrictEqual(
      told.map(({ role }) => role),
      ["USER", "ASSISTANT"]
    )
    assert.isTrue(told[0]!.text.endsWith("😀 why?") && told[1]!.text.endsWith("a!"))
    assert.notInclude(told[0]!.text, "\uFFFD")
  })
})

describe("text", () => {
  it.each([
    ["", 4, [""]],
    ["abcd", 4, ["abcd"]],
    ["abcde", 4, ["abcd", "e"]],
    ["äöü", 3, ["ä", "ö", "ü"]],
    ["a😀b", 4, ["a", "😀", "b"]],
    ["one two three", 8, ["one two ", "three"]],
    ["a bcdefgh", 8, ["a bcdefg", "h"]],
    ["\uFEFFab", 4, ["\uFEFFa", "b"]]
  ])("%j in pieces of %i bytes is %j", (text, size, expected) => {
    assert.deepStrictEqual(pieces(text, size), expected)
  })

  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "bcd"],
    ["aä", 1, ""],
    ["aäb", 2, "b"],
    ["😀😀", 5, "😀"]
  ])("of %j the last %i bytes are %j", (text, size, expected) => {
    assert.strictEqual(tail(text, size), expected)
  })
})
