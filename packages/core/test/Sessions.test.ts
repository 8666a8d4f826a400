/**
 * A process is killed in the middle of a conversation, and another one goes on with what the log had by then.
 */
import { BidiAgent, type BidiEvent, type SessionRecord, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { agentWith } from "./support/agent.ts"
import { storeAfter, storeOf } from "./support/store.ts"

const SESSION = { sessionId: "ada" } as const

/** What the log has after `before`, in which the process dies. */
const killed = (
  script: BidiTest.Script,
  before: (call: BidiAgent.Call<unknown>) => Effect.Effect<unknown, unknown>,
  options: BidiAgent.RunOptions = {}
) =>
  Effect.gen(function* () {
    const { agent } = yield* agentWith(script)
    const store = storeOf()
    // nothing of what closes it reaches the log
    const scope = yield* Scope.make()
    const call = yield* agent.start({ ...SESSION, ...options }).pipe(Effect.provide(store.layer), Scope.provide(scope))
    yield* before(call)
    const records = store.records().slice()
    yield* Scope.close(scope, Exit.void)
    return records
  })

/** The conversation that goes on from there. */
const goesOn = (
  records: ReadonlyArray<SessionRecord.Body>,
  options: BidiAgent.RunOptions = {},
  script: BidiTest.Script = (line) => line.accept
) =>
  Effect.gen(function* () {
    const { agent, model } = yield* agentWith(script)
    const store = storeAfter(records)
    const recorder = BidiTest.recorder()
    const call = yield* agent
      .start({ ...SESSION, outputs: [recorder.output], ...options })
      .pipe(Effect.provide(store.layer))
    yield* BidiTest.advance("1 second")
    return { call, model, recorder, store, told: told(model), asked: model.commands() }
  })

const told = (model: BidiTest.TestModel): Transcript.Transcript =>
  model.log().flatMap((entry) => (entry._tag === "Seeded" ? entry.history : []))

const words = (transcript: Transcript.Transcript) =>
  transcript.map((entry) => {
    switch (entry._tag) {
      case "User":
        return `user: ${entry.parts.join(" ")}`
      case "Assistant":
        return `agent: ${entry.text}`
      case "Note":
        return `note: ${entry.text}`
      case "ToolCall":
        return `${entry.name}: ${entry.output?.result}`
    }
  })

const answering: BidiTest.Script = Effect.fnUntraced(function* (line) {
  while (true) {
    const command = yield* line.next
    if (command._tag === "UserMessage") yield* line.reply({ text: `You said ${command.parts.join(" ")}` })
  }
})

/** A story that takes ten seconds to tell. */
const story: BidiTest.Script = Effect.fnUntraced(function* (line) {
  yield* line.next
  yield* line.reply({ text: "one two three four five six seven eight nine ten", audio: "10 seconds" })
  yield* line.wait("1 hour")
})

describe("a process that was killed", () => {
  it.effect("after an answer: the next one knows what was said, and nobody speaks", () =>
    Effect.gen(function* () {
      const records = yield* killed(answering, (call) =>
        Effect.andThen(call.send("My name is Ada."), BidiTest.advance("5 seconds"))
      )
      const { asked, told } = yield* goesOn(records)
      assert.deepStrictEqual(words(told), ["user: My name is Ada.", "agent: You said My name is Ada."])
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("when a text had been sent: it is answered now, or not, or something else is said", () =>
    Effect.gen(function* () {
      const silent: BidiTest.Script = (line) => Effect.andThen(line.next, line.wait("1 hour"))
      const records = yield* killed(silent, (call) => call.send("What time is it?"))
      const answered = yield* goesOn(records)
      assert.deepStrictEqual(words(answered.told), [])
      assert.deepStrictEqual(
        answered.asked.map((command) => (command._tag === "UserMessage" ? command.parts : command._tag)),
        [["What time is it?"]]
      )
      const waits = yield* goesOn(records, { resume: "wait" })
      assert.deepStrictEqual(words(waits.told), ["user: What time is it?"])
      assert.deepStrictEqual(waits.asked, [])
      const speaks = yield* goesOn(records, { resume: { instructions: "Apologise." } })
      assert.deepStrictEqual(words(speaks.told), ["user: What time is it?"])
      assert.deepStrictEqual(speaks.asked, [{ _tag: "Respond", instructions: "Apologise." }])
    })
  )

  it.effect("in the middle of a reply: what was heard of it was said, and it is gone on with", () =>
    Effect.gen(function* () {
      const speaker = yield* BidiTest.speaker()
      const records = yield* killed(
        story,
        (call) => Effect.andThen(call.send("A story."), BidiTest.advance("5200 millis")),
        { outputs: [speaker.output] }
      )
      const { asked, call, store, told } = yield* goesOn(records)
      // to the second
      assert.deepStrictEqual(words(told), ["user: A story.", "agent: one two three four five"])
      assert.match(String(asked[0]?._tag === "Respond" && asked[0].instructions), /^The connection was renewed/)
      const reply = store.transcript().find((entry) => entry._tag === "Assistant")
      assert.deepInclude(reply, {
        text: "one two three four five",
        full: "one two three four five six seven eight nine ten",
        interrupted: true
      })
      assert.lengthOf((yield* call.history).content, 2)
    })
  )

  it.effect("when the reply had been heard: it was said whole", () =>
    Effect.gen(function* () {
      const speaker = yield* BidiTest.speaker()
      const records = yield* killed(
        story,
        (call) => Effect.andThen(call.send("A story."), BidiTest.advance("11 seconds")),
        { outputs: [speaker.output] }
      )
      const { asked, told } = yield* goesOn(records)
      assert.strictEqual(words(told)[1], "agent: one two three four five six seven eight nine ten")
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("before anything of a reply was heard: the question is asked again", () =>
    Effect.gen(function* () {
      const speaker = yield* BidiTest.speaker()
      const records = yield* killed(
        story,
        (call) => Effect.andThen(call.send("A story."), BidiTest.advance("500 millis")),
        { outputs: [speaker.output] }
      )
      const { asked, told } = yield* goesOn(records)
      assert.deepStrictEqual(words(told), [])
      assert.deepStrictEqual(
        asked.map(({ _tag }) => _tag),
        ["UserMessage"]
      )
    })
  )

  it.effect("before its greeting was heard: it greets", () =>
    Effect.gen(function* () {
      const greeting = { instructions: "Say hello." }
      const records = yield* killed(
        (line) => Effect.andThen(line.next, line.wait("1 hour")),
        () => BidiTest.settle,
        {
          greeting
        }
      )
      const { asked } = yield* goesOn(records, { greeting })
      assert.deepStrictEqual(asked, [{ _tag: "Respond", instructions: "Say hello." }])
    })
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// tools
// ---------------------------------------------------------------------------------------------------------------------

const book = Tool.make("book", { parameters: Schema.Struct({ table: Schema.Int }), success: Schema.String })
const pay = Tool.make("pay", {
  parameters: Schema.Struct({ euros: Schema.Int }),
  success: Schema.String,
  needsApproval: true
})
const toolkit = Toolkit.make(book, pay)

const withTools = (records: ReadonlyArray<SessionRecord.Body>, script: BidiTest.Script) =>
  Effect.gen(function* () {
    const ran: Array<string> = []
    const handlers = toolkit.toLayer({
      book: ({ table }) =>
        Effect.andThen(
          Effect.sync(() => void ran.push(`table ${table}`)),
          Effect.never
        ),
      pay: ({ euros }) =>
        Effect.sync(() => {
          ran.push(`${euros} euros`)
          return `paid ${euros}`
        })
    })
    const model = yield* BidiTest.model(script)
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    const store = storeAfter(records)
    const recorder = BidiTest.recorder()
    const scope = yield* Scope.make()
    const call = yield* agent
      .start({ ...SESSION, outputs: [recorder.output] })
      .pipe(Effect.provide(store.layer), Scope.provide(scope))
    yield* BidiTest.advance("1 second")
    const events = <Tag extends BidiEvent.OutputTag>(tag: Tag) =>
      recorder.events().filter((event): event is BidiEvent.OutputOf<Tag> => event._tag === tag)
    return { call, events, model, ran, scope, store, records: store.records().slice() }
  })

const calling =
  (name: string, input: unknown): BidiTest.Script =>
  (line) =>
    Effect.andThen(line.callTools([name, input]), line.wait("1 hour"))

const quiet: BidiTest.Script = (line) => Effect.andThen(line.accept, line.wait("1 hour"))

describe("a process that was killed while a tool ran", () => {
  it.effect("leaves a call of which nobody knows what came of it: it is not made again, and the model is told", () =>
    Effect.gen(function* () {
      const first = yield* withTools([], calling("book", { table: 7 }))
      assert.deepStrictEqual(first.ran, ["table 7"])
      const second = yield* withTools(first.records, quiet)
      assert.deepStrictEqual(second.ran, [])
      assert.match(words(told(second.model))[0]!, /book: This call began, and its result is unknown/)
      assert.deepStrictEqual(second.model.commands(), [{ _tag: "Respond" }])
      // once: it is settled in the log
      const third = yield* withTools(second.records, quiet)
      assert.deepStrictEqual(told(third.model), told(second.model))
    })
  )
})

describe("a call that waits for consent", () => {
  const waiting = withTools([], calling("pay", { euros: 10 }))

  const decides = (records: ReadonlyArray<SessionRecord.Body>) =>
    Effect.gen(function* () {
      const next = yield* withTools(records, quiet)
      assert.deepStrictEqual(
        next.events("ApprovalRequest").map(({ id, input, name }) => ({ id, input, name })),
        [{ id: "call-2", name: "pay", input: { euros: 10 } }]
      )
      assert.match(words(told(next.model))[0]!, /pay: Still working on it/)
      assert.deepStrictEqual(next.ran, [])
      assert.isTrue(yield* next.call.approve("call-2"))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(next.ran, ["10 euros"])
      const [result] = next.model.commands()
      assert.match(String(result?._tag === "Note" && result.text), /paid 10/)
      assert.isTrue(result?._tag === "Note" && result.respond)
      assert.isFalse(yield* next.call.approve("call-2"))
      return next.store.records().slice()
    })

  it.effect("waits in the next process, and is made once when it is approved there", () =>
    Effect.gen(function* () {
      const { records } = yield* waiting
      const after = yield* decides(records)
      const last = yield* withTools(after, quiet)
      assert.deepStrictEqual(last.ran, [])
      assert.deepStrictEqual(last.events("ApprovalRequest"), [])
      assert.match(words(told(last.model))[0]!, /pay: paid 10/)
    })
  )

  it.effect("waits also when the conversation ended in good order", () =>
    Effect.gen(function* () {
      const { call, scope, store } = yield* waiting
      yield* call.stop()
      yield* BidiTest.advance("5 seconds")
      yield* Scope.close(scope, Exit.void)
      yield* decides(store.records().slice())
    })
  )

  it.effect("and was approved when the process died may have been made: nobody makes it again", () =>
    Effect.gen(function* () {
      const { records } = yield* waiting
      const next = yield* withTools([...records, { _tag: "Approval", id: "call-2", decision: "approved" }], quiet)
      assert.deepStrictEqual(next.ran, [])
      assert.deepStrictEqual(next.events("ApprovalRequest"), [])
      assert.match(words(told(next.model))[0]!, /pay: This call began/)
    })
  )
})

// ---------------------------------------------------------------------------------------------------------------------
// who the agent is, and what the provider knows
// ---------------------------------------------------------------------------------------------------------------------

describe("an agent that has changed", () => {
  it.effect("is still what it was", () =>
    Effect.gen(function* () {
      const store = storeOf()
      const model = yield* BidiTest.model(quiet)
      const make = (name: string) =>
        BidiAgent.make({ name, instructions: `You are the ${name}.` }).pipe(Effect.provide(model.layer))
      const [desk, billing] = [yield* make("desk"), yield* make("billing")]
      const names = () => model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.setup.instructions] : []))
      const talk = (change: (call: BidiAgent.Call<unknown>) => Effect.Effect<void, unknown>) =>
        desk
          .start({ ...SESSION, agents: [billing] })
          .pipe(Effect.flatMap(change), Effect.provide(store.layer), Effect.scoped)
      yield* talk((call) => call.handoff(billing))
      yield* talk((call) => call.update({ instructions: "You are strict." }))
      yield* talk(() => Effect.void)
      assert.deepStrictEqual(names(), ["You are the desk.", "You are the billing.", "You are strict."])
    })
  )
})

describe("a handle of the provider", () => {
  const handing: BidiTest.Script = Effect.fnUntraced(function* (line) {
    yield* line.expectText("Hi")
    yield* line.reply({ text: "Hello." })
    yield* line.emit({ _tag: "Resumable", handle: "h1" })
    yield* line.wait("1 hour")
  })
  const dialedWith = (model: BidiTest.TestModel) =>
    model.log().flatMap((entry) => (entry._tag === "Dialed" ? [entry.setup.resume] : []))

  it.effect("brings back what it knows, which is not told again", () =>
    Effect.gen(function* () {
      const records = yield* killed(handing, (call) => Effect.andThen(call.send("Hi"), BidiTest.advance("1 second")))
      const { model, told } = yield* goesOn(records)
      assert.deepStrictEqual(dialedWith(model), ["h1"])
      assert.deepStrictEqual(told, [])
    })
  )

  it.effect("is not used when the provider knows what did not happen", () =>
    Effect.gen(function* () {
      const records = yield* killed(handing, (call) => Effect.andThen(call.send("Hi"), BidiTest.advance("1 second")))
      const orphan: SessionRecord.Body = {
        _tag: "Entry",
        entry: { _tag: "ToolCall", id: "c", responseId: "r", name: "book", input: {} }
      }
      const { model, told } = yield* goesOn([...records, orphan])
      assert.deepStrictEqual(dialedWith(model), [undefined])
      assert.lengthOf(told, 3)
    })
  )
})
