/**
 * How conversations end when a store, an output or an input does not do its part.
 */
import { BidiAgent, BidiError, type BidiEvent, BidiInput, BidiModel, BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { agentWith, reasonOf } from "./support/agent.ts"
import { catching } from "./support/logs.ts"
import { storeOf } from "./support/store.ts"

const chat: BidiTest.Script = Effect.fnUntraced(function* (line) {
  while (true) {
    const { parts } = yield* line.expect("UserMessage")
    yield* line.reply({ text: `You said ${parts.join(" ")}` })
  }
})

const diskFull = new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "disk full" }) })

const errorOf = (exit: Exit.Exit<unknown, unknown>): any => Option.getOrUndefined(Exit.findErrorOption(exit))

const lastOf = (recorder: { readonly events: () => ReadonlyArray<BidiEvent.Output> }) => recorder.events().at(-1)

describe("the end of the session's log", () => {
  const talk = (layer: Layer.Layer<never>) =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ sessionId: "ada", inputs: [BidiTest.caller("Hi")], outputs: [recorder.output] }))
      )
      yield* BidiTest.advance("1 minute")
      return { exit: yield* Fiber.join(fiber), close: lastOf(recorder) }
    }).pipe(Effect.provide(layer))

  it.effect("is an error of run when the store does not take it in time, with how much", () =>
    Effect.gen(function* () {
      const store = storeOf((n) => (n <= 2 ? Effect.void : Effect.never))
      const { close, exit } = yield* talk(store.layer)
      const error = errorOf(exit)
      assert.isTrue(error instanceof BidiError.BidiError && error.reason._tag === "StoreFailed")
      const { reason } = error as BidiError.BidiError
      assert.strictEqual(reason._tag === "StoreFailed" ? reason.entries : undefined, 1)
      assert.deepInclude(close, { _tag: "ConnectionClose", reason: "error", error })
    })
  )

  it.effect("is an error of run when the last write fails", () =>
    Effect.gen(function* () {
      // it is still at its first write when the conversation ends, and fails with what comes after
      const store = storeOf((n) =>
        n === 1 ? Effect.void : n === 2 ? Effect.sleep("100 millis") : Effect.fail(diskFull)
      )
      const { exit } = yield* talk(store.layer)
      const error = errorOf(exit) as BidiError.BidiError
      assert.deepInclude(error.reason, { _tag: "StoreFailed", entries: 1 })
      assert.include(error.message, "disk full")
    })
  )

  it.effect("is waited for when the store is only slow", () =>
    Effect.gen(function* () {
      const store = storeOf(() => Effect.sleep("800 millis"))
      const { close, exit } = yield* talk(store.layer)
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
      assert.deepInclude(close, { reason: "complete" })
      assert.deepStrictEqual(
        store.entries().map((entry) => (entry._tag === "Assistant" ? entry.text : entry._tag)),
        ["User", "", "You said Hi"]
      )
    })
  )

  it.effect("does not replace the first failure, and is logged beside it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.drop(new BidiError.BidiError({ reason: new BidiError.Auth({ message: "revoked" }) }))
        })
      )
      const store = storeOf(() => Effect.never)
      const [logs, exit] = yield* catching(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Effect.exit(agent.run({ sessionId: "ada", inputs: [BidiTest.caller("Hi")] }))
          )
          yield* BidiTest.advance("1 minute")
          return yield* Fiber.join(fiber)
        }).pipe(Effect.provide(store.layer))
      )
      assert.strictEqual(reasonOf(exit), "Auth")
      assert.isTrue(logs.some(({ level, message }) => level === "Error" && /1 entry was not written/.test(message)))
    })
  )

  it.effect("is an error of run when a write fails in mid-run, with how much, and told once", () =>
    Effect.gen(function* () {
      // what is said in the second before the write fails is not written either
      const store = storeOf((n) =>
        n <= 2 ? Effect.void : Effect.andThen(Effect.sleep("1 second"), Effect.fail(diskFull))
      )
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.reply({ text: "One.", itemId: "one" })
          yield* line.wait("500 millis")
          yield* line.reply({ text: "Two.", itemId: "two" })
          yield* line.wait("1 hour")
        })
      )
      const recorder = BidiTest.recorder()
      const [logs, exit] = yield* catching(
        Effect.gen(function* () {
          const call = yield* agent.start({ sessionId: "ada", outputs: [recorder.output] })
          const end = yield* Effect.forkChild(Effect.exit(call.await), { startImmediately: true })
          yield* Effect.forkChild(call.send("Hi"))
          yield* BidiTest.advance("1 minute")
          return yield* Fiber.join(end)
        }).pipe(Effect.provide(store.layer))
      )
      const error = errorOf(exit) as BidiError.BidiError
      assert.deepInclude(error.reason, { _tag: "StoreFailed", entries: 2 })
      assert.match(error.message, /2 entries were not written: disk full/)
      assert.deepInclude(lastOf(recorder), { _tag: "ConnectionClose", reason: "error", error })
      assert.deepStrictEqual(
        logs.filter(({ level }) => level === "Error"),
        []
      )
    })
  )

  it.effect("ends the conversation when the store interrupts itself", () =>
    Effect.gen(function* () {
      const store = storeOf(() => Effect.interrupt)
      const { exit } = yield* talk(store.layer)
      assert.strictEqual(reasonOf(exit), "StoreFailed")
    })
  )

  it.effect("that hangs mid-run ends the conversation once the store is too far behind", () =>
    Effect.gen(function* () {
      const store = storeOf(() => Effect.uninterruptible(Effect.never))
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          for (let i = 0; i < 1100; i++) {
            yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: `i${i}`, text: "word" })
          }
          yield* line.wait("1 hour")
        })
      )
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ sessionId: "ada", inputs: [BidiTest.caller("Hi")] })).pipe(Effect.provide(store.layer))
      )
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(fiber)), "StoreFailed")
    })
  )
})

