/**
 * A change of who the model is, is a transaction: it holds in the moment in which the provider has confirmed it. Refused,
 * unconfirmed or given up, it is none: conversation, tools and model are as before, and stay what they are to each other.
 */
import { BidiAgent, BidiError, type BidiModel, BidiTool, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { reasonOf } from "./support/agent.ts"

const dependencies = [CurrentConversation.CurrentConversation]
const Old = Toolkit.make(
  Tool.make("old", { success: Schema.String }),
  Tool.make("transfer", { success: Schema.String, dependencies }).annotate(BidiTool.Timeout, "3 seconds")
)
const New = Toolkit.make(Tool.make("new", { success: Schema.String }))

const tooLong = new BidiError.BidiError({ reason: new BidiError.InvalidRequest({ message: "too long" }) })
const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

/** Somebody who hands over when the model calls `transfer`. */
const played = Effect.fnUntraced(function* (
  script: BidiTest.Script,
  options: BidiTest.ModelOptions = {},
  connection: BidiAgent.ConnectionOptions = {}
) {
  const model = yield* BidiTest.model(script, options)
  const other = yield* BidiAgent.make({
    name: "other",
    instructions: "new",
    toolkit: New.pipe(Effect.provide(New.toLayer({ new: () => Effect.succeed("new") })))
  }).pipe(Effect.provide(model.layer))
  const agent = yield* BidiAgent.make({
    name: "agent",
    instructions: "old",
    toolkit: Old.pipe(
      Effect.provide(
        Old.toLayer({
          old: () => Effect.succeed("old"),
          transfer: () =>
            Effect.flatMap(CurrentConversation.CurrentConversation, ({ handoff }) =>
              Effect.as(Effect.orDie(handoff(other)), "Here is the other one.")
            )
        })
      )
    )
  }).pipe(Effect.provide(model.layer))
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({ outputs: [recorder.output], connection })
  const told = () =>
    model.log().flatMap((entry) => {
      if (entry._tag === "Dialed") return [`${entry.generation} dialed ${entry.setup.instructions}`]
      if (entry._tag !== "Command") return []
      const { command, generation } = entry
      return command._tag === "Update"
        ? [`${generation} update ${command.instructions}`]
        : [`${generation} ${command._tag}`]
    })
  const tags = () => recorder.events().map(({ _tag }) => _tag)
  const result = (name: string) => Effect.map(call.callTool(name, {}), ({ result }) => result)
  return { call, model, other, recorder, told, tags, result }
})

const isOld = ({ result, tags }: Effect.Success<ReturnType<typeof played>>) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* result("old"), "old")
    assert.include(yield* result("new"), "There is no tool")
    assert.notInclude(tags(), "Handoff")
  })

const isNew = ({ result, tags }: Effect.Success<ReturnType<typeof played>>) =>
  Effect.gen(function* () {
    assert.include(yield* result("old"), "There is no tool")
    assert.strictEqual(yield* result("new"), "new")
    assert.lengthOf(
      tags().filter((tag) => tag === "Handoff"),
      1
    )
  })

