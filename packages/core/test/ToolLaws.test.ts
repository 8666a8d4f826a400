/**
 * Tools under every exit.
 *
 * 1. Every call has exactly one `ToolResult`, whatever happens to it.
 * 2. A handler runs at most once for a call id, however often the id comes.
 * 3. The model is answered exactly once for every call it still wants: with an output where it asked, or in words on a
 *    later connection. A call that was answered with "still working" is followed by its result exactly once.
 * 4. What must not be interrupted, once it has begun, ends by itself.
 * 5. Calls of one response are answered together, in their order.
 */
import { BidiAgent, BidiError, type BidiEvent, BidiTest, BidiTool } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { Steps } from "./support/steps.ts"

const RUNS = Number(process.env.TOOL_RUNS ?? 1000)

const Tenths = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))
const Call = Schema.Struct({
  tool: Schema.Literals([
    "works",
    "fails",
    "dies",
    "slow_to_tell",
    "hasty",
    "timid",
    "stubborn",
    "asks",
    "alone",
    "unknown"
  ]),
  lasts: Tenths,
  arguments: Schema.Literals(["right", "right", "right", "wrong", "garbled"]),
  again: Schema.Boolean
})
const Happening = Schema.Struct({
  after: Tenths,
  what: Schema.Literals(["interrupt", "take back", "lose", "approve", "reject", "approve twice"])
})
const Scenario = Schema.Struct({
  groups: Schema.Array(Schema.Array(Call).check(Schema.isBetweenLength(1, 4))).check(Schema.isBetweenLength(1, 4)),
  happenings: Schema.Array(Happening).check(Schema.isMaxLength(5)),
  endsAfter: Schema.Literals([5, 30, 600])
})
type Scenario = typeof Scenario.Type

const tool = (name: string) =>
  Tool.make(name, {
    parameters: Schema.Struct({ id: Schema.String, lasts: Schema.Int }),
    success: Schema.String,
    failure: Schema.String,
    failureMode: "return"
  })
const toolkit = Toolkit.make(
  tool("works"),
  tool("fails"),
  tool("dies"),
  tool("slow_to_tell").annotate(BidiTool.StillWorkingAfter, "500 millis"),
  tool("hasty").annotate(BidiTool.Timeout, "1 second"),
  tool("timid").annotate(BidiTool.OnInterruption, "cancel"),
  tool("stubborn").annotate(BidiTool.OnInterruption, "uninterruptible"),
  tool("asks").setNeedsApproval(true).annotate(BidiTool.ApprovalTimeout, "5 seconds"),
  tool("alone").annotate(BidiTool.Concurrency, 1)
)

