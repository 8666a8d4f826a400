/**
 * What one can rely on when a conversation begins and ends, whatever happens in between.
 *
 * 1. Parts start in the order session, observers, outputs, tools, model, inputs; outputs and inputs in the order given.
 *    One part is open before the next begins to; inputs are streams and only begin in this order.
 * 2. They stop in exactly the reverse order, and every part that was started is stopped exactly once. (An input or
 *    a connection that ends by itself has stopped then.)
 * 3. The first failure is the one reported. Before any failure, the first reason to stop is.
 * 4. `ConnectionClose` comes exactly once, to every output and hook that lives, and nothing comes after it.
 * 5. Every `send` ends: it succeeds, or fails with a typed error. After the end it fails at once.
 * 6. Closing takes bounded time, however many parts never finish opening or closing; the others are closed all the same.
 * 7. Nothing is left: no fiber, no connection.
 * 8. What was said is in the session's log when a conversation has ended well.
 * 9. An interruption from inside a part is the end of an input and the failure of anything else, never an interruption of
 *    whoever runs the conversation.
 * 10. A `start` that is given up is over when whoever gave it up goes on: nothing happens after it.
 *
 * A scenario is drawn at random and played in virtual time.
 */
import type { BidiEvent } from "@effect-bidi/core"
import {
  BidiAgent,
  BidiError,
  BidiInput,
  BidiModel,
  type BidiOutput,
  SessionStore,
  Transcript
} from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { allTags } from "../src/internal/events/tags.ts"
import { countFibers } from "./support/fibers.ts"
import { cases } from "../../../scripts/cases.ts"
import { Steps } from "./support/steps.ts"
import { storeOf } from "./support/store.ts"

class PartFailed extends Schema.TaggedError<PartFailed>()("PartFailed", { part: Schema.String }) {}

// ---------------------------------------------------------------------------------------------------------------------
// scenarios
// ---------------------------------------------------------------------------------------------------------------------

/** In tenths of a second; every part adds milliseconds of its own, so that no two things happen at the same time. */
const Tenths = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

const Part = Schema.Struct({
  opens: Schema.Literals([
    "at once",
    "at once",
    "at once",
    "at once",
    "slowly",
    "fails",
    "dies",
    "interrupts",
    "hangs"
  ]),
  next: Schema.Literals(["works", "works", "works", "works", "ends", "fails", "dies", "interrupts"]),
  after: Tenths,
  closes: Schema.Literals(["at once", "at once", "at once", "slowly", "never"])
})

const Action = Schema.Struct({ does: Schema.Literals(["send", "interrupt", "stop", "stop twice"]), after: Tenths })

const Scenario = Schema.Struct({
  outputs: Schema.Array(Part).check(Schema.isMaxLength(3)),
  inputs: Schema.Array(Part).check(Schema.isMaxLength(3)),
  hooks: Schema.Array(Schema.Literals(["works", "stalls", "dies", "interrupts"])).check(Schema.isMaxLength(2)),
  model: Schema.Struct({
    opens: Schema.Literals(["at once", "at once", "at once", "slowly", "fails", "never"]),
    ends: Schema.Literals(["works", "works", "fails", "interrupts"]),
    after: Tenths
  }),
  store: Schema.Struct({
    does: Schema.Literals(["keeps", "keeps", "slowly", "blinks", "is taken", "dies", "hangs"]),
    after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
  }),
  actions: Schema.Array(Action).check(Schema.isMaxLength(4)),
  /** Whether and how whoever starts it gives up waiting, and when. */
  start: Schema.Struct({
    ends: Schema.Literals(["waits", "waits", "runs out of time", "loses a race", "is interrupted"]),
    after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))
  })
})

type Scenario = typeof Scenario.Type
type Part = typeof Part.Type

const SLOWLY = Duration.millis(130)
const at = (tenths: number, offset: number) => Duration.millis(tenths * 100 + offset)

// ---------------------------------------------------------------------------------------------------------------------
// playing one
// ---------------------------------------------------------------------------------------------------------------------

