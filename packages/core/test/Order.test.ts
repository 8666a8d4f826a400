/**
 * The order of events, as laws, under a provider that says anything in any order, twice or never.
 *
 * 1. `ConnectionStart` precedes everything of its generation; `ConnectionRestart` precedes the next `ConnectionStart`;
 *    `ConnectionClose` is last, and once.
 * 2. `ResponseStart(id)` precedes every event of that response; `ResponseComplete(id)` follows them, once, also when it
 *    was interrupted or failed; none outlives its connection, which is told by the next `ConnectionRestart`. (An
 *    `Interruption` names a response that may be complete and still audible; tool results may come later; a call that a
 *    model makes for a reply that was cut off still wants an answer.)
 * 3. After `Interruption(id)` no `AudioStream` of `id` is delivered to any output.
 * 4. A final transcript is all of its deltas since the connection began (what the user was saying when another one ended
 *    was a preview: it is said again, and heard anew); previews never enter history.
 * 5. Every `ToolUse(id)` has exactly one `ToolResult(id)`.
 * 6. Outputs, hooks and subscribers all see the same events in the same order.
 */
import { BidiAgent, BidiError, type BidiEvent, type BidiModel } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { cases } from "../../../scripts/cases.ts"
import { Steps } from "./support/steps.ts"

const Id = Schema.Literals(["a", "b", "c"])
const Say = Schema.TaggedUnion({
  Start: { r: Id },
  Audio: { r: Id, i: Id, tenths: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })) },
  Words: { r: Id, i: Id, preview: Schema.Boolean },
  Whole: { r: Id, i: Id },
  UserWords: { i: Id },
  UserWhole: { i: Id },
  UserTurn: { i: Id },
  Speech: { phase: Schema.Literals(["SpeechStarted", "SpeechStopped"]) },
  Interrupted: { r: Id },
  Tool: { r: Id, c: Id, kind: Schema.Literals(["quick", "slow", "failing", "dying", "unknown", "garbled"]) },
  Done: { r: Id, stop: Schema.Literals(["complete", "interrupted", "tool_use", "error"]) },
  Lost: {},
  Wait: { tenths: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) },
  // and what the user does meanwhile
  Send: {},
  Interrupt: {},
  GiveUp: {}
})
type Say = typeof Say.Type

const tool = (name: string) =>
  Tool.make(name, { success: Schema.String, failure: Schema.String, failureMode: "return" })
const toolkit = Toolkit.make(tool("quick"), tool("slow"), tool("failing"), tool("dying"))
const handlers = toolkit.toLayer({
  quick: () => Effect.succeed("done"),
  slow: () => Effect.as(Effect.sleep("700 millis"), "done"),
  failing: () => Effect.fail("no"),
  dying: () => Effect.die("boom")
} as any)

const lost = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "gone" }) })

const spoken = (say: Say, n: number): BidiModel.ModelEvent | undefined => {
  const word = `word${n} `
  switch (say._tag) {
    case "Start":
      return { _tag: "ResponseStarted", responseId: say.r }
    case "Audio":
      return { _tag: "AudioDelta", responseId: say.r, itemId: say.r + say.i, audio: new Uint8Array(4800 * say.tenths) }
    case "Words": {
      const piece = { role: "assistant", responseId: say.r, itemId: say.r + say.i, delta: word } as const
      return { _tag: "TranscriptDelta", ...piece, ...(say.preview ? { preview: true } : {}) }
    }
    case "Whole":
      return { _tag: "TranscriptDone", role: "assistant", responseId: say.r, itemId: say.r + say.i, text: "" }
    case "UserWords":
      return { _tag: "TranscriptDelta", role: "user", itemId: `user ${say.i}`, delta: word }
    case "UserWhole":
      return { _tag: "TranscriptDone", role: "user", itemId: `user ${say.i}`, text: "" }
    case "UserTurn":
      return { _tag: "UserTurn", itemId: `user ${say.i}`, respond: false }
    case "Speech":
      return { _tag: say.phase }
    case "Interrupted":
      return { _tag: "Interrupted", responseId: say.r }
    case "Tool": {
      const call = { id: say.c, name: say.kind === "garbled" ? "quick" : say.kind }
      const args = say.kind === "garbled" ? "{" : "{}"
      return { _tag: "ToolCalls", responseId: say.r, calls: [{ ...call, arguments: args }] }
    }
    case "Done":
      return { _tag: "ResponseDone", responseId: say.r, stopReason: say.stop }
    default:
      return undefined
  }
}

