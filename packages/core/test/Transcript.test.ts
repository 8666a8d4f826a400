import { Transcript } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Schema from "effect/Schema"

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
      const part = Transcript.heardText(text, heard, produced)
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
      assert.isTrue(Transcript.heardText(text, more, produced).startsWith(Transcript.heardText(text, less, produced)))
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
    const [answered, unanswered] = Transcript.splitUnanswered([
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
    assert.deepStrictEqual(Transcript.fromPrompt(Transcript.toPrompt(transcript)), transcript)
  })

  it("takes messages of others as they are", () => {
    const transcript = Transcript.fromPrompt(
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