describe("a change on the connection there is", () => {
  it.effect("holds when the provider has confirmed it, not before", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.holdUpdates
          yield* line.expect("Update")
          yield* line.wait("5 seconds")
          yield* line.confirmUpdate
          yield* line.wait("5 seconds")
          yield* line.drop()
        })
      )
      const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("4 seconds")
      assert.isUndefined(handoff.pollUnsafe())
      assert.notInclude(all.tags(), "Handoff")
      yield* BidiTest.advance("2 seconds")
      yield* Fiber.join(handoff)
      yield* isNew(all)
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(all.told(), ["1 dialed old", "1 update new", "2 dialed new"])
    })
  )

  it.effect("is refused with what the provider says of it, and the next connection is as before", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.holdUpdates
          yield* line.refuseUpdate(tooLong)
          yield* line.refuseUpdate(tooLong)
          yield* line.wait("5 seconds")
          yield* line.drop()
        })
      )
      assert.strictEqual(reasonOf(yield* Effect.exit(all.call.handoff(all.other))), "InvalidRequest")
      assert.strictEqual(reasonOf(yield* Effect.exit(all.call.update({ instructions: "long" }))), "InvalidRequest")
      yield* isOld(all)
      yield* BidiTest.advance("6 seconds")
      assert.deepStrictEqual(all.told().slice(-2), ["1 update long", "2 dialed old"])
      yield* isOld(all)
    })
  )

  it.effect("that is lost with its connection is made on the next one", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 1) yield* line.holdUpdates
          yield* line.expect("Update")
          if (line.generation === 1) yield* line.drop()
        })
      )
      yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(all.told(), ["1 dialed old", "1 update new", "2 dialed old", "2 update new"])
      yield* isNew(all)
    })
  )

  it.effect("that two connections do not confirm fails, and the talk goes on", () =>
    Effect.gen(function* () {
      const all = yield* played((line) => line.holdUpdates)
      const handoff = yield* Effect.forkChild(Effect.exit(all.call.handoff(all.other)))
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(reasonOf(yield* Fiber.join(handoff)), "ServerFault")
      assert.deepStrictEqual(all.told(), [
        "1 dialed old",
        "1 update new",
        "2 dialed old",
        "2 update new",
        "3 dialed old"
      ])
      yield* isOld(all)
    })
  )

  it.effect("that is given up on its way is taken back, where the provider made it", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.holdUpdates
          yield* line.expect("Update")
          yield* line.wait("3 seconds")
          yield* line.confirmUpdate
          yield* line.confirmUpdate
          yield* line.wait("1 second")
          yield* line.drop()
        })
      )
      const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("1 second")
      yield* Fiber.interrupt(handoff)
      yield* isOld(all)
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(all.told(), ["1 dialed old", "1 update new", "1 update old", "2 dialed old"])
      yield* isOld(all)
    })
  )

  it.effect("that is given up on its way needs nothing more where the provider refused it or was lost", () =>
    Effect.gen(function* () {
      for (const isLost of [false, true]) {
        const all = yield* played(
          Effect.fnUntraced(function* (line) {
            yield* line.holdUpdates
            yield* line.expect("Update")
            yield* line.wait("3 seconds")
            yield* isLost ? line.drop() : line.refuseUpdate(tooLong)
          })
        )
        const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
        yield* BidiTest.advance("1 second")
        yield* Fiber.interrupt(handoff)
        yield* BidiTest.advance("1 minute")
        const expected = ["1 dialed old", "1 update new"]
        assert.deepStrictEqual(all.told(), isLost ? [...expected, "2 dialed old"] : expected)
        yield* isOld(all)
        assert.notInclude(all.tags(), "Error")
        yield* all.call.stop()
      }
    })
  )

  it.effect("that cannot be taken back takes the connection with it", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.holdUpdates
          yield* line.expect("Update")
          yield* line.wait("3 seconds")
          yield* line.confirmUpdate
          yield* line.refuseUpdate(tooLong)
        })
      )
      const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("1 second")
      yield* Fiber.interrupt(handoff)
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(all.told().slice(-2), ["1 update old", "2 dialed old"])
      yield* isOld(all)
    })
  )

  it.effect("by a tool that runs out of time leaves everything as it was", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.holdUpdates
          yield* line.callTools(["transfer", {}])
          yield* line.expect("Update")
          yield* line.wait("5 seconds")
          yield* line.confirmUpdate
          yield* line.confirmUpdate
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(all.told(), ["1 dialed old", "1 update new", "1 update old", "1 ToolOutputs"])
      yield* isOld(all)
    })
  )

  it.effect("that is followed by another leaves the last one", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.holdUpdates
          yield* line.wait("3 seconds")
          while (true) yield* line.confirmUpdate
        })
      )
      const first = yield* Effect.forkChild(all.call.update({ instructions: "first" }))
      yield* BidiTest.advance("1 second")
      yield* Fiber.interrupt(first)
      const second = yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("10 seconds")
      yield* Fiber.join(second)
      assert.deepStrictEqual(all.told(), ["1 dialed old", "1 update first", "1 update old", "1 update new"])
      yield* isNew(all)
    })
  )
})

