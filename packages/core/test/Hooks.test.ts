import { BidiAgent, SessionStore } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const kit = Toolkit.make(
  Tool.make("pay", { parameters: Schema.Struct({ amount: Schema.Number }), success: Schema.String })
)

/** What the handler was given, and what the model was told, when the model pays 5000. */
const paying = Effect.fnUntraced(function* (...hooks: ReadonlyArray<BidiAgent.Hook>) {
  const paid: Array<number> = []
  const handlers = kit.toLayer({ pay: ({ amount }) => Effect.sync(() => `paid ${paid.push(amount) && amount}`) })
  const model = yield* BidiTest.model(
    Effect.fnUntraced(function* (line) {
      yield* line.callTools(["pay", { amount: 5000 }])
      yield* line.expect("ToolOutputs")
    })
  )
  const agent = yield* BidiAgent.make({ toolkit: kit }).pipe(Effect.provide([model.layer, handlers]))
  yield* agent.start({ hooks })
  yield* BidiTest.advance("10 seconds")
  const told = model.commands().flatMap((command) => (command._tag === "ToolOutputs" ? command.outputs : []))
  return { paid, told: told.map(({ result }) => result) }
})

const limit = (most: number) =>
  BidiAgent.beforeTool(({ input }) =>
    Effect.succeed(BidiAgent.change({ amount: Math.min(most, (input as any).amount) }))
  )

describe("a decision about a tool call", () => {
  it.effect("lets it pass", () =>
    Effect.gen(function* () {
      const result = yield* paying(BidiAgent.beforeTool(() => Effect.succeed(BidiAgent.proceed)))
      assert.deepStrictEqual(result, { paid: [5000], told: ["paid 5000"] })
    })
  )

  it.effect("changes what it is given, one after the other", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const see = BidiAgent.beforeTool(({ input }) => Effect.sync(() => (seen.push(input), BidiAgent.proceed)))
      assert.deepStrictEqual(yield* paying(limit(100), see), { paid: [100], told: ["paid 100"] })
      assert.deepStrictEqual(seen, [{ amount: 100 }])
    })
  )

  it.effect("refuses it, with a reason that the model reads; nobody else is asked", () =>
    Effect.gen(function* () {
      const refusal = BidiAgent.beforeTool(() => Effect.succeed(BidiAgent.refuse("the till is closed.")))
      const never = BidiAgent.beforeTool(() => Effect.die("asked"))
      assert.deepStrictEqual(yield* paying(refusal, never), {
        paid: [],
        told: ["This was refused: the till is closed."]
      })
    })
  )

  it.effect("that is late or dies refuses, unless it says otherwise", () =>
    Effect.gen(function* () {
      const late = yield* paying(BidiAgent.beforeTool(() => Effect.never))
      assert.deepStrictEqual(late, { paid: [], told: ["This was refused: it could not be checked in time."] })
      const open = { timeout: "1 second", onTimeout: "proceed" } as const
      assert.deepStrictEqual((yield* paying(BidiAgent.beforeTool(() => Effect.never, open))).paid, [5000])
      const dead = yield* paying(BidiAgent.beforeTool(() => Effect.die("no"), open))
      assert.deepStrictEqual(dead, { paid: [], told: ["This was refused: it could not be checked."] })
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )
})

describe("a redaction", () => {
  const digits = (text: string) => text.replace(/\d{4,}/g, "****")
  const redacting = BidiAgent.beforeEntry((entry) => {
    switch (entry._tag) {
      case "User":
        return { ...entry, parts: entry.parts.map((part) => (typeof part === "string" ? digits(part) : part)) }
      case "Assistant":
        return {
          ...entry,
          text: digits(entry.text),
          ...(entry.full === undefined ? {} : { full: digits(entry.full) })
        }
      default:
        return entry
    }
  })

  const telling = Effect.fnUntraced(function* (hook: BidiAgent.Hook) {
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (line) {
        yield* line.expectText("My card is 4111222233334444.")
        yield* line.reply({ text: "So it is 4111222233334444, thank you.", audio: "6 seconds", over: "3 seconds" })
        yield* line.drop()
      })
    )
    const speaker = yield* BidiTest.speaker()
    const recorder = BidiTest.recorder()
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
    const call = yield* agent.start({
      sessionId: "s",
      hooks: [hook],
      outputs: [speaker.output, recorder.output],
      connection: { reconnect: true }
    })
    yield* call.send("My card is 4111222233334444.")
    yield* BidiTest.advance("20 seconds")
    const store = yield* SessionStore.SessionStore
    const records = yield* Stream.runCollect(store!.read("s"))
    const messages = recorder.events().filter(({ _tag }) => _tag === "MessageAdded")
    const seeded = model.log().filter((entry) => entry._tag === "Seeded")
    return { records, kept: JSON.stringify([records, messages, seeded, yield* call.history]) }
  })

  it.effect("changes what is kept, everywhere, also of a reply that is being heard", () =>
    Effect.gen(function* () {
      const { kept } = yield* telling(redacting)
      assert.include(kept, "My card is ****.")
      assert.include(kept, "So it is ****, thank you.")
      assert.notMatch(kept, /41112|4444/)
    }).pipe(Effect.provide(Layer.fresh(SessionStore.layerMemory)))
  )

  it.effect("that throws keeps nothing", () =>
    Effect.gen(function* () {
      const { kept } = yield* telling(
        BidiAgent.beforeEntry(() => {
          throw new Error("no")
        })
      )
      assert.include(kept, "[withheld]")
      assert.notMatch(kept, /card|thank/)
    }).pipe(Effect.provide(Layer.fresh(SessionStore.layerMemory)))
  )
})