describe("a long history", () => {
  it.effect("of more entries than may wait to be written is loaded and written", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith(chat)
      const store = storeOf(() => Effect.void)
      const history = Prompt.make(
        Array.from({ length: 1500 }, (_, i) => [
          { role: "user" as const, content: `question ${i}` },
          { role: "assistant" as const, content: `answer ${i}` }
        ]).flat()
      )
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ sessionId: "ada", history, inputs: [BidiTest.caller("Hi")] })).pipe(
          Effect.provide(store.layer)
        )
      )
      yield* BidiTest.advance("1 minute")
      assert.strictEqual(Exit.getSuccess(yield* Fiber.join(fiber)).pipe(Option.getOrUndefined), "complete")
      assert.isTrue(model.log().some((entry) => entry._tag === "Seeded" && entry.history.length === 3000))
      assert.strictEqual(store.entries().filter(({ _tag }) => _tag === "User").length, 1501)
    })
  )
})

describe("a part that hangs", () => {
  const now = Effect.map(Clock.Clock, (clock) => clock.currentTimeMillisUnsafe())

  const hanging = (name: string) =>
    BidiOutput.makeScoped(name, { open: Effect.uninterruptible(Effect.never as Effect.Effect<never>) })

  it.effect("while it is acquired does not hold up stop, nor the closing of its scope", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const scope = yield* Scope.make()
      const starting = yield* Effect.forkChild(
        Effect.exit(Scope.provide(agent.start({ outputs: [hanging("hanging")] }), scope))
      )
      yield* BidiTest.settle
      const since = yield* now
      let took = Infinity
      yield* Effect.forkChild(
        Effect.andThen(
          Scope.close(scope, Exit.void),
          Effect.map(now, (at) => void (took = at - since))
        )
      )
      yield* BidiTest.advance("10 seconds")
      assert.isAtMost(took, 2250)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(starting)))
    })
  )

  it.effect("while it is acquired does not keep a failed conversation alive", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const failing: BidiOutput.BidiOutput<string> = {
        name: "failing",
        events: [],
        open: Effect.succeed({
          offer: () => {},
          flush: Effect.void,
          playback: "none",
          run: Effect.andThen(Effect.sleep("1 second"), Effect.fail("broken")),
          end: Effect.void
        })
      }
      const fiber = yield* Effect.forkChild(Effect.exit(agent.run({ outputs: [failing, hanging("hanging")] })))
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(errorOf(yield* Fiber.join(fiber)), "broken")
    })
  )

  it.effect("while it is acquired is closed when it is open after all", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const log: Array<string> = []
      const late = BidiOutput.makeScoped("late", {
        open: Effect.as(
          Effect.acquireRelease(
            Effect.andThen(
              Effect.sleep("1 minute"),
              Effect.sync(() => log.push("open"))
            ),
            () => Effect.sync(() => log.push("closed"))
          ),
          () => Effect.void
        )
      })
      const fiber = yield* Effect.forkChild(agent.run({ outputs: [late] }))
      yield* BidiTest.settle
      yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* BidiTest.advance("10 seconds")
      assert.isDefined(fiber.pollUnsafe())
      yield* BidiTest.advance("1 minute")
      assert.deepStrictEqual(log, ["open", "closed"])
    })
  )

  it.effect("while it closes has one deadline with all others that do, and those that close well still do", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const closed: Array<string> = []
      const output = (name: string, release: Effect.Effect<void>) =>
        BidiOutput.makeScoped(name, {
          open: Effect.as(
            Effect.acquireRelease(Effect.void, () => release),
            () => Effect.void
          )
        })
      const call = yield* agent.start({
        outputs: [
          output(
            "well",
            Effect.sync(() => void closed.push("well"))
          ),
          ...Array.from({ length: 8 }, (_, i) => output(`hanging ${i}`, Effect.never))
        ]
      })
      const since = yield* now
      yield* call.stop()
      let took = Infinity
      yield* Effect.forkChild(
        Effect.andThen(
          call.await,
          Effect.map(now, (at) => void (took = at - since))
        )
      )
      yield* BidiTest.advance("1 minute")
      assert.isAtMost(took, 2000)
      assert.deepStrictEqual(closed, ["well"])
    })
  )
})