/** How long a speaker takes to fall silent, in milliseconds. */
const Silencing = Schema.Literals([0, 100, 1000])

const play = (says: ReadonlyArray<Say>, silencing: number) =>
  Effect.gen(function* () {
    const todo = [...says]
    const texts = new Map<string, string>()
    let actions: Effect.Effect<unknown> = Effect.void
    const model = yield* BidiTest.model(
      Effect.fnUntraced(function* (line) {
        yield* line.accept
        while (todo.length > 0) {
          const n = todo.length
          const say = todo.shift()!
          if (say._tag === "Lost") {
            texts.clear() // the next connection knows nothing of what was said on this one
            return yield* line.drop(lost)
          }
          if (say._tag === "Wait") yield* line.wait(say.tenths * 100)
          yield* acting.get(say._tag) ?? Effect.void
          let event = spoken(say, n)
          if (event === undefined) continue
          // a provider's final text is the sum of its deltas
          if (event._tag === "TranscriptDelta" && event.preview !== true) {
            texts.set(event.itemId, (texts.get(event.itemId) ?? "") + event.delta)
          }
          if (event._tag === "TranscriptDone") {
            event = { ...event, text: texts.get(event.itemId) ?? "" }
            texts.delete(event.itemId)
          }
          yield* line.emit(event)
        }
        yield* line.wait("20 seconds")
        yield* Effect.suspend(() => actions)
      })
    )
    const acting = new Map<string, Effect.Effect<unknown>>()
    const { output } = yield* BidiTest.speaker()
    const speaker = {
      ...output,
      open: Effect.map(output.open, (sink) => ({
        ...sink,
        flush: silencing === 0 ? sink.flush : Effect.andThen(Effect.sleep(silencing), sink.flush)
      }))
    }
    const [one, two] = [BidiTest.recorder("one"), BidiTest.recorder("two")]
    const hooked: Array<BidiEvent.Output> = []
    const agent = yield* BidiAgent.make({ toolkit }).pipe(Effect.provide([model.layer, handlers]))
    const call = yield* agent.start({
      outputs: [one.output, speaker, two.output],
      hooks: [
        BidiAgent.on("ResponseComplete", (event) => Effect.sync(() => hooked.push(event))),
        BidiAgent.on("Interruption", () => Effect.yieldNow)
      ],
      connection: { retry: Schedule.forever }
    })
    acting.set("Send", Effect.forkDetach(Effect.ignore(call.send("Hello"))))
    acting.set("Interrupt", Effect.forkDetach(call.interrupt()))
    acting.set("GiveUp", Effect.forkDetach(Effect.ignore(Effect.timeout(call.send("Hello"), "50 millis"))))
    actions = call.stop("complete")
    const subscriber = yield* Effect.forkChild(Stream.runCollect(call.events))
    yield* BidiTest.advance("10 minutes")
    yield* call.await
    // what is heard, and remembered, of a reply goes on after its end
    const ofTalk = (events: ReadonlyArray<BidiEvent.Output>) =>
      events.filter(({ _tag }) => _tag !== "Playback" && _tag !== "MessageAdded")
    const subscribed = ofTalk(yield* Fiber.join(subscriber))
    return { events: ofTalk(one.events()), other: ofTalk(two.events()), hooked, subscribed, call }
  }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))

