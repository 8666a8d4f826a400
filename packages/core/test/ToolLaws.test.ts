/**
 * Tools under every exit.
 *
 * 1. Every call has exactly one `ToolResult`, whatever happens to it, and whatever the provider calls it.
 * 2. A handler runs at most once for a call, however often the provider repeats it; another call runs, also under an id
 *    that was used before.
 * 3. The model is answered exactly once for every call it still wants: with an output where it asked, or in words on a
 *    later connection. A call that was answered with "still working" is followed by its result exactly once.
 * 4. What must not be interrupted, once it has begun, ends by itself, and what came of it is told, whoever wanted it to stop
 *    and whatever ended meanwhile.
 * 5. Calls of one response are answered together, in their order, each with its own outcome.
 * 6. A call waits for nobody but those of its own tool: neither for a queue that is not its own, nor for what it calls or
 *    waits for itself.
 * 7. What is told of a result is bounded, and a tool that has ended well is never said to have failed unexpectedly.
 * 8. Every call ends, also one that hangs and cannot be stopped.
 */
import { BidiAgent, BidiError, type BidiEvent, type BidiModel, BidiTool, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"
import { Steps } from "./support/steps.ts"

const LIMIT = 1000
const CROWD = 40 // more than may run at once

const Tenths = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))
const Call = Schema.Struct({
  tool: Schema.Literals([
    "works",
    "patient",
    "patient",
    "patient",
    "fails",
    "dies",
    "slow_to_tell",
    "hasty",
    "timid",
    "stubborn",
    "asks",
    "alone",
    "unknown",
    "hangs",
    "deaf",
    "nested",
    "huge",
    "circular"
  ]),
  lasts: Tenths,
  arguments: Schema.Literals(["right", "right", "right", "wrong", "garbled", "same as others", "same as others"]),
  again: Schema.Boolean,
  // the provider's id: of its own, or one that it uses again and again
  id: Schema.Literals(["own", "own", "call_1", "call_2"]),
  crowd: Schema.Literals(["", "", "", "", "", "", "", "", "alone", "nested"])
})
const Happening = Schema.Struct({
  after: Tenths,
  what: Schema.Literals(["interrupt", "take back", "lose", "approve", "reject", "approve twice"])
})
const Scenario = Schema.Struct({
  groups: Schema.Array(Schema.Array(Call).check(Schema.isBetweenLength(1, 4))).check(Schema.isBetweenLength(1, 4)),
  happenings: Schema.Array(Happening).check(Schema.isMaxLength(5)),
  endsAfter: Schema.Literals([1, 5, 30, 600])
})
type Scenario = typeof Scenario.Type
type Kind = (typeof Call.Type)["tool"]

/** A call as the provider made it. `label` is what the handler is given. */
interface Made extends BidiModel.ToolCall {
  readonly kind: Kind
  readonly label: string
  readonly right: boolean
  readonly group: number
  readonly generation: number
  readonly at: number
}

