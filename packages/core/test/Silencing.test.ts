/**
 * An interruption takes as long as a speaker takes to fall silent. What happens meanwhile finds all of it done, or nothing.
 */
import { type BidiAgent, BidiError, type BidiEvent, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { agentWith } from "./support/agent.ts"

const story = "one two three four five six seven eight nine ten"
const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

/** A speaker that plays on for 200 milliseconds when it is silenced. */
const slow = Effect.map(BidiTest.speaker("slow"), (speaker) => ({
  ...speaker,
  output: {
    ...speaker.output,
    open: Effect.map(speaker.output.open, (sink) => ({
      ...sink,
      flush: Effect.andThen(Effect.sleep("200 millis"), sink.flush)
    }))
  }
}))

const told = (history: Transcript.Transcript) =>
  history.flatMap((entry) => (entry._tag === "Assistant" ? [entry.text] : []))

const essence = (events: ReadonlyArray<BidiEvent.Output>) =>
  events.flatMap(({ _tag }) =>
    _tag === "Interruption" || _tag === "ResponseComplete" || _tag.startsWith("Connection") ? [_tag] : []
  )

/** A story of ten seconds; `then` follows on the same connection, `next` is the one behind it. */
const telling = Effect.fnUntraced(function* (
  unfinished: boolean,
  then: (line: BidiTest.Line) => Effect.Effect<unknown>,
  next: (line: BidiTest.Line) => Effect.Effect<unknown> = (line) => line.accept,
  model?: BidiTest.ModelOptions,
  options?: Pick<BidiAgent.RunOptions, "connection">
) {
  const { agent, model: scripted } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      if (line.generation > 1) return yield* next(line)
      yield* line.reply({ text: story, audio: "10 seconds", responseId: "story", itemId: "tale", unfinished })
      yield* then(line)
    }),
    model
  )
  const recorder = BidiTest.recorder()
  const { heard, output } = yield* slow
  const call = yield* agent.start({ ...options, outputs: [output, recorder.output] })
  const histories = () =>
    scripted.log().flatMap((entry) => (entry._tag === "Seeded" && entry.generation > 1 ? [told(entry.history)] : []))
  return { call, model: scripted, histories, heard, events: recorder.events }
})