const play = (scenario: Scenario) =>
  Effect.gen(function* () {
    const begun: Array<string> = []
    const ended: Array<string> = []
    let alone = 0
    const handler =
      (kind: string) =>
      ({ id, lasts }: { readonly id: string; readonly lasts: number }) =>
        Effect.gen(function* () {
          begun.push(id)
          if (kind === "alone") assert.strictEqual(++alone, 1, "two at once")
          yield* Effect.sleep(Duration.millis(lasts * 100))
          if (kind === "fails") return yield* Effect.fail("no")
          if (kind === "dies") return yield* Effect.die("boom")
          return `done ${id}`
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              if (kind === "alone") alone--
            })
          ),
          Effect.tap(() => Effect.sync(() => ended.push(id)))
        )
    const handlers = toolkit.toLayer(
      Object.fromEntries(Object.keys(toolkit.tools).map((name) => [name, handler(name)])) as any
    )
    const wanted: Array<string> = [] // by the model, on the connection that asked
    const takenBack = new Set<string>()
    const groups = [...scenario.groups]
    let line: BidiTest.Line
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (current) {
        line = current
        yield* current.accept
        for (let g = scenario.groups.length - groups.length; groups.length > 0; g++) {
          const calls = groups.shift()!.map((call, c) => ({ ...call, id: `${g}.${c}` }))
          wanted.push(...calls.map(({ id }) => id))
          const event = {
            _tag: "ToolCalls" as const,
            responseId: `r${g}`,
            calls: calls.map((call) => ({
              id: call.id,
              name: call.tool,
              arguments:
                call.arguments === "garbled"
                  ? "{"
                  : JSON.stringify({ id: call.id, lasts: call.arguments === "wrong" ? "long" : call.lasts })
            }))
          }
          yield* current.emit({ _tag: "ResponseStarted", responseId: `r${g}` }, event)
          if (calls.some(({ again }) => again)) yield* current.emit(event)
          yield* current.emit({ _tag: "ResponseDone", responseId: `r${g}`, stopReason: "tool_use" })
          yield* current.reply({ text: "while you wait", audio: "2 seconds" })
          yield* current.wait("1 second")
        }
      })
    )
    const recorder = BidiTest.recorder()
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    yield* Effect.gen(function* () {
      const call = yield* agent.start({ outputs: [recorder.output, speaker.output] })
      const requests = () => recorder.events().flatMap((e) => (e._tag === "ApprovalRequest" ? [e.id] : []))
      for (const { after, what } of scenario.happenings) {
        yield* BidiTest.advance(Duration.millis(after * 100))
        if (what === "interrupt") yield* call.interrupt()
        if (what === "lose") yield* line.drop(lost)
        if (what === "take back") {
          const id = wanted.at(-1)!
          takenBack.add(id)
          yield* line.emit({ _tag: "ToolCallsCancelled", ids: [id] })
        }
        for (const id of requests()) {
          if (what === "approve" || what === "approve twice") yield* call.approve(id)
          if (what === "approve twice") assert.isFalse(yield* call.approve(id))
          if (what === "reject") yield* call.reject(id, "not today")
        }
      }
      yield* BidiTest.advance(Duration.seconds(scenario.endsAfter))
      yield* call.stop()
      const end = yield* Effect.forkChild(call.await)
      yield* BidiTest.advance("10 seconds")
      yield* Effect.yieldNow
      assert.isDefined(end.pollUnsafe())
    }).pipe(Effect.scoped)
    yield* BidiTest.advance("1 minute")
    return { begun, ended, events: recorder.events(), model, takenBack, wanted }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

describe("tool calls", () => {
  it.effect.prop(
    "have one output each, whatever happens",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const { begun, ended, events, model, takenBack, wanted } = yield* play(scenario).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps)
        )
        const ids = (tag: BidiEvent.OutputTag) => events.flatMap((e) => (e._tag === tag && "id" in e ? [e.id] : []))
        const kindOf = (id: string) => {
          const [g, c] = id.split(".").map(Number)
          return scenario.groups[g!]![c!]!
        }

        // 1.
        assert.sameMembers(ids("ToolUse"), wanted)
        assert.sameMembers(ids("ToolResult"), wanted)
        assert.sameMembers(ids("ApprovalResolved"), ids("ApprovalRequest"))

        // 2.
        assert.strictEqual(new Set(begun).size, begun.length)

        // 3. only where there was time enough
        const commands = model.commands()
        const outputs = commands.flatMap((c) => (c._tag === "ToolOutputs" ? c.outputs.map(({ id }) => id) : []))
        assert.strictEqual(new Set(outputs).size, outputs.length)
        const words = commands.flatMap((c) => (c._tag === "Note" ? [c.text] : [])).join("\n")
        const seeded = JSON.stringify(model.log().flatMap((entry) => (entry._tag === "Seeded" ? entry.history : [])))
        if (scenario.endsAfter === 600) {
          for (const id of wanted) {
            if (takenBack.has(id)) continue
            const answered = outputs.includes(id) || words.includes(`done ${id}`) || seeded.includes(`"id":"${id}"`)
            const inWords = words.includes(`The tool ${kindOf(id).tool}`)
            assert.isTrue(answered || inWords, `${id} was never answered`)
          }
        }
        for (const id of wanted) {
          assert.isAtMost(words.split(`done ${id}"`).length - 1, 1, `${id} was told twice`)
          const { arguments: args, tool: kind } = kindOf(id)
          if (kind === "asks" && args !== "garbled") continue
          if (kind === "unknown" || args !== "right") assert.notInclude(begun, id)
        }

        // 4.
        for (const id of begun) if (kindOf(id).tool === "stubborn") assert.include(ended, id)

        // 5.
        for (const command of commands) {
          if (command._tag !== "ToolOutputs") continue
          const order = command.outputs.map(({ id }) => id)
          assert.deepStrictEqual(order, order.toSorted())
          assert.strictEqual(new Set(order.map((id) => id.split(".")[0])).size, 1)
        }
      }),
    { arbitrary: { runs: RUNS }, timeout: 600_000 }
  )
})