const play = (scenario: Scenario) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const failures: Array<string> = []
    const reasons: Array<string> = []
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    let over = Infinity // when somebody first asked for the end, or failed
    let closed = 0
    let begun = false
    let givenUp: number | undefined // how much had happened when the start was given up, and over
    const seen = scenario.outputs.map((): Array<BidiEvent.Output> => [])
    const heard = scenario.hooks.map((): Array<string> => [])

    const failed = (part: string) =>
      Effect.suspend(() => {
        failures.push(part)
        over = Math.min(over, now())
        return Effect.fail(new PartFailed({ part }))
      })
    const died = (part: string) =>
      Effect.suspend(() => {
        failures.push(part)
        over = Math.min(over, now())
        return Effect.die(new PartFailed({ part }))
      })

    const preparing = (name: string, part: Part) =>
      Effect.gen(function* () {
        if (part.opens === "slowly") yield* Effect.sleep(SLOWLY)
        if (part.opens === "fails") return yield* failed(name)
        if (part.opens === "dies") return yield* died(name)
        if (part.opens === "interrupts") return yield* interrupted(name)
        if (part.opens === "hangs") return yield* Effect.uninterruptible(Effect.never)
      })

    // the end of an input, and nothing that fails
    const interrupted = (part: string) =>
      Effect.suspend(() => {
        if (!part.startsWith("input")) {
          failures.push(part)
          over = Math.min(over, now())
        }
        return Effect.interrupt
      })

    const holding = (name: string, closes: Part["closes"]) =>
      Effect.acquireRelease(
        Effect.sync(() => log.push(`start ${name}`)),
        () => {
          log.push(`stop ${name}`)
          return closes === "at once" ? Effect.void : closes === "slowly" ? Effect.sleep(SLOWLY) : Effect.never
        }
      )

    const working = (name: string, part: Part, offset: number) =>
      Effect.gen(function* () {
        yield* Effect.sleep(at(part.after, offset))
        if (part.next === "fails") return yield* failed(name)
        if (part.next === "dies") return yield* died(name)
        if (part.next === "interrupts") return yield* interrupted(name)
        if (part.next === "works") return yield* Effect.never
      })

    const outputs = scenario.outputs.map((part, i): BidiOutput.BidiOutput<PartFailed> => ({
      name: `output ${i}`,
      events: allTags,
      open: Effect.gen(function* () {
        yield* preparing(`output ${i}`, part)
        yield* holding(`output ${i}`, part.closes)
        const ended = yield* Latch.make()
        return {
          offer: (event) => void seen[i]!.push(event),
          flush: Effect.void,
          playback: "none",
          run: Effect.raceFirst(ended.await, working(`output ${i}`, part, 10 + i)),
          end: Effect.asVoid(ended.open)
        }
      })
    }))
    const inputs = scenario.inputs.map((part, i) =>
      BidiInput.make(
        `input ${i}`,
        Stream.unwrap(
          Effect.as(
            // a stream that fails is not seen to fail before it has closed
            part.opens === "hangs"
              ? preparing(`input ${i}`, part)
              : Effect.andThen(
                  holding(`input ${i}`, lasts(part) ? part.closes : "at once"),
                  preparing(`input ${i}`, part)
                ),
            Stream.fromEffectDrain(working(`input ${i}`, part, 20 + i)) as Stream.Stream<BidiEvent.Input, PartFailed>
          )
        )
      )
    )
    const hooks = scenario.hooks.map((kind, i) =>
      BidiAgent.on("ConnectionClose", () =>
        Effect.suspend(() => {
          heard[i]!.push("ConnectionClose")
          if (kind === "interrupts") return Effect.interrupt
          return kind === "works" ? Effect.void : kind === "stalls" ? Effect.never : Effect.die("a hook died")
        })
      )
    )
    const taken = yield* Latch.make()
    let dialed = 0
    const refused = new BidiError.BidiError({ reason: new BidiError.Auth({ message: "model" }) })
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (line) {
        const { after, ends, opens } = scenario.model
        if (line.generation > 1) return yield* line.accept
        if (opens === "never") return
        if (opens === "slowly") yield* line.wait(SLOWLY)
        if (opens === "fails") {
          failures.push("model")
          return yield* line.refuse(refused)
        }
        yield* line.accept
        yield* Effect.forkScoped(
          Effect.forever(Effect.flatMap(line.next, (c) => (c._tag === "UserMessage" ? line.reply(reply) : Effect.void)))
        )
        yield* line.wait(at(after, 30))
        if (ends === "works") return yield* Effect.never
        if (ends === "interrupts") return yield* taken.open
        failures.push("model")
        yield* line.drop(refused)
      }, Effect.scoped)
    )

    const logged = Layer.effect(
      BidiModel.BidiModel,
      Effect.map(BidiModel.BidiModel, (model) => ({
        ...model,
        connect: (setup: BidiModel.Setup) =>
          Effect.gen(function* () {
            const connection = yield* model.connect(setup)
            if (++dialed > 1) return connection
            yield* Effect.acquireRelease(
              Effect.sync(() => log.push("start model")),
              () => Effect.sync(() => log.push("stop model"))
            )
            const gone = Effect.andThen(taken.await, Effect.interrupt)
            const listen: BidiModel.Connection["listen"] = (take) => Effect.raceFirst(connection.listen(take), gone)
            return { ...connection, listen }
          })
      }))
    )
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(Layer.provide(logged, model.layer)))
    let writes = 0
    const write = Effect.suspend(() => {
      const { after, does } = scenario.store
      if (does === "slowly") return Effect.sleep(SLOWLY)
      if (++writes <= after || does === "keeps") return Effect.void
      if (does === "hangs") return Effect.never
      if (does === "blinks")
        return writes % 2 === 0 ? Effect.fail(full) : writes % 3 === 0 ? Effect.interrupt : Effect.void
      failures.push("store")
      over = Math.min(over, now())
      return does === "is taken" ? Effect.fail(SessionStore.taken("ada")) : Effect.die("the store died")
    })
    const full = new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "disk full" }) })
    const { store, transcript } = storeOf(() => write)
    let sent = 0
    let answered = 0
    let history: unknown
    const act = (call: BidiAgent.Call<unknown>, { after, does }: typeof Action.Type, i: number) =>
      Effect.gen(function* () {
        yield* Effect.sleep(at(after, 40 + i))
        if (does === "send") {
          sent++
          const exit = yield* Effect.exit(call.send("Hello"))
          answered++
          if (Exit.isFailure(exit)) assert.isTrue(Exit.findErrorOption(exit)._tag === "Some", "a send failed untyped")
          return
        }
        if (does === "interrupt") return yield* call.interrupt()
        reasons.push("user_request")
        over = Math.min(over, now())
        yield* call.stop("user_request")
        if (does === "stop twice") yield* call.stop("timeout")
      })

    const patience = Effect.andThen(
      Effect.sleep(at(scenario.start.after, 50)),
      Effect.sync(() => void (over = Math.min(over, now())))
    )
    const start = agent.start({ sessionId: "ada", inputs, outputs, hooks })
    const starting = Effect.suspend((): Effect.Effect<BidiAgent.Call<unknown> | undefined, unknown, Scope.Scope> => {
      switch (scenario.start.ends) {
        case "waits":
          return start
        case "runs out of time":
          return Effect.onInterrupt(start, () => Effect.sync(() => void (over = Math.min(over, now())))).pipe(
            Effect.timeoutOption(at(scenario.start.after, 50)),
            Effect.map(Option.getOrUndefined)
          )
        case "loses a race":
          return Effect.raceFirst(start, Effect.as(patience, undefined))
        case "is interrupted":
          return Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(start)
            yield* Effect.raceFirst(Fiber.await(fiber), patience)
            yield* Fiber.interrupt(fiber)
            const exit = yield* Fiber.await(fiber)
            return Exit.hasInterrupts(exit) ? undefined : yield* exit
          })
      }
    })

    const program = Effect.gen(function* () {
      const call = yield* starting
      if (call === undefined) {
        begun = true
        givenUp = log.length
        closed = now()
        yield* Effect.sleep("1 hour")
        return yield* Effect.interrupt
      }
      begun = true
      yield* Effect.forEach(scenario.actions, (action, i) => Effect.forkChild(act(call, action, i)))
      yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 minute"), call.stop("complete")))
      const exit = yield* Effect.exit(call.await)
      closed = now()
      history = yield* call.history
      const late = yield* Effect.exit(call.send("too late"))
      assert.isTrue(isEnded(late), "a send after the end did not fail at once")
      yield* Effect.sleep("1 hour") // whatever still runs has had its chance
      return exit
    }).pipe(Effect.scoped, Effect.provideService(SessionStore.SessionStore, store))

    const [exit, alive] = yield* countFibers(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(program, { startImmediately: true })
        // nobody stops one that never begins
        const giveUp = Effect.suspend(() => {
          if (begun || fiber.pollUnsafe() !== undefined) return Effect.void
          over = Math.min(over, now())
          return Effect.andThen(
            Fiber.interrupt(fiber),
            Effect.sync(() => {
              closed = now()
            })
          )
        })
        yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 minute"), giveUp))
        yield* BidiTest.advance("2 hours")
        return yield* Fiber.await(fiber)
      })
    )
    const end = Exit.isSuccess(exit) ? exit.value : Exit.failCause(exit.cause)
    return {
      exit: end,
      log,
      failures,
      reasons,
      seen,
      heard,
      alive,
      givenUp,
      closing: closed - over,
      sent,
      answered,
      connections: model.open(),
      history,
      kept: transcript()
    }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const reply = { text: "Hello to you too", audio: "600 millis", over: "200 millis" } as const