describe("ConnectionClose", () => {
  it.effect("says that a closing scope is an interruption", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      yield* Effect.scoped(agent.start({ sessionId: "ada", outputs: [recorder.output] }))
      assert.deepInclude(lastOf(recorder), { _tag: "ConnectionClose", reason: "interrupted" })
    })
  )

  it.effect("carries the error that ended the conversation", () =>
    Effect.gen(function* () {
      const revoked = new BidiError.BidiError({ reason: new BidiError.Auth({ message: "revoked" }), provider: "test" })
      const { agent } = yield* agentWith((line) => line.drop(revoked))
      const recorder = BidiTest.recorder()
      const exit = yield* Effect.exit(agent.run({ outputs: [recorder.output] }))
      assert.deepStrictEqual(errorOf(exit), revoked)
      assert.deepInclude(lastOf(recorder), { reason: "error", error: revoked, message: revoked.message })
    })
  )

  it.effect("says in words what a part of somebody else's failed with", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const inputs = [BidiInput.make("mic", Stream.fail(new Error("unplugged")))]
      yield* Effect.exit(agent.run({ inputs, outputs: [recorder.output] }))
      assert.deepInclude(lastOf(recorder), { reason: "error", message: "unplugged" })
      assert.notProperty(lastOf(recorder), "error")
    })
  )
})

describe("a conversation that fails", () => {
  const revoked = new BidiError.BidiError({ reason: new BidiError.Auth({ message: "revoked" }) })
  const errors = (logs: ReadonlyArray<{ readonly level: string; readonly message: string }>) =>
    logs.filter(({ level, message }) => level === "Error" && message.includes("revoked")).length

  it.effect("says so once in the log when nobody awaits it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.andThen(line.accept, Effect.andThen(line.wait("1 second"), line.drop(revoked)))
      )
      const [logs] = yield* catching(
        Effect.gen(function* () {
          yield* agent.start()
          yield* BidiTest.advance("10 seconds")
        })
      )
      assert.strictEqual(errors(logs), 1)
    })
  )

  it.effect("leaves it to whoever awaits it", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.andThen(line.accept, Effect.andThen(line.wait("1 second"), line.drop(revoked)))
      )
      const [logs, exit] = yield* catching(
        Effect.gen(function* () {
          const call = yield* agent.start()
          const waiting = yield* Effect.forkChild(Effect.exit(call.await))
          yield* BidiTest.advance("10 seconds")
          return yield* Fiber.join(waiting)
        })
      )
      assert.strictEqual(reasonOf(exit), "Auth")
      assert.strictEqual(errors(logs), 0)
    })
  )

  it.effect("at its start is told to whoever starts it, and not logged", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) => line.refuse(revoked))
      const [logs, exit] = yield* catching(Effect.exit(agent.start()))
      assert.strictEqual(reasonOf(exit), "Auth")
      assert.strictEqual(errors(logs), 0)
    })
  )
})

const nap = Tool.make("nap", { parameters: Schema.Struct({}), success: Schema.String })

describe("callTool", () => {
  it.effect("fails after the end", () =>
    Effect.gen(function* () {
      let runs = 0
      const toolkit = Toolkit.make(nap)
      const model = yield* BidiTest.model(chat)
      const handlers = toolkit.toLayer({ nap: () => Effect.sync(() => `${++runs}`) })
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      const call = yield* agent.start()
      yield* call.callTool("nap", {})
      yield* call.stop()
      yield* call.await
      assert.strictEqual(reasonOf(yield* Effect.exit(call.callTool("nap", {}))), "ConversationEnded")
      assert.strictEqual(runs, 1)
    })
  )
})