const responseOf = (event: BidiEvent.Output): string | undefined =>
  "responseId" in event && event._tag !== "Interruption" ? event.responseId : undefined

describe("the order of events", () => {
  it.effect.prop(
    "keeps the laws",
    { says: Schema.Array(Say).check(Schema.isBetweenLength(10, 40)), silencing: Silencing, steps: Steps },
    ({ says, silencing, steps }) =>
      Effect.gen(function* () {
        const { call, events, hooked, other, subscribed } = yield* play(says, silencing).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps)
        )
        const tags = events.map((event) => event._tag)

        // 1.
        assert.strictEqual(tags[0], "ConnectionStart")
        assert.strictEqual(tags.indexOf("ConnectionClose"), tags.length - 1)
        const connections = tags.filter((tag) => tag === "ConnectionStart" || tag === "ConnectionRestart")
        connections.forEach((tag, i) => {
          if (i % 2 === 1) assert.strictEqual(tag, "ConnectionRestart")
        })

        // 2. an id may come back on another connection, as another response
        const open = new Set<string>()
        const begun = new Set<string>()
        const cut = new Set<string>()
        for (const event of events) {
          if (event._tag === "ConnectionRestart") assert.strictEqual(open.size, 0, "a response outlived its connection")
          if (event._tag === "ResponseStart") {
            assert.isFalse(open.has(event.responseId), "started twice")
            open.add(event.responseId)
            begun.add(event.responseId)
            cut.delete(event.responseId)
          } else if (event._tag === "ResponseComplete") {
            assert.isTrue(open.delete(event.responseId), "completed without having started")
          } else if (event._tag === "ToolUse") {
            assert.isTrue(begun.has(event.responseId), "a call outside of any response")
          } else if (responseOf(event) !== undefined) {
            assert.isTrue(open.has(responseOf(event)!), `${event._tag} outside of its response`)
          }
          // 3.
          if (event._tag === "Interruption") cut.add(event.responseId)
          if (event._tag === "AudioStream") assert.isFalse(cut.has(event.responseId), "audio after interruption")
        }
        assert.strictEqual(open.size, 0)

        // 4.
        const deltas = new Map<string, string>()
        for (const event of events) {
          // what the user was saying when a connection ended is heard again
          if (event._tag === "ConnectionRestart") deltas.clear()
          if (event._tag !== "TranscriptStream" || event.preview === true) continue
          const text = (deltas.get(event.itemId!) ?? "") + event.delta
          assert.strictEqual(event.currentTranscript, text)
          if (event.isFinal) deltas.delete(event.itemId!)
          else deltas.set(event.itemId!, text)
        }
        const history = JSON.stringify(yield* call.history)
        for (const event of events) {
          if (event._tag === "TranscriptStream" && event.preview === true) {
            assert.isFalse(history.includes(event.delta.trim() + " "), "a preview in history")
          }
        }

        // 5.
        const calls = events.flatMap((event) => (event._tag === "ToolUse" ? [event.id] : []))
        const results = events.flatMap((event) => (event._tag === "ToolResult" ? [event.id] : []))
        assert.deepStrictEqual(results.toSorted(), calls.toSorted())
        assert.strictEqual(new Set(calls).size, calls.length)

        // 6.
        assert.deepStrictEqual(other, events)
        // sound is kept once it is asked for; whatever of it came before is missing, and nothing else
        const sounds = (all: ReadonlyArray<BidiEvent.Output>) => all.filter(({ _tag }) => _tag === "AudioStream")
        const missing = sounds(events).slice(0, sounds(events).length - sounds(subscribed).length)
        assert.deepStrictEqual(
          subscribed,
          events.filter((event) => !missing.some((sound) => sound === event))
        )
        assert.deepStrictEqual(
          hooked,
          events.filter((event) => event._tag === "ResponseComplete")
        )
      }),
    cases(60)
  )
})