describe("a change by the next connection", () => {
  for (const overlap of [true, false]) {
    const options = { capabilities: { midSessionUpdate: false, overlap } }

    /** Lets in whoever is as before; anybody else as `otherwise` says. */
    const doorman =
      (otherwise: BidiTest.Script): BidiTest.Script =>
      (line) =>
        line.setup.instructions === "old" ? line.accept : otherwise(line)

    it.effect(`holds when that is ready with it (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played(
          doorman((line) => Effect.andThen(line.wait("3 seconds"), line.accept)),
          options
        )
        const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
        yield* BidiTest.advance("2 seconds")
        assert.strictEqual(yield* all.result("old"), "old")
        assert.notInclude(all.tags(), "Handoff")
        yield* BidiTest.advance("2 seconds")
        yield* Fiber.join(handoff)
        yield* isNew(all)
      })
    )

    it.effect(`is refused when that is not let in (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played(
          doorman((line) => line.refuse(tooLong)),
          options
        )
        const handoff = yield* Effect.forkChild(Effect.exit(all.call.handoff(all.other)))
        yield* BidiTest.advance("1 minute")
        assert.strictEqual(reasonOf(yield* Fiber.join(handoff)), "InvalidRequest")
        yield* isOld(all)
        assert.deepStrictEqual(
          all.told(),
          overlap ? ["1 dialed old", "2 dialed new"] : ["1 dialed old", "2 dialed new", "3 dialed old"]
        )
        yield* all.call.send("Are you there?")
        assert.strictEqual(all.model.open(), 1)
        assert.strictEqual(all.told().at(-1), `${overlap ? 1 : 3} UserMessage`)
      })
    )

    it.effect(`is refused when there is none to be had with it (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played(
          doorman((line) => line.refuse(lost)),
          options
        )
        const handoff = yield* Effect.forkChild(Effect.exit(all.call.handoff(all.other)))
        yield* BidiTest.advance("1 minute")
        assert.strictEqual(reasonOf(yield* Fiber.join(handoff)), "ConnectionLost")
        yield* isOld(all)
        assert.strictEqual(all.model.open(), 1)
        assert.lengthOf(
          all.told().filter((line) => line.endsWith("dialed new")),
          3
        )
      })
    )

    it.effect(`that is given up on its way is none (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played(
          doorman((line) => Effect.andThen(line.wait("3 seconds"), line.accept)),
          options
        )
        const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
        yield* BidiTest.advance("2 seconds")
        yield* Fiber.interrupt(handoff)
        yield* BidiTest.advance("1 minute")
        yield* isOld(all)
        assert.strictEqual(all.model.open(), 1)
        const asked = all.told().filter((line) => line.includes("dialed"))
        assert.deepStrictEqual(asked, ["1 dialed old", "2 dialed new", ...(overlap ? [] : ["3 dialed old"])])
      })
    )

    it.effect(`that is given up before a pause is none (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played((line) => line.reply({ text: "a long reply", over: "5 seconds" }), options)
        const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
        yield* BidiTest.advance("2 seconds")
        yield* Fiber.interrupt(handoff)
        yield* BidiTest.advance("1 minute")
        yield* isOld(all)
        assert.strictEqual(all.model.open(), 1)
        assert.notInclude(all.tags(), "ConnectionRestart")
      })
    )

    it.effect(`is not the reason why a lost connection is not replaced (overlap: ${overlap})`, () =>
      Effect.gen(function* () {
        const all = yield* played((line) => {
          if (line.setup.instructions !== "old") return line.refuse(tooLong)
          if (line.generation > 1) return line.accept
          return line
            .reply({ text: "cut off", unfinished: true })
            .pipe(Effect.andThen(line.wait("3 seconds")), Effect.andThen(line.drop()))
        }, options)
        yield* BidiTest.advance("3 seconds")
        const handoff = yield* Effect.forkChild(Effect.exit(all.call.handoff(all.other)))
        yield* BidiTest.advance("1 minute")
        assert.strictEqual(reasonOf(yield* Fiber.join(handoff)), "InvalidRequest")
        yield* isOld(all)
        assert.strictEqual(all.model.open(), 1)
      })
    )
  }

  it.effect("comes after all that was said at the end of a turn", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.wait("1 second")
          yield* line.reply({ text: "That was all.", over: "1 second" })
          yield* Effect.repeat(Effect.yieldNow, { times: 4 }) // the reader may not have got further than the end of it
          yield* line.emit({ _tag: "Usage", inputTokens: 1, outputTokens: 0, totalTokens: 1, byModality: [] })
        }),
        { capabilities: { midSessionUpdate: false } }
      )
      yield* BidiTest.advance("1500 millis")
      const handoff = yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.advance("5 seconds")
      yield* Fiber.join(handoff)
      assert.include(all.tags(), "Usage")
    })
  )

  it.effect("is given up together with the connection there is, where that may be the only one", () =>
    Effect.gen(function* () {
      const all = yield* played(
        (line) => line.accept,
        { capabilities: { midSessionUpdate: false } },
        { reconnect: false }
      )
      assert.strictEqual(reasonOf(yield* Effect.exit(all.call.handoff(all.other))), "Unsupported")
      yield* isOld(all)
    })
  )
})

describe("a text that is given up on its way", () => {
  it.effect("is not sent on the next connection", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.holdUpdates
          yield* line.wait("3 seconds")
          yield* line.drop()
        })
      )
      yield* Effect.forkChild(all.call.handoff(all.other))
      yield* BidiTest.settle
      const text = yield* Effect.forkChild(all.call.send("Never mind."))
      yield* BidiTest.advance("1 second")
      yield* Fiber.interrupt(text)
      yield* BidiTest.advance("30 seconds")
      assert.isTrue(all.model.commands().every((command: BidiModel.Command) => command._tag !== "UserMessage"))
    })
  )
})

describe("a text that waited for a change", () => {
  it.effect("and left into a reply is asked again after a loss, though words of the reply stand behind it", () =>
    Effect.gen(function* () {
      const all = yield* played(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          if (line.generation > 1) return
          yield* line.holdUpdates
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" })
          yield* line.wait("1 second")
          yield* line.confirmUpdate
          yield* line.expect("Update")
          yield* line.expectText("Are you there?")
          yield* line.emit({
            _tag: "TranscriptDelta",
            role: "assistant",
            itemId: "i",
            responseId: "r",
            delta: "Well, "
          })
          yield* line.drop()
        })
      )
      yield* Effect.forkChild(all.call.update({ instructions: "new" }))
      yield* BidiTest.settle
      yield* Effect.forkChild(all.call.send("Are you there?"))
      yield* BidiTest.advance("5 seconds")
      const again = all.model.log().filter((entry) => entry.generation === 2)
      const seeded = again.find((entry) => entry._tag === "Seeded")
      assert.deepStrictEqual(seeded?._tag === "Seeded" ? seeded.history.map(({ _tag }) => _tag) : [], ["Assistant"])
      assert.deepStrictEqual(
        again.flatMap((entry) =>
          entry._tag === "Command" && entry.command._tag === "UserMessage" ? entry.command.parts : []
        ),
        ["Are you there?"]
      )
    })
  )
})
