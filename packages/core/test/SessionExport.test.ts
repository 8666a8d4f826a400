import * as SessionExport from "@effect-bidi/core/SessionExport"
import * as SessionRecord from "@effect-bidi/core/SessionRecord"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"

const T = Date.UTC(2026, 0, 1, 12)
const log = (...bodies: ReadonlyArray<readonly [at: number, body: SessionRecord.Body]>): Array<SessionRecord.Record> =>
  bodies.map(([at, body], n) => ({ v: 1, epoch: 1, n, at: T + at, body }))

const records = log(
  [0, { _tag: "Opened", by: "test" }],
  [2000, { _tag: "Entry", entry: { _tag: "User", id: "u", parts: [] } }],
  [2100, { _tag: "Entry", entry: { _tag: "User", id: "u", parts: ["Tell me <a> story."] } }],
  [
    2500,
    {
      _tag: "Entry",
      entry: { _tag: "Assistant", id: "a", responseId: "r", text: "", interrupted: false, full: "Once upon a time." }
    }
  ],
  [4000, { _tag: "Heard", id: "a", chars: 9, millis: 1000, final: false }],
  [
    4500,
    {
      _tag: "Entry",
      entry: {
        _tag: "Assistant",
        id: "a",
        responseId: "r",
        text: "Once upon",
        interrupted: true,
        full: "Once upon a time."
      }
    }
  ],
  [
    5000,
    {
      _tag: "Entry",
      entry: {
        _tag: "ToolCall",
        id: "c",
        responseId: "r2",
        name: "add",
        input: { a: 1 },
        output: { result: 2, isFailure: false }
      }
    }
  ],
  [6000, { _tag: "Closed", reason: "user_request" }]
)

describe("a session", () => {
  it("is subtitles, where the words were heard", () => {
    assert.strictEqual(
      SessionExport.toWebVtt(records, { startedAt: T }),
      `WEBVTT

00:00:00.920 --> 00:00:02.000
<v User>Tell me &lt;a&gt; story.</v>

00:00:03.000 --> 00:00:04.000
<v Agent>Once upon</v>
`
    )
  })

  it("is Markdown, with what was cut off", () => {
    assert.strictEqual(
      SessionExport.toMarkdown(records),
      [
        "**User** (12:00:00): Tell me \\<a\\> story.",
        "**Agent** (12:00:03): Once upon ~~a time.~~",
        '**Tool** (12:00:05): `add({"a":1})` → `2`'
      ].join("\n\n")
    )
  })

  it("is JSON", () => {
    const { ended, messages } = SessionExport.toJson(records) as any
    assert.strictEqual(ended, "user_request")
    assert.deepInclude(messages[1], {
      role: "assistant",
      text: "Once upon",
      full: "Once upon a time.",
      interrupted: true,
      from: "2026-01-01T12:00:03.000Z"
    })
    assert.deepInclude(messages[2], { role: "tool", name: "add", output: { result: 2, isFailure: false } })
  })

  it.prop(
    "law: every log can be exported, and subtitles are in order and none ends before it begins",
    { bodies: Schema.Array(SessionRecord.Body).check(Schema.isMaxLength(12)) },
    ({ bodies }) => {
      const records = log(...bodies.map((body, n) => [n * 700, body] as const))
      assert.doesNotThrow(() => JSON.stringify(SessionExport.toJson(records)))
      assert.isString(SessionExport.toMarkdown(records))
      const cues = SessionExport.toWebVtt(records).match(/^[0-9:.]+ --> [0-9:.]+$/gm) ?? []
      let last = ""
      for (const cue of cues) {
        const [from, to] = cue.split(" --> ")
        assert.isTrue(from! >= last && to! > from!, cue)
        last = from!
      }
    },
    cases(100)
  )
})
