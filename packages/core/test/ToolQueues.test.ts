import { BidiAgent, BidiTool, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"

const parameters = Schema.Struct({ n: Schema.Int })
const dependencies = [CurrentConversation.CurrentConversation]

const make = (name: string) => Tool.make(name, { parameters, success: Schema.Json, dependencies })

const toolkit = Toolkit.make(
  make("quick"),
  make("alone").annotate(BidiTool.Concurrency, 1),
  make("asks_another"), // calls `quick`
  make("asks_alone"), // calls `alone`
  make("asks_itself").annotate(BidiTool.Concurrency, 1),
  make("hangs"),
  make("hangs_shorter").annotate(BidiTool.Timeout, "5 seconds"),
  make("hangs_longer").annotate(BidiTool.Timeout, Duration.infinity),
  make("deaf"), // does not hear that it should stop
  make("asks_waits"),
  make("waits"), // until nobody speaks
  make("listens"), // until nothing is audible
  make("says"),
  make("hands_over"),
  make("changes")
)

const handlers = Effect.gen(function* () {
  let alone = 0
  const another = (name: string) =>
    Effect.fnUntraced(function* ({ n }: { readonly n: number }) {
      const conversation = yield* CurrentConversation.CurrentConversation
      yield* Effect.sleep("100 millis")
      const { isFailure, result } = yield* Effect.orDie(conversation.callTool(name, { n }))
      return isFailure ? "it failed" : result
    })
  const inside = (name: keyof CurrentConversation.Conversation) =>
    Effect.gen(function* () {
      const conversation = yield* CurrentConversation.CurrentConversation
      yield* conversation[name] as Effect.Effect<void>
      return `${name} came`
    })
  return toolkit.of({
    quick: ({ n }) => Effect.succeed(n),
    alone: ({ n }) =>
      Effect.gen(function* () {
        assert.strictEqual(++alone, 1, "two at once")
        yield* Effect.sleep("30 seconds")
        return n
      }).pipe(Effect.ensuring(Effect.sync(() => alone--))),
    asks_another: another("quick"),
    asks_alone: another("alone"),
    asks_itself: (input) => (input.n === 0 ? Effect.succeed("bottom") : another("asks_itself")({ n: input.n - 1 })),
    asks_waits: another("waits"),
    hangs: () => Effect.never,
    hangs_shorter: () => Effect.never,
    hangs_longer: () => Effect.never,
    deaf: () => Effect.uninterruptible(Effect.never),
    waits: () => inside("awaitIdle"),
    listens: () => inside("awaitSilence"),
    says: Effect.fnUntraced(function* () {
      const conversation = yield* CurrentConversation.CurrentConversation
      yield* Effect.orDie(conversation.say("I look it up."))
      return "said"
    }),
    hands_over: Effect.fnUntraced(function* () {
      const conversation = yield* CurrentConversation.CurrentConversation
      yield* Effect.orDie(
        conversation.handoff({ name: "other", instructions: "Be another.", toolkit: yield* Toolkit.empty })
      )
      return "handed over"
    }),
    changes: Effect.fnUntraced(function* () {
      const conversation = yield* CurrentConversation.CurrentConversation
      yield* Effect.orDie(conversation.update({ instructions: "Be kind." }))
      return "changed"
    })
  })
})

const talk = (
  script: BidiTest.Script,
  options: BidiAgent.RunOptions<[], []> = {},
  model: BidiTest.ModelOptions | undefined = undefined
) =>
  Effect.gen(function* () {
    const scripted = yield* BidiTest.model(script, model)
    const recorder = BidiTest.recorder()
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([scripted.layer, toolkit.toLayer(handlers)]))
    const call = yield* agent.start({ ...options, outputs: [recorder.output, speaker.output] })
    const results = () => recorder.events().filter((event) => event._tag === "ToolResult")
    return { call, model: scripted, recorder, results, speaker }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const times = (count: number, name: string) => Array.from({ length: count }, (_, n) => [name, { n }] as const)

describe("many tool calls", () => {
  it.effect("of one tool that has a queue hold up no other", () =>
    Effect.gen(function* () {
      const { results } = yield* talk((line) => line.callTools(...times(40, "alone"), ...times(8, "quick")))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        results().map(({ name, result }) => [name, result]),
        times(8, "quick").map(([name, { n }]) => [name, n])
      )
      yield* BidiTest.advance(Duration.seconds(40 * 30))
      assert.lengthOf(results(), 48)
    })
  )

  it.effect("that each call another tool all come to an end", () =>
    Effect.gen(function* () {
      const { results } = yield* talk((line) => line.callTools(...times(40, "asks_another")))
      yield* BidiTest.advance("1 second")
      assert.sameMembers(
        results().map(({ result }) => result),
        times(40, "").map(([, { n }]) => n)
      )
    })
  )

  it.effect("that each call a tool with a queue come to an end one after the other, and hold up no other", () =>
    Effect.gen(function* () {
      const { results } = yield* talk((line) => line.callTools(...times(3, "asks_alone"), ...times(32, "quick")))
      yield* BidiTest.advance("1 second")
      assert.lengthOf(results(), 32)
      yield* BidiTest.advance("91 seconds")
      assert.lengthOf(results(), 35)
      assert.isTrue(results().every(({ isFailure, result }) => !isFailure && result !== "it failed"))
    })
  )

  it.effect("of a tool that calls itself do not wait for themselves", () =>
    Effect.gen(function* () {
      const { results } = yield* talk((line) => line.callTools(["asks_itself", { n: 3 }], ["asks_itself", { n: 2 }]))
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(
        results().map(({ result }) => result),
        ["bottom", "bottom"]
      )
    })
  )
})

describe("a tool that hangs", () => {
  it.effect("is stopped after two minutes, and the conversation ends with its inputs", () =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Call somebody.")
          yield* line.callTools(["hangs", { n: 1 }])
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "Nobody answers." })
        })
      )
      const recorder = BidiTest.recorder()
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, toolkit.toLayer(handlers)]))
      const caller = BidiTest.caller("Call somebody.")
      const end = yield* Effect.forkChild(agent.run({ inputs: [caller], outputs: [recorder.output] }))
      yield* BidiTest.advance("119 seconds")
      assert.isUndefined(end.pollUnsafe())
      yield* BidiTest.advance("2 seconds")
      assert.isDefined(end.pollUnsafe())
      const result = recorder.events().find((event) => event._tag === "ToolResult")
      assert.deepInclude(result, { result: "The tool took longer than 2m and was stopped.", isFailure: true })
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  it.effect("has the time that the conversation gives, or its own annotation", () =>
    Effect.gen(function* () {
      const { results } = yield* talk(
        (line) => line.callTools(["hangs", { n: 1 }], ["hangs_shorter", { n: 2 }], ["hangs_longer", { n: 3 }]),
        { tools: { timeout: "10 seconds" } }
      )
      yield* BidiTest.advance("6 seconds")
      assert.deepStrictEqual(
        results().map(({ name }) => name),
        ["hangs_shorter"]
      )
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(
        results().map(({ name }) => name),
        ["hangs_shorter", "hangs"]
      )
      yield* BidiTest.advance("3 hours")
      assert.lengthOf(results(), 2)
    })
  )

  it.effect("has an end for the conversation although it cannot be stopped", () =>
    Effect.gen(function* () {
      const { call, recorder, results } = yield* talk((line) => line.callTools(["deaf", { n: 1 }]), {
        limits: { maxIdle: "10 seconds" }
      })
      yield* BidiTest.advance("121 seconds")
      assert.deepInclude(results()[0], { isFailure: true })
      // no reply comes of it; that is given up after 30 seconds
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(yield* call.await, "timeout")
      assert.strictEqual(recorder.events().at(-1)?._tag, "ConnectionClose")
    })
  )

  it.effect("and cannot be stopped is let go of when the provider takes it back", () =>
    Effect.gen(function* () {
      const { call, results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.emit({
            _tag: "ToolCalls",
            responseId: "r",
            calls: [{ id: "a", name: "deaf", arguments: '{"n":1}' }]
          })
          yield* line.emit({ _tag: "ResponseDone", responseId: "r", stopReason: "tool_use" })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "ToolCallsCancelled", ids: ["a"] })
        })
      )
      yield* BidiTest.advance("5 seconds")
      assert.deepInclude(results()[0], { id: "a", isFailure: true })
      yield* call.awaitIdle
    })
  )

  it.effect("holds up nobody who calls it directly for more than its time", () =>
    Effect.gen(function* () {
      const { call } = yield* talk((line) => line.accept)
      const answer = yield* Effect.forkChild(call.callTool("hangs", { n: 1 }))
      yield* BidiTest.advance("121 seconds")
      assert.isDefined(answer.pollUnsafe())
    })
  )
})