const isEnded = (exit: Exit.Exit<void, BidiError.BidiError>) => {
  const error = Exit.findErrorOption(exit)
  return error._tag === "Some" && error.value instanceof BidiError.BidiError
}

// ---------------------------------------------------------------------------------------------------------------------
// laws
// ---------------------------------------------------------------------------------------------------------------------

describe("the life of a conversation", () => {
  it.effect.prop(
    "keeps the laws",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const {
          alive,
          answered,
          closing,
          connections,
          exit,
          failures,
          givenUp,
          heard,
          history,
          kept,
          log,
          reasons,
          seen,
          sent
        } = yield* play(scenario).pipe(Effect.provideService(References.MaxOpsBeforeYield, steps))

        // 1. in the order declared
        const declared = [
          ...scenario.outputs.map((_, i) => `output ${i}`),
          "model",
          ...scenario.inputs.map((_, i) => `input ${i}`)
        ]
        const started = log.filter((line) => line.startsWith("start ")).map((line) => line.slice(6))
        assert.deepStrictEqual(
          started,
          declared.filter((name) => started.includes(name))
        )

        // 2. in reverse, each once
        const stopped = log.filter((line) => line.startsWith("stop ")).map((line) => line.slice(5))
        const alone = (name: string) =>
          (name === "model" && (scenario.model.ends === "fails" || scenario.model.ends === "interrupts")) ||
          scenario.inputs.some((part, i) => name === `input ${i}` && !lasts(part))
        const together = (names: ReadonlyArray<string>) => names.filter((name) => !alone(name))
        assert.deepStrictEqual(together(stopped), together(started).toReversed())
        assert.deepStrictEqual(stopped.toSorted(), started.toSorted())

        // 3. the first failure, or the first reason
        const told = Exit.isSuccess(exit) ? undefined : partOf(exit.cause)
        // after somebody has asked for the end, what becomes of the log is told, and what becomes of the other parts is not
        const atTheEnd = told === "store" && reasons.length > 0
        if (told !== undefined && told !== "no answer" && !atTheEnd) assert.strictEqual(told, failures[0])
        if (Exit.isSuccess(exit) && exit.value === "user_request") assert.isNotEmpty(reasons)

        // 4. one close, last
        for (const events of seen) {
          const closes = events.filter((event) => event._tag === "ConnectionClose")
          if (events.length > 0) assert.lengthOf(closes, 1)
          if (events.length > 0) assert.strictEqual(events.at(-1)?._tag, "ConnectionClose")
        }
        for (const events of heard) assert.isAtMost(events.length, 1)
        if (started.includes("model")) for (const events of heard) assert.lengthOf(events, 1)

        // 5. every send ended
        assert.strictEqual(answered, sent)

        // 6. two seconds for all parts, ten for what the store has still to write
        assert.isAtMost(closing, 12_000)

        // 7. nothing left
        assert.strictEqual(connections, 0)
        const abandoned = [...scenario.outputs, ...scenario.inputs].some(
          (part) => part.closes === "never" || part.opens === "hangs"
        )
        if (!abandoned && !scenario.hooks.includes("stalls")) assert.strictEqual(alive, 0)

        // 8. the log is what was said
        if (Exit.isSuccess(exit)) assert.deepStrictEqual(Transcript.toPrompt(kept), history)

        // 9. only one that never began was interrupted by us
        const hung = scenario.outputs.some(({ opens }) => opens === "hangs")
        if (Exit.hasInterrupts(exit)) assert.isTrue(hung || givenUp !== undefined)

        // 10. what was given up
        if (givenUp !== undefined) assert.deepStrictEqual(log.slice(givenUp), [])
      }),
    cases(60)
  )
})

const lasts = ({ next, opens }: Part) => next === "works" && (opens === "at once" || opens === "slowly")

const partOf = (cause: Cause.Cause<unknown>): string | undefined => {
  const error = Cause.squash(cause)
  if (error instanceof PartFailed) return error.part
  if (error === "the store died") return "store"
  if (error instanceof BidiError.BidiError) {
    // a store that was too slow only has not failed; the others say how much is missing
    if (error.reason._tag === "StoreFailed") {
      assert.isDefined(error.reason.entries, "nobody knows how much of the log is missing")
      return /did not take them within|has not taken it within/.test(error.message) ? undefined : "store"
    }
    if (error.reason._tag === "SessionTaken") return "store"
    if (error.reason._tag === "Interrupted") return error.reason.part.replace(/^the output "(.*)"$/, "$1")
    return error.reason._tag === "ConnectionLost" ? "no answer" : error.reason.message
  }
  return undefined
}
