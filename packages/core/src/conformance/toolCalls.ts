/**
 * Tool calls: one, several at once, failing ones, and ones with wrong arguments.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as BidiAgent from "../BidiAgent.ts"
import type { BidiError } from "../BidiError.ts"
import type { Output } from "../BidiEvent.ts"
import * as BidiTest from "../BidiTest.ts"
import type { Lab, Reply, Scenario } from "../ConformanceLab.ts"
import { check } from "./support/check.ts"

const returning = { success: Schema.Json, failure: Schema.String, failureMode: "return" } as const
const toolkit = Toolkit.make(
  Tool.make("add", { ...returning, parameters: Schema.Struct({ a: Schema.Int, b: Schema.Int }) }),
  Tool.make("list", returning),
  Tool.make("nothing", returning),
  Tool.make("fail", returning)
)
const handlers = toolkit.toLayer({
  add: ({ a, b }) => Effect.succeed(a + b),
  list: () => Effect.succeed({ items: ["lamp", "stairs"] }),
  nothing: () => Effect.succeed(null),
  fail: () => Effect.fail("the lamp is broken")
})

/** Makes the model call these tools, and checks the events. */
const calling = (
  { model, server }: Lab,
  calls: NonNullable<Reply["calls"]>,
  then: (events: ReadonlyArray<Output>) => Effect.Effect<void>
): Effect.Effect<void, BidiError> =>
  Effect.gen(function* () {
    const agent = yield* BidiAgent.make({ toolkit })
    const recorder = BidiTest.recorder()
    const call = yield* agent.start({ outputs: [recorder.output] })
    yield* server.reply({ calls })
    yield* server.reply({ text: "That was it." })
    yield* call.send("Use your tools.")
    yield* call.awaitIdle
    const events = recorder.events()
    const uses = events.filter((event) => event._tag === "ToolUse")
    yield* check(uses.length === calls.length, `there were ${uses.length} calls, not ${calls.length}`)
    for (const { name, arguments: input } of calls) {
      yield* check(
        uses.some((use) => use.name === name && JSON.stringify(use.input) === JSON.stringify(input)),
        `${name} was not called with what the model wrote`
      )
    }
    const replies = events.filter((e) => e._tag === "TranscriptStream" && e.isFinal && e.currentTranscript !== "")
    yield* check(replies.length === 1, `there were ${replies.length} replies to the tools`)
    yield* then(events)
  }).pipe(Effect.provide([model, handlers]), Effect.scoped)

const results = (events: ReadonlyArray<Output>) => events.filter((event) => event._tag === "ToolResult")

export const toolCalls: ReadonlyArray<Scenario> = [
  {
    name: "calls a tool, and continues with its result",
    run: (lab) =>
      calling(lab, [{ name: "add", arguments: { a: 19, b: 23 } }], (events) =>
        Effect.andThen(check(results(events)[0]?.result === 42, "the result is wrong"), lab.server.received("42"))
      )
  },
  {
    name: "calls several tools at once, and replies once",
    run: (lab) =>
      calling(
        lab,
        [
          { name: "add", arguments: { a: 1, b: 2 } },
          { name: "list", arguments: {} },
          { name: "add", arguments: { a: 700, b: 77 } }
        ],
        () => Effect.andThen(lab.server.received("stairs"), lab.server.received("777"))
      )
  },
  {
    name: "tells the model that a tool failed, and why",
    run: (lab) =>
      calling(lab, [{ name: "fail", arguments: {} }], (events) =>
        Effect.andThen(
          check(results(events)[0]?.isFailure === true, "the result of a failure is not a failure"),
          lab.server.received("the lamp is broken")
        )
      )
  },
  {
    name: "tells the model what is wrong with the arguments",
    run: (lab) =>
      calling(lab, [{ name: "add", arguments: { a: "one", b: 2 } }], (events) =>
        Effect.andThen(
          check(results(events)[0]?.isFailure === true, "the result of wrong arguments is not a failure"),
          lab.server.received("Invalid parameters")
        )
      )
  },
  {
    name: "takes the result null",
    run: (lab) => calling(lab, [{ name: "nothing", arguments: {} }], () => Effect.void)
  }
]
