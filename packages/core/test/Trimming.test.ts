/**
 * What of the talk is kept for a provider that takes only so much.
 *
 * 1. Something is always kept, it fits, and it is the end of the talk.
 * 2. The newest exchanges that fit are kept, whole but for entries that take more than a third of all the room.
 * 3. What is shortened is the beginning of what was said, with a mark of what is left out, and well-formed.
 */
import { BidiAgent, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"
import { sizeOf } from "../src/internal/history/shortening.ts"
import { trim } from "../src/internal/history/trimming.ts"

const Between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Size = Schema.Union([Between(0, 40), Between(0, 400), Between(0, 6000)])
const Talk = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["User", "User", "Assistant", "Assistant", "ToolCall", "Note"]),
      size: Size,
      letters: Schema.Literals(["plain ", "\u{1F98A}", "\u3042", '"\\\n', "e\u0301"])
    })
  ).check(Schema.isBetweenLength(0, 14)),
  limit: Between(400, 5000)
})

const entryOf = ({ kind, letters, size }: (typeof Talk.Type)["entries"][number], n: number): Transcript.Entry => {
  const id = `entry-${n}`
  const text = letters.repeat(Math.ceil(size / letters.length))
  switch (kind) {
    case "User":
      return { _tag: kind, id, parts: size % 2 === 0 ? [text] : [text, "and this", text] }
    case "Assistant":
      return { _tag: kind, id, responseId: id, text, interrupted: false }
    case "Note":
      return { _tag: kind, id, text }
    case "ToolCall": {
      const result = size % 3 === 0 ? text : { rows: [text, n] }
      return {
        _tag: kind,
        id,
        responseId: id,
        name: "look",
        input: size % 2 === 0 ? {} : { text },
        output: { result, isFailure: false }
      }
    }
  }
}

const total = (entries: Transcript.Transcript) => entries.reduce((sum, entry) => sum + sizeOf(entry), 0)

const beginnings = (talk: Transcript.Transcript) =>
  talk.flatMap((_, n) => (n === 0 || (talk[n]!._tag === "User" && talk[n - 1]!._tag !== "User") ? [n] : []))

const textsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : []

describe("a talk that is larger than what the provider takes", () => {
  it.prop(
    "keeps the laws",
    { talk: Talk },
    ({ talk: { entries, limit } }) => {
      const talk = entries.map(entryOf)
      const { dropped, shortened, kept } = trim(talk, limit)

      // 1.
      assert.deepStrictEqual(
        kept.map(({ id }) => id),
        talk.slice(talk.length - kept.length).map(({ id }) => id)
      )
      if (talk.length > 0) assert.isNotEmpty(kept)
      assert.isAtMost(total(kept), limit)
      assert.strictEqual(dropped, talk.length - kept.length)
      assert.strictEqual(shortened, kept.filter((entry) => !talk.includes(entry)).length)
      if (total(talk) <= limit) assert.deepStrictEqual([dropped, shortened], [0, 0])

      // 2.
      const from = beginnings(talk).find((n) => total(talk.slice(n)) <= limit)
      const fitting = from === undefined ? [] : talk.slice(from)
      assert.isAtLeast(kept.length, fitting.length)
      for (const entry of fitting) if (sizeOf(entry) <= limit / 3) assert.include(kept, entry)

      // 3.
      for (const entry of kept) {
        const whole = talk.find(({ id }) => id === entry.id)!
        if (entry === whole) continue
        assert.isBelow(sizeOf(entry), sizeOf(whole))
        const said = textsIn(whole)
        for (const text of textsIn(entry)) {
          assert.isTrue(text.isWellFormed())
          const [begin, ...marks] = text.split(/ \[…(?: \d+ characters left out)?\]$/)
          if (marks.length === 0) assert.include(said, text)
          else if (entry._tag !== "ToolCall") assert.isTrue(said.some((one) => one.startsWith(begin!)))
        }
      }
    },
    cases(300)
  )

  it.effect("keeps the user's name, though the last result is larger than all there is room for", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(Tool.make("list", { success: Schema.String }))
      const handlers = toolkit.toLayer({ list: () => Effect.succeed("row ".repeat(15_000)) })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.expectText("My name is Ada.")
          yield* line.reply({ text: "Hello Ada." })
          yield* line.expectText("List everything.")
          yield* line.callTools(["list", {}])
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "There are many." })
          yield* line.drop()
        }),
        { limits: { history: 40_000 } }
      )
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      const call = yield* agent.start({ outputs: [recorder.output] })
      for (const text of ["My name is Ada.", "List everything."]) {
        yield* call.send(text)
        yield* BidiTest.advance("1 second")
      }
      const seeded = model.log().find((entry) => entry._tag === "Seeded" && entry.generation === 2)
      const kept = seeded?._tag === "Seeded" ? seeded.history : []
      assert.deepStrictEqual(
        kept.map(({ _tag }) => _tag),
        ["User", "Assistant", "User", "ToolCall", "Assistant"]
      )
      assert.match(JSON.stringify(kept), /My name is Ada.*row row.*characters left out.*There are many/)
      assert.deepStrictEqual(
        recorder.events().find((event) => event._tag === "HistoryTrimmed"),
        { _tag: "HistoryTrimmed", entries: 0, shortened: 1, at: 1000 }
      )
    })
  )
})
