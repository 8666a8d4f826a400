import type { Transcript } from "@effect-bidi/core"
import { SessionLog, SessionRecord } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { leftBehind, settle } from "../src/internal/session/settling.ts"
import { cases } from "../../../scripts/cases.ts"

// ---------------------------------------------------------------------------------------------------------------------
// logs drawn at random: few ids, so that records are about each other
// ---------------------------------------------------------------------------------------------------------------------

const Id = Schema.Literals(["a", "b", "c", "d"])
const Few = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
const Words = Schema.String.check(Schema.isMaxLength(12))

const Drawn = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Entry"), id: Id, kind: Few, text: Words, flag: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.Literal("Heard"), id: Id, chars: Few, more: Words, final: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.Literal("State"), id: Id, value: Few }),
  Schema.Struct({ _tag: Schema.Literal("Profile"), id: Id, text: Words }),
  Schema.Struct({ _tag: Schema.Literal("Usage"), tokens: Few }),
  Schema.Struct({ _tag: Schema.Literal("Handle"), id: Id, flag: Schema.Boolean }),
  Schema.Struct({
    _tag: Schema.Literal("Approval"),
    id: Id,
    decision: Schema.Literals(["asked", "approved", "rejected"])
  }),
  Schema.Struct({ _tag: Schema.Literal("Closed") })
])

const entryOf = ({ flag, id, kind, text }: Extract<typeof Drawn.Type, { _tag: "Entry" }>): Transcript.Entry => {
  switch (kind % 5) {
    case 0:
      return { _tag: "User", id, parts: flag ? [text] : [] }
    case 1:
      return { _tag: "Note", id, text }
    case 2:
      return {
        _tag: "ToolCall",
        id,
        responseId: `r-${id}`,
        name: "book",
        input: { text },
        ...(flag ? { output: { result: text, isFailure: false } } : {})
      }
    case 3:
      return { _tag: "Assistant", id, responseId: `r-${id}`, text, interrupted: false }
    default:
      return { _tag: "Assistant", id, responseId: `r-${id}`, text: "", interrupted: flag, full: text }
  }
}

const bodyOf = (drawn: typeof Drawn.Type): SessionRecord.Body => {
  switch (drawn._tag) {
    case "Entry":
      return { _tag: "Entry", entry: entryOf(drawn) }
    case "Heard":
      return {
        _tag: "Heard",
        id: drawn.id,
        chars: drawn.chars,
        millis: 10 * drawn.chars,
        final: drawn.final,
        more: drawn.more
      }
    case "State":
      return { _tag: "State", key: drawn.id, value: drawn.value }
    case "Profile":
      return { _tag: "Profile", name: drawn.id, instructions: drawn.text }
    case "Usage":
      return {
        _tag: "Usage",
        inputTokens: drawn.tokens,
        outputTokens: 1,
        totalTokens: drawn.tokens + 1,
        byModality: [{ modality: "audio", inputTokens: drawn.tokens, outputTokens: 1 }]
      }
    case "Handle":
      return {
        _tag: "Handle",
        provider: "test",
        model: "test",
        handle: drawn.flag ? "h" : null,
        without: [drawn.id],
        calls: []
      }
    case "Approval":
      return { _tag: "Approval", id: drawn.id, decision: drawn.decision }
    case "Closed":
      return { _tag: "Closed", reason: "complete" }
  }
}

/** Epochs, one after the other, each with what its owner wrote. */
const Epochs = Schema.Array(Schema.Array(Drawn).check(Schema.isMaxLength(12))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(3)
)
const Where = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))).check(
  Schema.isMaxLength(20)
)
const Cut = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))

const recordsOf = (epochs: typeof Epochs.Type): ReadonlyArray<SessionRecord.Record> =>
  epochs.flatMap((drawn, i) =>
    [{ _tag: "Opened", by: `${i + 1}` } as const, ...drawn.map(bodyOf)].map((body, n) => ({
      v: SessionRecord.FORMAT,
      epoch: i + 1,
      n,
      at: 1000 + n,
      body
    }))
  )

const linesOf = (records: ReadonlyArray<SessionRecord.Record>): string =>
  records.map((record) => `${SessionRecord.encode(record)}\n`).join("")

const read = (text: string) => SessionLog.parse(text.split("\n"))

const some = cases(200)

