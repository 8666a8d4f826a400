import { Transcript } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { heardText } from "../src/internal/history/heardText.ts"
import { splitUnanswered } from "../src/internal/history/splitUnanswered.ts"

const fromPrompt = (prompt: Prompt.Prompt) => Effect.runSync(Transcript.fromPrompt(prompt))

const Text = Schema.String.check(Schema.isPattern(/^[a-z]{1,8}( [a-z]{1,8}){0,12}$/))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))

const user = (id: string, ...parts: ReadonlyArray<string>): Transcript.User => ({ _tag: "User", id, parts })
const assistant = (id: string, text: string): Transcript.Assistant => ({
  _tag: "Assistant",
  id,
  responseId: `r-${id}`,
  text,
  interrupted: false
})

describe("what was heard", () => {
  it.prop(
    "is a beginning of what was said, and ends with a whole word",
    { text: Text, heard: Count, produced: Count },
    ({ heard, produced, text }) => {
      const part = heardText(text, { heard, produced })
      assert.isTrue(text.startsWith(part))
      assert.isTrue(part === "" || part === text || text[part.length] === " ")
      if (heard === 0) assert.strictEqual(part, "")
      if (heard >= produced && heard > 0 && produced > 0) assert.strictEqual(part, text)
    }
  )

  it.prop(
    "grows with time",
    { text: Text, one: Count, two: Count, produced: Count },
    ({ one, produced, text, two }) => {
      const [less, more] = [Math.min(one, two), Math.max(one, two)]
      assert.isTrue(heardText(text, { heard: more, produced }).startsWith(heardText(text, { heard: less, produced })))
    }
  )
})

describe("what was heard, when it is known when words were spoken", () => {
  const text = "one two three"
  const marks = [
    { chars: 3, until: 1000 },
    { chars: 7, until: 1200 },
    { chars: 13, until: 4000 }
  ]
  const at = (heard: number) => heardText(text, { heard, produced: 5000 }, marks)

  it("is what was spoken then", () => {
    assert.deepStrictEqual(
      [at(999), at(1000), at(1199), at(1200), at(3999), at(4000), at(4999)],
      ["", "one", "one", "one two", "one two", "one two three", "one two three"]
    )
  })

  it("goes evenly between two marks", () => {
    const words = "a b c d e f g h"
    assert.strictEqual(heardText(words, { heard: 500, produced: 5000 }, [{ chars: 8, until: 1000 }]), "a b")
    assert.strictEqual(heardText(words, { heard: 3000, produced: 5000 }, [{ chars: 8, until: 1000 }]), "a b c d e f")
  })

  const Marks = Schema.Array(Schema.Struct({ chars: Count, until: Count }))
  it.prop(
    "is a beginning that grows with time, whatever the marks are",
    { text: Text, marks: Marks, one: Count, two: Count, produced: Count },
    ({ marks, one, produced, text, two }) => {
      const inOrder = <K extends "chars" | "until">(key: K) => marks.map((mark) => mark[key]).toSorted((a, b) => a - b)
      const untils = inOrder("until")
      const sorted = inOrder("chars").map((chars, i) => ({ chars: Math.min(chars, text.length), until: untils[i]! }))
      const [less, more] = [Math.min(one, two), Math.max(one, two)]
      const heard = (millis: number) => heardText(text, { heard: millis, produced }, sorted)
      assert.isTrue(text.startsWith(heard(more)))
      assert.isTrue(heard(more).startsWith(heard(less)))
    }
  )
})

describe("a transcript", () => {
  it("keeps the place of an entry that is written again", () => {
    const log = [user("u1"), assistant("a1", ""), user("u1", "Hello"), assistant("a1", "Hi")]
    const expected = [user("u1", "Hello"), assistant("a1", "Hi")]
    assert.deepStrictEqual(Transcript.fromLog(log), expected)
    assert.deepStrictEqual(log.reduce(Transcript.put, Transcript.empty), expected)
  })

  it("knows what nobody answered", () => {
    const [answered, unanswered] = splitUnanswered([
      user("u1", "a"),
      assistant("a1", "b"),
      user("u2", "c"),
      user("u3", "d")
    ])
    assert.lengthOf(answered, 2)
    assert.deepStrictEqual(unanswered, [user("u2", "c"), user("u3", "d")])
  })

  // ids are unique, calls of one response stand together, entries have words
  const Unique = Schema.Array(
    Schema.Union([
      Schema.Struct({
        kind: Schema.Literal("user"),
        parts: Schema.NonEmptyArray(Schema.Union([Text, Schema.Literal("image")]))
      }),
      Schema.Struct({ kind: Schema.Literal("assistant"), text: Text, cut: Schema.Boolean }),
      Schema.Struct({ kind: Schema.Literal("calls"), outputs: Schema.NonEmptyArray(Schema.NullOr(Schema.Boolean)) }),
      Schema.Struct({ kind: Schema.Literal("note"), text: Text })
    ])
  ).check(Schema.isMaxLength(10))

  it.prop("comes back from messages of effect/ai as it was", { drafts: Unique }, ({ drafts }) => {
    const transcript = drafts.flatMap((draft, i): ReadonlyArray<Transcript.Entry> => {
      switch (draft.kind) {
        case "user":
          return [
            {
              _tag: "User",
              id: `u${i}`,
              parts: draft.parts.map((part) =>
                part === "image" ? { _tag: "ImageInput", image: new Uint8Array([i]), mimeType: "image/png" } : part
              )
            }
          ]
        case "assistant":
          return [
            {
              ...assistant(`a${i}`, draft.text),
              ...(draft.cut ? { interrupted: true, full: `${draft.text} more` } : {})
            }
          ]
        case "note":
          return [{ _tag: "Note", id: `n${i}`, text: draft.text }]
        case "calls":
          return draft.outputs.map((output, j) => ({
            _tag: "ToolCall",
            id: `c${i}-${j}`,
            responseId: `r${i}`,
            name: "tool",
            input: { j },
            ...(output === null ? {} : { output: { result: [output], isFailure: output } })
          }))
      }
    })
    assert.deepStrictEqual(fromPrompt(Transcript.toPrompt(transcript)), transcript)
  })

  it("takes messages of others as they are", () => {
    const transcript = fromPrompt(
      Prompt.make([
        { role: "system", content: "Be kind." },
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm" },
            { type: "text", text: "Hello" }
          ]
        },
        { role: "user", content: [{ type: "file", mediaType: "application/pdf", data: "…" }] }
      ])
    )
    assert.deepStrictEqual(
      transcript.map((entry) => entry._tag),
      ["Note", "User", "Assistant"]
    )
  })
})