const tool = (name: Kind) =>
  Tool.make(name, {
    parameters: Schema.Struct({ id: Schema.String, lasts: Schema.Int }),
    success: Schema.Unknown,
    failure: Schema.String,
    failureMode: "return",
    dependencies: [CurrentConversation.CurrentConversation]
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
  tool("alone").annotate(BidiTool.Concurrency, 1),
  tool("hangs"),
  tool("deaf"),
  tool("nested"),
  tool("patient"),
  tool("huge"),
  tool("circular")
)

const circular: { self?: unknown } = {}
circular.self = circular

const play = (scenario: Scenario) =>
  Effect.gen(function* () {
    const begun: Array<{ readonly label: string; readonly kind: string; readonly at: number }> = []
    const ended: Array<string> = []
    let alone = 0
    const handler =
      (kind: Kind) =>
      ({ id, lasts }: { readonly id: string; readonly lasts: number }) =>
        Effect.gen(function* () {
          const conversation = yield* CurrentConversation.CurrentConversation
          begun.push({ label: id, kind, at: yield* Clock.currentTimeMillis })
          if (kind === "alone") assert.strictEqual(++alone, 1, "two at once")
          if (kind === "hangs") return yield* Effect.never
          if (kind === "deaf") return yield* Effect.uninterruptible(Effect.never)
          if (kind === "patient") yield* conversation.awaitIdle
          yield* Effect.sleep(Duration.millis(lasts * 100))
          if (kind === "fails") return yield* Effect.fail("no")
          if (kind === "dies") return yield* Effect.die("boom")
          if (kind === "huge") return { id, text: "é".repeat(100_000) }
          if (kind === "circular") return circular
          if (kind === "nested") {
            const { isFailure } = yield* conversation.callTool("works", { id: `in ${id}`, lasts })
            if (isFailure) return yield* Effect.fail("the other failed")
          }
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
      Object.fromEntries(Object.keys(toolkit.tools).map((name) => [name, handler(name as Kind)])) as any
    )
    const made: Array<Made> = [] // what the model asked for
    const takenBack = new Set<Made>()
    const groups = [...scenario.groups]
    let line: BidiTest.Line
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (current) {
        line = current
        yield* current.accept
        for (let g = scenario.groups.length - groups.length; groups.length > 0; g++) {
          const at = yield* Clock.currentTimeMillis
          const drafts = groups
            .shift()!
            .flatMap((call) =>
              call.crowd === "" ? [call] : Array.from({ length: CROWD }, () => ({ ...call, tool: call.crowd as Kind }))
            )
          const calls = drafts.map((draft, c): Made => {
            const same = draft.arguments === "same as others"
            const call: typeof draft = same ? { ...draft, tool: "works" } : draft
            const label = same ? `same ${current.generation}` : `${g}.${c}`
            return {
              id: call.id === "own" ? `own_${g}_${c}` : call.id,
              name: call.tool,
              arguments:
                call.arguments === "garbled"
                  ? `{"id": "${label}"`
                  : JSON.stringify({ id: label, lasts: same ? 1 : call.arguments === "wrong" ? "long" : call.lasts }),
              kind: call.tool,
              label,
              right: call.arguments !== "garbled" && call.arguments !== "wrong",
              group: g,
              generation: current.generation,
              at
            }
          })
          // the same call in one response is one call
          made.push(...calls.filter((call, c) => calls.findIndex((other) => isRepetition(call, other)) === c))
          const event = {
            _tag: "ToolCalls" as const,
            responseId: `r${g}`,
            calls: calls.map(({ arguments: text, id, name }) => ({ id, name, arguments: text }))
          }
          yield* current.emit({ _tag: "ResponseStarted", responseId: `r${g}` }, event)
          if (drafts.some(({ again }) => again)) yield* current.emit(event)
          yield* current.emit({ _tag: "ResponseDone", responseId: `r${g}`, stopReason: "tool_use" })
          yield* current.reply({ text: "while you wait", audio: "2 seconds" })
          yield* current.wait("1 second")
        }
      })
    )
    const recorder = BidiTest.recorder()
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    const unsettled = yield* Effect.gen(function* () {
      const call = yield* agent.start({
        outputs: [recorder.output, speaker.output],
        tools: { resultLimit: LIMIT, timeout: "2 minutes" }
      })
      const requests = () => recorder.events().flatMap((e) => (e._tag === "ApprovalRequest" ? [e.id] : []))
      for (const { after, what } of scenario.happenings) {
        yield* BidiTest.advance(Duration.millis(after * 100))
        if (what === "interrupt") yield* call.interrupt()
        if (what === "lose") yield* line.drop(lost)
        if (what === "take back") {
          const { id } = made.at(-1)!
          const { generation } = line
          for (const one of made) if (one.id === id && one.generation === generation) takenBack.add(one)
          yield* line.emit({ _tag: "ToolCallsCancelled", ids: [id] })
        }
        for (const id of requests()) {
          if (what === "approve" || what === "approve twice") yield* call.approve(id)
          if (what === "approve twice") assert.isFalse(yield* call.approve(id))
          if (what === "reject") yield* call.reject(id, "not today")
        }
      }
      yield* BidiTest.advance(Duration.seconds(scenario.endsAfter))
      const tags = (tag: BidiEvent.OutputTag) => recorder.events().filter((event) => event._tag === tag).length
      const open = tags("ToolUse") - tags("ToolResult")
      yield* call.stop()
      const end = yield* Effect.forkChild(call.await)
      yield* BidiTest.advance("10 seconds")
      yield* Effect.yieldNow
      assert.isDefined(end.pollUnsafe())
      return open
    }).pipe(Effect.scoped)
    yield* BidiTest.advance("3 minutes")
    return { begun, ended, events: recorder.events(), made, model, takenBack, unsettled }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const isRepetition = (one: Made, other: Made) =>
  one.id === other.id && one.name === other.name && one.arguments === other.arguments

const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

const STILL_WORKING = "Still working on it. The result will follow."

describe("tool calls", () => {
  it.effect.prop(
    "have one output each, whatever happens",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const { begun, ended, events, made, model, takenBack, unsettled } = yield* play(scenario).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps)
        )
        const ids = (tag: BidiEvent.OutputTag) => events.flatMap((e) => (e._tag === tag && "id" in e ? [e.id] : []))
        const uses = events.filter((event) => event._tag === "ToolUse")
        const results = new Map(
          events.flatMap((event) => (event._tag === "ToolResult" ? [[event.id, event] as const] : []))
        )

        // 1. in the order in which they were made
        assert.deepStrictEqual(
          uses.map(({ name, responseId }) => [name, responseId]),
          made.map(({ group, name }) => [name, `r${group}`])
        )
        assert.strictEqual(new Set(uses.map(({ id }) => id)).size, uses.length)
        assert.sameMembers(ids("ToolResult"), ids("ToolUse"))
        assert.sameMembers(ids("ApprovalResolved"), ids("ApprovalRequest"))
        const keyOf = new Map(made.map((call, i) => [call, uses[i]!.id]))
        const resultOf = (call: Made) => results.get(keyOf.get(call)!)!

        // 2.
        for (const label of new Set(begun.map(({ label }) => label))) {
          if (label.startsWith("in ")) continue
          const runs = begun.filter((run) => run.label === label).length
          assert.isAtMost(
            runs,
            made.filter((call) => call.label === label && call.right).length,
            `${label} ran too often`
          )
        }
        for (const call of made) {
          if (call.kind === "unknown" || !call.right)
            assert.isFalse(begun.some(({ label }) => label === call.label && !label.startsWith("same")))
        }

        // 3. only where there was time enough
        const commands = model.commands()
        const words = commands.flatMap((c) => (c._tag === "Note" ? [c.text] : [])).join("\n")
        const seeded = JSON.stringify(model.log().flatMap((entry) => (entry._tag === "Seeded" ? entry.history : [])))
        const answered = new Set<Made>()

        // 5.
        for (const command of commands) {
          if (command._tag !== "ToolOutputs") continue
          const fits = (call: Made, output: BidiModel.ToolOutput | undefined) => {
            if (output === undefined || output.id !== call.id || output.name !== call.name) return false
            const { isFailure, result } = resultOf(call)
            return output.result === STILL_WORKING || (output.isFailure === isFailure && output.result === result)
          }
          // all of a group but what was taken back before it was answered
          const answers = (group: ReadonlyArray<Made>) => {
            let next = 0
            const calls = group.filter((call) => {
              const fit = fits(call, command.outputs[next])
              if (fit) next++
              return fit
            })
            const whole = group.every((call) => calls.includes(call) || takenBack.has(call))
            return whole && next === command.outputs.length ? calls : undefined
          }
          const calls = scenario.groups
            .map((_, g) => made.filter((call) => call.group === g && !answered.has(call)))
            .map(answers)
            .find((calls) => calls !== undefined)
          assert.isDefined(calls, `${JSON.stringify(command.outputs)} are the answers to no calls, or to some twice`)
          for (const call of calls!) answered.add(call)
        }
        if (scenario.endsAfter === 600) {
          for (const call of made) {
            if (takenBack.has(call) || answered.has(call)) continue
            const inHistory = seeded.includes(`"id":"${keyOf.get(call)}"`)
            assert.isTrue(inHistory || words.includes(`The tool ${call.name}`), `${call.label} was never answered`)
          }
        }
        for (const { label } of made) {
          if (!label.startsWith("same"))
            assert.isAtMost(words.split(`done ${label}"`).length - 1, 1, `${label} was told twice`)
        }

        // 4.
        for (const { kind, label } of begun) if (kind === "stubborn") assert.include(ended, label)
        for (const call of made) {
          if (call.kind !== "stubborn" || call.label.startsWith("same")) continue
          if (!begun.some(({ label }) => label === call.label)) continue
          const { isFailure, result } = resultOf(call)
          assert.deepStrictEqual([isFailure, result], [false, `done ${call.label}`])
        }

        // 6. where not all places are taken
        const fills = (call: typeof Call.Type) =>
          call.crowd === "nested" || (call.crowd === "alone" && call.arguments === "same as others")
        const isFull = scenario.groups.some((calls) => calls.some(fills))
        for (const call of isFull ? [] : made) {
          if (call.kind === "alone" || call.kind === "asks" || call.label.startsWith("same")) continue
          const run = begun.find(({ label }) => label === call.label)
          if (run !== undefined) assert.strictEqual(run.at, call.at, `${call.kind} ${call.label} had to wait`)
        }

        // 7.
        for (const { isFailure, name, result } of results.values()) {
          assert.isAtMost(Buffer.byteLength(typeof result === "string" ? result : JSON.stringify(result)), LIMIT)
          if (name === "huge" && !isFailure) assert.include(String(result), "are left out here]")
          if (result === "The tool failed unexpectedly.") assert.strictEqual(name, "dies")
        }
        for (const call of made) {
          if (call.kind !== "circular" || !ended.includes(call.label)) continue
          assert.match(String(resultOf(call).result), /^The tool ran to its end, and what it does has been done/)
        }

        // 6. and it does not wait for itself, or for one like it
        const takesMinutes = made.some(({ kind }) => kind === "hangs" || kind === "deaf" || kind === "alone")
        for (const call of made) {
          const waits = call.kind === "nested" || (call.kind === "patient" && !takesMinutes)
          if (waits) assert.notInclude(String(resultOf(call).result), "took longer", `${call.kind} ${call.label}`)
        }

        // 8.
        if (scenario.endsAfter === 600) assert.strictEqual(unsettled, 0, "a call has not ended")
      }),
    cases(100)
  )
})