describe("a log", () => {
  it.prop(
    "is what it was before it was written and read",
    { epochs: Epochs },
    ({ epochs }) => {
      const records = recordsOf(epochs)
      assert.deepStrictEqual(Result.getOrThrow(read(linesOf(records))), records)
    },
    some
  )

  it.prop(
    "adds up from any point on to what it adds up to at once",
    { epochs: Epochs, cut: Cut },
    ({ cut, epochs }) => {
      const records = recordsOf(epochs)
      const at = cut % (records.length + 1)
      const inTwo = SessionLog.fold(records.slice(at), SessionLog.fold(records.slice(0, at)))
      assert.deepStrictEqual(inTwo, SessionLog.fold(records))
    },
    some
  )

  it.prop(
    "with a torn tail is the log of the records before it",
    { epochs: Epochs, cut: Cut },
    ({ cut, epochs }) => {
      const records = recordsOf(epochs)
      const text = linesOf(records)
      const torn = text.slice(0, cut % (text.length + 1))
      const whole = Result.getOrThrow(read(torn))
      assert.deepStrictEqual(whole, records.slice(0, whole.length))
      // all lines that are whole, and the last one also without its end
      assert.isAtLeast(whole.length, torn.split("\n").length - 1)
    },
    some
  )

  it.prop(
    "goes on after a torn tail, whoever writes on, and whatever of it is written again",
    { epochs: Epochs, cut: Cut, again: Schema.Boolean, next: Schema.Array(Drawn).check(Schema.isMaxLength(4)) },
    ({ again, cut, epochs, next }) => {
      const records = recordsOf(epochs)
      const text = linesOf(records)
      const torn = text.slice(0, cut % (text.length + 1))
      const whole = Result.getOrThrow(read(torn))
      // the owner tries again, the batch from its beginning; or somebody else opens the session
      const more = again
        ? records.slice(Math.max(0, whole.length - 2))
        : recordsOf([next]).map((record) => ({ ...record, epoch: 9 }))
      const log = Result.getOrThrow(read(`${torn}\n${linesOf(more)}`))
      const expected = again ? records : [...whole, ...more]
      assert.deepStrictEqual(SessionLog.fold(log), SessionLog.fold(expected))
    },
    some
  )

  it.prop(
    "is not changed by whoever has been superseded",
    { epochs: Epochs, late: Schema.Array(Drawn).check(Schema.isMaxLength(20)), where: Where },
    ({ epochs, late, where }) => {
      const records = recordsOf([...epochs, []])
      const last = records.length - 1 // where the last epoch begins
      const mixed = Array.from(records)
      late.forEach((drawn, i) => {
        const stale: SessionRecord.Record = {
          v: SessionRecord.FORMAT,
          epoch: 1 + (i % epochs.length),
          n: 1000 + i,
          at: 0,
          body: bodyOf(drawn)
        }
        mixed.splice(last + 1 + ((where[i] ?? 0) % (mixed.length - last)), 0, stale)
      })
      assert.deepStrictEqual(SessionLog.fold(mixed), SessionLog.fold(records))
      assert.deepStrictEqual(SessionLog.fold(Result.getOrThrow(read(linesOf(mixed)))), SessionLog.fold(records))
    },
    some
  )

  it.prop(
    "does not change when records are written twice",
    { epochs: Epochs, where: Where },
    ({ epochs, where }) => {
      const records = recordsOf(epochs)
      // a batch is written again before anything that follows it
      const twice = records.flatMap((record, i) =>
        where.includes(i) ? records.slice(i - Math.min(i, record.n, 3), i + 1).concat(record) : [record]
      )
      assert.deepStrictEqual(SessionLog.fold(twice), SessionLog.fold(records))
    },
    some
  )

  it.prop(
    "is settled once: what was left open is closed, and nothing else changes",
    { epochs: Epochs },
    ({ epochs }) => {
      const before = SessionLog.fold(recordsOf(epochs))
      const records = settle(before).map((entry, i) => ({
        v: SessionRecord.FORMAT,
        epoch: before.epoch,
        n: before.count + i,
        at: 0,
        body: { _tag: "Entry" as const, entry }
      }))
      const after = SessionLog.fold(records, before)
      assert.strictEqual(after.audible.size, 0)
      for (const entry of after.transcript) {
        if (entry._tag !== "ToolCall" || entry.output !== undefined) continue
        assert.strictEqual(after.approvals.get(entry.id)?.decision, "asked")
      }
      assert.deepStrictEqual(settle(after), [])
      assert.deepStrictEqual(
        after.transcript.map(({ id }) => id),
        before.transcript.map(({ id }) => id)
      )
      // words that were heard were heard
      for (const [i, entry] of after.transcript.entries()) {
        if (entry._tag === "Assistant") assert.strictEqual(entry.text, (before.transcript[i] as typeof entry).text)
      }
    },
    some
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// stories
// ---------------------------------------------------------------------------------------------------------------------

const log = (...bodies: ReadonlyArray<SessionRecord.Body>): ReadonlyArray<SessionRecord.Record> =>
  [{ _tag: "Opened", by: "a test" } as const, ...bodies].map((body, n) => ({
    v: SessionRecord.FORMAT,
    epoch: 1,
    n,
    at: 0,
    body
  }))

const entry = (entry: Transcript.Entry): SessionRecord.Body => ({ _tag: "Entry", entry })
const user = (id: string, ...parts: ReadonlyArray<string>) => entry({ _tag: "User", id, parts })
const speaking = (id: string, text: string, full: string) =>
  entry({ _tag: "Assistant", id, responseId: `r-${id}`, text, interrupted: false, full })
const call = (id: string) => entry({ _tag: "ToolCall", id, responseId: "r", name: "book", input: {} })
const heard = (id: string, chars: number, final = false, more = ""): SessionRecord.Body => ({
  _tag: "Heard",
  id,
  chars,
  millis: 100 * chars,
  final,
  more
})

describe("what a reply was heard of", () => {
  it("grows with what is known of its words, and is all of it in the end", () => {
    const at = (...bodies: ReadonlyArray<SessionRecord.Body>) =>
      SessionLog.fold(log(speaking("a", "", ""), ...bodies)).transcript[0]
    const [one, two, three] = [
      heard("a", 0, false, "Once there "),
      heard("a", 4, false, "was a fox."),
      heard("a", 21, true)
    ]
    const reply = { _tag: "Assistant", id: "a", responseId: "r-a", interrupted: false }
    assert.deepStrictEqual<unknown>(at(one), { ...reply, text: "", full: "Once there " })
    assert.deepStrictEqual<unknown>(at(one, two), { ...reply, text: "Once", full: "Once there was a fox." })
    assert.deepStrictEqual<unknown>(at(one, two, three), { ...reply, text: "Once there was a fox." })
  })

  it("is where it is cut when the process dies", () => {
    const before = SessionLog.fold(
      log(user("q", "A story."), speaking("a", "", "Once there was a fox."), heard("a", 4))
    )
    assert.deepStrictEqual(settle(before), [
      {
        _tag: "Assistant",
        id: "a",
        responseId: "r-a",
        text: "Once",
        interrupted: true,
        full: "Once there was a fox."
      }
    ])
    assert.deepStrictEqual(leftBehind(before), { asked: [], cut: "r-a", results: false })
  })

  it("is nothing: then the question was not answered", () => {
    const before = SessionLog.fold(log(user("q", "A story."), speaking("a", "", "Once there was a fox.")))
    assert.deepStrictEqual(leftBehind(before), { asked: ["q"], cut: undefined, results: false })
  })
})

describe("a call without an output", () => {
  const outputs = (...bodies: ReadonlyArray<SessionRecord.Body>) =>
    settle(SessionLog.fold(log(call("c"), ...bodies))).map((entry) =>
      entry._tag === "ToolCall" ? entry.output : undefined
    )
  const approval = (decision: "asked" | "approved" | "rejected", reason?: string): SessionRecord.Body => ({
    _tag: "Approval",
    id: "c",
    decision,
    ...(reason === undefined ? {} : { reason })
  })

  it("may have taken effect", () => {
    assert.match(String(outputs()[0]?.result), /unknown/)
    assert.match(String(outputs(approval("asked"), approval("approved"))[0]?.result), /unknown/)
  })

  it("goes on waiting for consent", () => {
    assert.deepStrictEqual(outputs(approval("asked")), [])
  })

  it("that was rejected was not made", () => {
    const [output] = outputs(approval("asked"), approval("rejected", "too expensive"))
    assert.deepStrictEqual(output, { result: "This was not approved: too expensive.", isFailure: true })
  })
})

describe("a log that is not whole", () => {
  const lines = linesOf(log(user("a", "one"), user("b", "two"), user("c", "three"))).split("\n")
  const problem = (lines: ReadonlyArray<string>) => Result.getOrThrow(Result.flip(SessionLog.parse(lines)))

  it("names the line where a record is missing", () => {
    assert.strictEqual(problem(lines.with(2, "what is this")).line, 3)
    assert.strictEqual(problem(lines.with(2, "what is this")).problem, "it is not JSON")
    assert.strictEqual(problem(lines.toSpliced(2, 1)).line, 3)
  })

  it("says that it is of another format", () => {
    assert.strictEqual(
      problem(lines.with(1, lines[1]!.replace('"v":1', '"v":2'))).problem,
      "its format is 2, and this version reads format 1"
    )
  })
})
