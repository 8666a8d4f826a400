import { BidiAgent, type BidiEvent, type BidiModel, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"

const returning = { success: Schema.Json, failure: Schema.Json, failureMode: "return" } as const

class Denied extends Schema.TaggedError<Denied>()("Denied", { message: Schema.String }) {}

const toolkit = Toolkit.make(
  Tool.make("works", returning),
  Tool.make("takes", { ...returning, parameters: Schema.Struct({ seconds: Schema.Finite }) }),
  Tool.make("fails", returning),
  Tool.make("fails_loudly", { failure: Denied }),
  Tool.make("dies", returning),
  Tool.make("reports", returning),
  Tool.make("void", {})
)

const handlers = toolkit.toLayer({
  works: () => Effect.succeed({ ok: true }),
  takes: ({ seconds }) => Effect.as(Effect.sleep(seconds * 1000), `${seconds} s`),
  fails: () => Effect.fail({ because: "of the weather" }),
  fails_loudly: () => Effect.fail(new Denied({ message: "not for you" })),
  dies: () => Effect.die(new Error("secret stack trace")),
  reports: Effect.fnUntraced(function* (_, { preliminary }) {
    yield* preliminary("half")
    yield* Effect.sleep("1 second")
    return "whole"
  }),
  void: () => Effect.void
})

const talk = (script: BidiTest.Script) =>
  Effect.gen(function* () {
    const model = yield* BidiTest.model(script)
    const recorder = BidiTest.recorder()
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    const call = yield* agent.start({ outputs: [recorder.output] })
    const results = () => recorder.events().filter((event) => event._tag === "ToolResult")
    return { call, model, recorder, results }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const calling = (...calls: ReadonlyArray<readonly [string, unknown]>) =>
  talk(
    Effect.fnUntraced(function* (line) {
      yield* line.callTools(...calls)
      yield* line.expect("ToolOutputs")
      yield* line.reply({ text: "Done." })
    })
  )

const outputsOf = (commands: ReadonlyArray<BidiModel.Command>) =>
  commands.flatMap((command) => (command._tag === "ToolOutputs" ? [command.outputs] : []))

describe("a tool call", () => {
  it.effect("by the application, while there is no connection, does not keep those waiting who wait for silence", () =>
    Effect.gen(function* () {
      const { call, model } = yield* talk((line) =>
        line.generation === 1
          ? line.accept.pipe(Effect.andThen(line.wait("1 second")), Effect.andThen(line.drop()))
          : Effect.andThen(line.wait("5 seconds"), line.accept)
      )
      yield* BidiTest.advance("2 seconds")
      yield* call.callTool("works", {}, { record: true })
      const idle = yield* Effect.forkChild(call.awaitIdle, { startImmediately: true })
      yield* BidiTest.advance("1 minute")
      // the next connection has it as history; there is nothing to be sent, and no reply that would end the wait
      assert.lengthOf(model.commands(), 0)
      assert.isDefined(idle.pollUnsafe())
    })
  )

  it.effect("is answered on every way out, with what the model may know", () =>
    Effect.gen(function* () {
      const { model, recorder, results } = yield* calling(
        ["works", {}],
        ["fails", {}],
        ["fails_loudly", {}],
        ["dies", {}],
        ["takes", { seconds: "two" }],
        ["takes", "{"],
        ["void", ""],
        ["unheard_of", {}]
      )
      yield* BidiTest.advance("1 second")
      const answers = outputsOf(model.commands())
      assert.lengthOf(answers, 1) // together, in the order of the calls
      assert.deepStrictEqual(
        answers[0]!.map(({ isFailure, result }) => [isFailure, result]),
        [
          [false, { ok: true }],
          [true, { because: "of the weather" }],
          [true, "not for you"],
          [true, "The tool failed unexpectedly."],
          [true, `Invalid parameters for tool 'takes': Expected number\n  at ["seconds"]`],
          [
            true,
            "The arguments are not valid JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)"
          ],
          [false, null],
          [
            true,
            'There is no tool "unheard_of". The tools are: works, takes, fails, fails_loudly, dies, reports, void.'
          ]
        ]
      )
      assert.deepStrictEqual(
        new Set(results().map((event) => event.id)),
        new Set(recorder.events().flatMap((event) => (event._tag === "ToolUse" ? [event.id] : [])))
      )
    })
  )

  it.effect("runs beside others, and the slowest makes the reply", () =>
    Effect.gen(function* () {
      const { model, results } = yield* calling(["takes", { seconds: 3 }], ["takes", { seconds: 1 }])
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        results().map((event) => event.result),
        ["1 s"]
      )
      assert.lengthOf(outputsOf(model.commands()), 0)
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(
        outputsOf(model.commands())[0]?.map((output) => output.result),
        ["3 s", "1 s"]
      )
    })
  )

  it.effect("tells how far it is", () =>
    Effect.gen(function* () {
      const { recorder } = yield* calling(["reports", {}])
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(
        recorder.events().flatMap((event) => ("name" in event ? [event._tag] : [])),
        ["ToolUse", "ToolProgress", "ToolResult"]
      )
    })
  )

  it.effect("goes on while the user interrupts and talks", () =>
    Effect.gen(function* () {
      const { results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.callTools(["takes", { seconds: 5 }])
          yield* line.reply({ text: "One moment.", audio: "2 seconds" })
          yield* line.wait("1 second")
          yield* line.hear("Hurry!")
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepInclude(results()[0], { result: "5 s", isFailure: false })
    })
  )

  it.effect("that comes twice runs once, and is answered on each connection", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = Toolkit.make(Tool.make("count", { success: Schema.Int }))
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          const again = {
            _tag: "ToolCalls",
            responseId: `r${line.generation}`,
            calls: [{ id: "same", name: "count", arguments: "{}" }]
          } as const
          yield* line.emit(again, again)
          // what the lost connection was asked for last
          if (line.generation === 2) yield* line.expect("Respond")
          yield* line.expect("ToolOutputs")
          if (line.generation === 1) yield* line.drop()
        })
      )
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit: counted }).pipe(
        Effect.provide([model.layer, counted.toLayer({ count: () => Effect.sync(() => ++runs) })])
      )
      yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(runs, 1)
      assert.deepStrictEqual(
        outputsOf(model.commands()).map((outputs) => outputs.map((output) => output.result)),
        [[1], [1]]
      )
      assert.lengthOf(
        recorder.events().filter((event) => event._tag === "ToolResult"),
        1
      )
    })
  )

  it.effect("that the provider takes back is stopped, and not answered", () =>
    Effect.gen(function* () {
      const { model, results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          const call = (id: string, seconds: number) => ({ id, name: "takes", arguments: JSON.stringify({ seconds }) })
          yield* line.emit({ _tag: "ToolCalls", responseId: "r", calls: [call("a", 5), call("b", 2)] })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "ToolCallsCancelled", ids: ["a", "unknown"] })
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(
        results().map(({ id, isFailure }) => [id, isFailure]),
        [
          ["a", true],
          ["b", false]
        ]
      )
      assert.deepStrictEqual(
        outputsOf(model.commands()).map((outputs) => outputs.map((output) => output.id)),
        [["b"]]
      )
    })
  )

  it.effect("that still runs at the end of the conversation has its output, and is stopped", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const endless = Toolkit.make(Tool.make("endless", {}))
      const model = yield* BidiTest.model((line) => line.callTools(["endless", {}]))
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit: endless }).pipe(
        Effect.provide([
          model.layer,
          endless.toLayer({
            endless: () => Effect.onInterrupt(Effect.never, () => Effect.asVoid(Deferred.succeed(stopped, undefined)))
          })
        ])
      )
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.settle
      yield* call.stop()
      yield* call.await
      yield* Deferred.await(stopped)
      assert.deepStrictEqual(
        recorder
          .events()
          .slice(-2)
          .map((event) => event._tag),
        ["ToolResult", "ConnectionClose"]
      )
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  it.effect("reaches its conversation, and services given when it runs", () =>
    Effect.gen(function* () {
      class User extends Context.Service<User, { readonly name: string }>()("User") {}
      const whoami = Toolkit.make(
        Tool.make("whoami", {
          success: Schema.String,
          dependencies: [User, CurrentConversation.CurrentConversation]
        })
      )
      const live = whoami.toLayer({
        whoami: Effect.fnUntraced(function* () {
          const call = yield* CurrentConversation.CurrentConversation
          yield* Effect.forkDetach(call.send("from the tool"))
          return `${(yield* User).name} in ${call.sessionId}`
        })
      })
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.callTools(["whoami", {}])
          const first = yield* line.next
          const second = yield* line.next
          assert.sameMembers([first._tag, second._tag], ["ToolOutputs", "UserMessage"])
          yield* line.reply({ text: "Thanks." })
        })
      )
      const agent = yield* BidiAgent.make({ toolkit: whoami }).pipe(Effect.provide([model.layer, live]))
      yield* agent.start({ sessionId: "s1" }).pipe(Effect.provide(Layer.succeed(User, { name: "Ada" })))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        outputsOf(model.commands())[0]?.map((output) => output.result),
        ["Ada in s1"]
      )
    })
  )

  it.effect("is part of the history, with its result", () =>
    Effect.gen(function* () {
      const { call } = yield* calling(["works", {}], ["fails", {}])
      yield* BidiTest.advance("1 second")
      const { content } = yield* call.history
      assert.deepStrictEqual(
        content.map((message) => [
          message.role,
          ...(typeof message.content === "string" ? [] : message.content.map((part) => part.type))
        ]),
        [
          ["assistant", "tool-call", "tool-call"],
          ["tool", "tool-result", "tool-result"],
          ["assistant", "text"]
        ]
      )
    })
  )

  it.effect("never runs under the wrong arguments", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(calling(["takes", { seconds: null }], ["takes", []], ["takes", "null"]))
      yield* BidiTest.advance("1 second")
      const { results } = yield* Fiber.join(fiber)
      assert.isTrue(results().every((event: BidiEvent.ToolResult) => event.isFailure))
      assert.lengthOf(results(), 3)
    })
  )
})