describe("a tool that waits", () => {
  const asks = (...calls: ReadonlyArray<readonly [string, unknown]>) =>
    Effect.fnUntraced(function* (line: BidiTest.Line) {
      yield* line.reply({ text: "One moment, I am at it.", audio: "3 seconds" })
      yield* line.callTools(...calls)
    })

  it.effect("until nobody speaks does not wait for itself", () =>
    Effect.gen(function* () {
      const { call, results } = yield* talk(asks(["waits", { n: 1 }]))
      yield* BidiTest.advance("2 seconds")
      const others = yield* Effect.forkChild(call.awaitIdle, { startImmediately: true })
      assert.lengthOf(results(), 0)
      yield* BidiTest.advance("2 seconds")
      assert.deepInclude(results()[0], { result: "awaitIdle came", isFailure: false })
      // but others wait for it, and for what comes of it
      assert.isUndefined(others.pollUnsafe())
    })
  )

  it.effect("until nobody speaks does not wait for others that do the same, but for those that work", () =>
    Effect.gen(function* () {
      const { results } = yield* talk(asks(["waits", { n: 1 }], ["waits", { n: 2 }], ["alone", { n: 3 }]))
      yield* BidiTest.advance("29 seconds")
      assert.lengthOf(results(), 0)
      yield* BidiTest.advance("2 seconds")
      assert.sameMembers(
        results().map(({ result }) => result),
        [3, "awaitIdle came", "awaitIdle came"]
      )
    })
  )

  it.effect("until nobody speaks does not wait for itself when a tool calls it", () =>
    Effect.gen(function* () {
      const { results } = yield* talk(asks(["asks_waits", { n: 1 }]))
      yield* BidiTest.advance("4 seconds")
      assert.deepInclude(results()[0], { result: "awaitIdle came" })
      const { call } = yield* talk((line) => line.accept)
      const answer = yield* Effect.forkChild(call.callTool("waits", { n: 1 }), { startImmediately: true })
      yield* BidiTest.advance("1 second")
      assert.isDefined(answer.pollUnsafe())
    })
  )

  it.effect("until nothing is audible goes on then", () =>
    Effect.gen(function* () {
      const { results } = yield* talk(asks(["listens", { n: 1 }]))
      yield* BidiTest.advance("2 seconds")
      assert.lengthOf(results(), 0)
      yield* BidiTest.advance("2 seconds")
      assert.deepInclude(results()[0], { result: "awaitSilence came" })
    })
  )

  it.effect.each([true, false])("until something was said, changed, or handed over goes on (live: %s)", (live) =>
    Effect.gen(function* () {
      const { model, results } = yield* talk(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 1)
            yield* line.callTools(["says", { n: 1 }], ["changes", { n: 2 }], ["hands_over", { n: 3 }])
          while (true) if ((yield* line.next)._tag === "Respond") yield* line.reply({ text: "I look it up." })
        }),
        {},
        { capabilities: { midSessionUpdate: live } }
      )
      yield* BidiTest.advance("1 minute")
      assert.sameMembers(
        results().map(({ result }) => result),
        ["said", "changed", "handed over"]
      )
      assert.isTrue(model.commands().some((command) => command._tag === "Respond"))
    })
  )
})