describe("while a speaker falls silent", () => {
  it.effect(
    "a connection that is lost is told of after the reply that was cut off, and the next one of what was heard",
    () =>
      Effect.gen(function* () {
        const { call, events, histories } = yield* telling(true, (line) =>
          Effect.andThen(line.wait("3100 millis"), line.drop(lost))
        )
        yield* BidiTest.advance("3 seconds")
        const cut = yield* Effect.forkChild(call.interrupt())
        yield* BidiTest.advance("1 second")
        yield* Fiber.join(cut)
        assert.deepStrictEqual(essence(events()), [
          "ConnectionStart",
          "Interruption",
          "ResponseComplete",
          "ConnectionRestart",
          "ConnectionStart"
        ])
        assert.deepStrictEqual(histories(), [["one two three"]])
      })
  )

  it.effect("a connection that is renewed by a change takes over after the reply was cut off", () =>
    Effect.gen(function* () {
      const { call, events, histories } = yield* telling(
        true,
        (line) => line.wait("1 minute"),
        (line) => line.accept,
        { capabilities: { midSessionUpdate: false } }
      )
      yield* BidiTest.advance("1 second")
      const changed = yield* Effect.forkChild(call.update({ instructions: "Be brief." }))
      yield* BidiTest.advance("2 seconds")
      const cut = yield* Effect.forkChild(call.interrupt())
      yield* BidiTest.advance("1 second")
      yield* Fiber.join(cut)
      yield* Fiber.join(changed)
      assert.deepStrictEqual(essence(events()), [
        "ConnectionStart",
        "Interruption",
        "ResponseComplete",
        "ConnectionRestart",
        "ConnectionStart"
      ])
      assert.deepStrictEqual(histories(), [["one two three"]])
    })
  )

  it.effect("a next connection that comes up is told what was heard, not what was said", () =>
    Effect.gen(function* () {
      const { call, histories } = yield* telling(
        false,
        (line) => Effect.andThen(line.wait("2900 millis"), line.drop(lost)),
        (line) => Effect.andThen(line.wait("200 millis"), line.accept)
      )
      yield* BidiTest.advance("3 seconds")
      const cut = yield* Effect.forkChild(call.interrupt())
      yield* BidiTest.advance("1 second")
      yield* Fiber.join(cut)
      assert.deepStrictEqual(histories(), [["one two three"]])
    })
  )

  it.effect("a reply that begins meanwhile is not cut off with the one before", () =>
    Effect.gen(function* () {
      const { call, events, heard } = yield* telling(
        false,
        Effect.fnUntraced(function* (line) {
          yield* line.expect("Respond")
          yield* line.wait("300 millis")
          yield* line.reply({ text: "and eleven", audio: "1 second", responseId: "more", itemId: "end" })
        })
      )
      yield* BidiTest.advance("3 seconds")
      yield* call.respond()
      yield* BidiTest.advance("200 millis")
      const cut = yield* Effect.forkChild(call.interrupt())
      yield* BidiTest.advance("5 seconds")
      yield* Fiber.join(cut)
      const { content } = yield* call.history
      assert.deepInclude(content[0]?.content[0], { text: "one two three" })
      assert.deepInclude(content[1]?.content[0], { text: "and eleven" })
      assert.strictEqual(
        heard()
          .find(({ itemId }) => itemId === "end")
          ?.heard.pipe(Duration.toMillis),
        1000
      )
      const order = events().flatMap((event) =>
        event._tag === "ResponseStart" || event._tag === "Interruption" ? [`${event._tag} ${event.responseId}`] : []
      )
      assert.deepStrictEqual(order, ["ResponseStart story", "Interruption story", "ResponseStart more"])
    })
  )

  it.effect("whoever interrupts may go away: the reply is cut off all the same", () =>
    Effect.gen(function* () {
      const { call, events, model } = yield* telling(true, (line) => line.wait("1 minute"))
      yield* BidiTest.advance("3 seconds")
      const cut = yield* Effect.forkChild(Effect.timeoutOption(call.interrupt(), "100 millis"))
      yield* BidiTest.advance("1 second")
      yield* Fiber.join(cut)
      assert.deepStrictEqual(essence(events()), ["ConnectionStart", "Interruption", "ResponseComplete"])
      const { content } = yield* call.history
      assert.deepInclude(content[0]?.content[0], { text: "one two three" })
      assert.deepStrictEqual(
        model.commands().map(({ _tag }) => _tag),
        ["Interrupt"]
      )
    })
  )

  it.effect("a connection that is replaced by force has its reply cut off all the same", () =>
    Effect.gen(function* () {
      const { call, events, histories } = yield* telling(
        true,
        (line) => Effect.andThen(line.wait("3 seconds"), line.emit({ _tag: "Interrupted", responseId: "story" })),
        (line) => line.accept,
        { capabilities: { midSessionUpdate: false } },
        { connection: { renew: { wait: "1 second" } } }
      )
      yield* BidiTest.advance("2100 millis")
      // nobody waits for the end of the turn any longer just while the speaker falls silent
      const changed = yield* Effect.forkChild(call.update({ instructions: "Be brief." }))
      yield* BidiTest.advance("2 seconds")
      yield* Fiber.join(changed)
      assert.deepStrictEqual(essence(events()), [
        "ConnectionStart",
        "Interruption",
        "ResponseComplete",
        "ConnectionRestart",
        "ConnectionStart"
      ])
      assert.deepStrictEqual(histories(), [["one two three"]])
    })
  )

  it.effect("a speaker that is paused and does not go on holds nobody up", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: story, audio: "10 seconds", responseId: "story" })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" })
        })
      )
      const speaker = yield* BidiTest.speaker()
      const stuck = {
        ...speaker.output,
        open: Effect.map(speaker.output.open, (sink) => ({ ...sink, resume: Effect.uninterruptible(Effect.never) }))
      }
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({
        interruption: { falseInterruptionTimeout: "2 seconds" },
        outputs: [stuck, recorder.output]
      })
      yield* BidiTest.advance("2 seconds")
      const cut = yield* Effect.forkChild(call.interrupt())
      yield* BidiTest.advance("1 second")
      yield* Fiber.join(cut)
      assert.deepInclude(
        recorder.events().find((event) => event._tag === "Interruption"),
        { heard: Duration.seconds(1) }
      )
    })
  )
})