describe("an interruption from inside a part", () => {
  const endOf = (options: Parameters<BidiAgent.Agent["run"]>[0]) =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(chat)
      const recorder = BidiTest.recorder()
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ ...options, outputs: [recorder.output, ...(options.outputs ?? [])] }))
      )
      yield* BidiTest.advance("1 minute")
      return { exit: yield* Fiber.join(fiber), recorder }
    })

  it.effect("ends an input whose queue is shut down, as the end of the queue would", () =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<BidiEvent.Input>()
      const typed = BidiInput.make("typed", Stream.fromQueue(queue))
      yield* Queue.offer(queue, { _tag: "TextInput", text: "Hi", role: "user" })
      yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 second"), Queue.shutdown(queue)))
      const { exit, recorder } = yield* endOf({ inputs: [typed] })
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
      assert.deepInclude(lastOf(recorder), { reason: "complete" })
    })
  )

  it.effect("ends an input that calls back", () =>
    Effect.gen(function* () {
      const device = BidiInput.capture("device", () => Effect.interrupt, { capacity: 2 })
      const { exit } = yield* endOf({ inputs: [device] })
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
    })
  )

  it.effect("is the failure of an output, under its name", () =>
    Effect.gen(function* () {
      const output = BidiOutput.make("bridge", { handle: () => Effect.interrupt })
      const { exit, recorder } = yield* endOf({ inputs: [BidiInput.make("mic", Stream.never)], outputs: [output] })
      assert.strictEqual(reasonOf(exit), "Interrupted")
      assert.include((errorOf(exit) as BidiError.BidiError).message, 'the output "bridge"')
      assert.deepInclude(lastOf(recorder), { reason: "error" })
    })
  )

  it.effect("is the failure of an output that is being opened", () =>
    Effect.gen(function* () {
      const output = BidiOutput.makeScoped("bridge", { open: Effect.interrupt })
      const { exit } = yield* endOf({ inputs: [BidiTest.caller("Hi")], outputs: [output] })
      assert.strictEqual(reasonOf(exit), "Interrupted")
    })
  )

  it.effect("is logged of a hook, which goes on", () =>
    Effect.gen(function* () {
      let seen = 0
      const hook = BidiAgent.on("TranscriptStream", () =>
        Effect.suspend(() => {
          seen++
          return Effect.interrupt
        })
      )
      const { exit } = yield* endOf({ inputs: [BidiTest.caller("Hi", BidiTest.whenIdle, "Bye")], hooks: [hook] })
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
      assert.isAbove(seen, 2)
    })
  )

  it.effect("is an answer of a tool, to the model and to the application", () =>
    Effect.gen(function* () {
      const toolkit = Toolkit.make(nap)
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Hi")
          yield* line.callTools(["nap", {}])
          yield* line.expect("ToolOutputs")
          yield* line.reply({ text: "Hm." })
        })
      )
      const handlers = toolkit.toLayer({ nap: () => Effect.interrupt })
      const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
      const call = yield* agent.start()
      yield* call.send("Hi")
      yield* BidiTest.advance("1 second")
      assert.lengthOf(
        model.commands().filter(({ _tag }) => _tag === "ToolOutputs"),
        1
      )
      assert.isTrue((yield* call.callTool("nap", {})).isFailure)
      yield* call.stop("user_request")
      assert.strictEqual(yield* call.await, "user_request")
    })
  )

  const withModel = (change: (connection: BidiModel.Connection, n: number) => Partial<BidiModel.Connection>) =>
    Effect.gen(function* () {
      const model = yield* BidiTest.model(chat)
      let n = 0
      const layer = Layer.effect(
        BidiModel.BidiModel,
        Effect.map(BidiModel.BidiModel, (model) => ({
          ...model,
          connect: (setup: BidiModel.Setup) =>
            Effect.map(model.connect(setup), (connection) => ({ ...connection, ...change(connection, ++n) }))
        }))
      ).pipe(Layer.provide(model.layer))
      const agent = yield* BidiAgent.make({}).pipe(Effect.provide(layer))
      const fiber = yield* Effect.forkChild(
        Effect.exit(agent.run({ sessionId: "ada", inputs: [BidiTest.caller("Hi")] }))
      )
      yield* BidiTest.advance("1 minute")
      return { exit: yield* Fiber.join(fiber), connections: n }
    })

  it.effect("is the loss of a connection that is listened to", () =>
    Effect.gen(function* () {
      const gone = yield* Deferred.make<void>()
      const { connections, exit } = yield* withModel(({ listen }, n) =>
        n > 1
          ? {}
          : { listen: (take) => Effect.raceFirst(listen(take), Effect.andThen(Deferred.await(gone), Effect.interrupt)) }
      ).pipe(Effect.tap(Effect.void), (run) => Effect.andThen(Deferred.succeed(gone, undefined), run))
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
      assert.strictEqual(connections, 2)
    })
  )

  it.effect("is the loss of a connection that is sent to", () =>
    Effect.gen(function* () {
      const { connections, exit } = yield* withModel((_, n) => (n > 1 ? {} : { send: () => Effect.interrupt }))
      assert.deepStrictEqual(exit, Exit.succeed("complete"))
      assert.strictEqual(connections, 2)
    })
  )
})
