import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "@effect-bidi/core/Transcript"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HISTORY_BYTES, replay } from "../src/internal/history.ts"
import { head, pieces, shorten, tail } from "../src/internal/utf8.ts"
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

  // as the AWS sample of session continuation does it
  it("begins with the user: what the agent said before is left out", () => {
    assert.deepStrictEqual(messages(agent("Hello!"), agent("Anybody?"), user("Hi"), agent("There you are.")), [
      { role: "USER", text: "Hi" },
      { role: "ASSISTANT", text: "There you are." }
    ])
  })

  it("is told in words where the agent alone has spoken", () => {
    assert.deepStrictEqual(messages(agent("Hello!"), agent("Anybody?")), [
      { role: "USER", text: "[You have said: Hello!\nAnybody?]" }
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
    const exactly = "x".repeat(HISTORY_BYTES / 2)
    assert.strictEqual(size(messages(user(exactly), agent(exactly))), HISTORY_BYTES)
    assert.strictEqual(messages(user("old"), agent("old"), user(exactly), agent(exactly)).length, 2)
  })

  it("shortens what is too long by itself, and says so, before it leaves out others", () => {
    const found = call({ result: "x".repeat(60_000), isFailure: false })
    const told = messages(user("My name is Ada."), agent("Hello."), user("Look it up."), found, agent("Done."))
    assert.isAtMost(size(told), HISTORY_BYTES)
    assert.deepStrictEqual(
      told.map(({ role }) => role),
      ["USER", "ASSISTANT", "USER", "ASSISTANT"]
    )
    assert.strictEqual(told[0]!.text, "My name is Ada.")
    assert.match(told[2]!.text, /^Look it up\.\n\[You called the tool weather .*x \[… \d+ bytes left out …\] x+"\]$/s)
  })

  it("tells the beginnings and the ends of an exchange that is too long by itself", () => {
    const told = messages(
      user("old"),
      agent("old"),
      user(`Tell me: ${"😀".repeat(20_000)} why?`),
      agent(`${"a".repeat(60_000)}!`)
    )
    assert.isAtMost(size(told), HISTORY_BYTES)
    assert.deepStrictEqual(
      told.map(({ role }) => role),
      ["USER", "ASSISTANT", "USER", "ASSISTANT"]
    )
    assert.isTrue(told[2]!.text.startsWith("Tell me: 😀") && told[2]!.text.endsWith("😀 why?"))
    assert.isTrue(told[3]!.text.endsWith("a!"))
    assert.notInclude(told[2]!.text, "\uFFFD")
  })

  const Words = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  const Talk = Schema.Array(Schema.Struct({ user: Words, tool: Schema.optionalKey(Words), agent: Words }))
  it.effect.prop(
    "fits, whatever it is; the newest that fits is told whole, and something is told",
    [Talk, Schema.Boolean],
    ([talk, greets]) =>
      Effect.sync(() => {
        const said = talk.flatMap((turn, n): ReadonlyArray<Entry> => [
          user(`u${n} ${"u".repeat(turn.user)}`),
          ...(turn.tool === undefined ? [] : [call({ result: "t".repeat(turn.tool), isFailure: false })]),
          agent(`a${n} ${"a".repeat(turn.agent)}`)
        ])
        const told = messages(...(greets ? [agent("Welcome.")] : []), ...said)
        assert.isAtMost(size(told), HISTORY_BYTES)
        assert.strictEqual(told.length > 0, talk.length > 0 || greets)
        told.forEach(({ role }, n) => assert.strictEqual(role, n % 2 === 0 ? "USER" : "ASSISTANT"))
        const last = talk.at(-1)
        if (last === undefined) return
        if (last.user + (last.tool ?? 0) <= HISTORY_BYTES / 2 - 200 && last.agent <= HISTORY_BYTES / 2 - 200) {
          assert.strictEqual(told.at(-1)!.text, `a${talk.length - 1} ${"a".repeat(last.agent)}`)
          assert.include(told.at(-2)!.text, `u${talk.length - 1} ${"u".repeat(last.user)}`)
        } else {
          assert.include(told.at(-1)!.text, `a${talk.length - 1} `)
        }
      }),
    cases(300)
  )
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

  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["aä", 2, "a"],
    ["😀😀", 5, "😀"]
  ])("of %j the first %i bytes are %j", (text, size, expected) => {
    assert.strictEqual(head(text, size), expected)
  })

  it("is shortened in its middle, and says by how much", () => {
    assert.strictEqual(shorten("ä".repeat(20), 40), "ä".repeat(20))
    assert.strictEqual(
      shorten(`${"b".repeat(50)}${"e".repeat(50)}`, 60),
      `${"b".repeat(15)} [… 70 bytes left out …] ${"e".repeat(15)}`
    )
  })
})
