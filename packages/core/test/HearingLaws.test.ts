/**
 * What was heard, as laws: replies of several items are produced at any pace, speakers stutter, and the user interrupts
 * at any moment, in any way, once or several times in a row. A reply that was cut off goes on arriving for a while.
 *
 * 1. What the model is told of an item is whole milliseconds, never negative, never above what was produced of it; and
 *    that is what arrived before the interruption.
 * 2. It is what left the speakers: of several, the one that was furthest.
 * 3. Nothing of a reply sounds after it was interrupted. What was not interrupted sounds to its end.
 * 4. What was heard to its end, or not begun, cannot be interrupted.
 * 5. `Interruption` events are the interruptions that the model was told, in the same order, with the same length.
 * 6. History holds of every item the words that were heard, and all of them besides.
 *
 * `HEARING_RUNS` sets how many conversations are played.
 */
import type { BidiOutput } from "@effect-bidi/core"
import { type BidiModel, BidiTest, Transcript } from "@effect-bidi/core"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { agentWith } from "./support/agent.ts"
import { Steps } from "./support/steps.ts"

const RUNS = Number(process.env.HEARING_RUNS ?? 300)

const Between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Item = Schema.Struct({
  frames: Schema.Array(Between(1, 9)).check(Schema.isBetweenLength(1, 6)), // lengths, in units of 21 1/3 ms
  pace: Between(0, 150) // milliseconds before each frame
})
const Reply = Schema.Struct({ items: Schema.Array(Item).check(Schema.isBetweenLength(1, 2)), pause: Between(0, 900) })
const Action = Schema.Struct({ after: Between(0, 700), does: Schema.Literals(["speak", "type", "interrupt"]) })
const Scenario = Schema.Struct({
  replies: Schema.Array(Reply).check(Schema.isBetweenLength(1, 4)),
  actions: Schema.Array(Action).check(Schema.isMaxLength(5)),
  /** When each speaker stops for a while, and for how long. */
  speakers: Schema.Array(Schema.Struct({ at: Between(0, 1000), lasts: Between(0, 300) })).check(
    Schema.isBetweenLength(1, 2)
  )
})

const FRAME = new Uint8Array(1024) // 512 samples at 24 kHz: 21 1/3 ms

const stuttering = Effect.fnUntraced(function* (at: number, lasts: number) {
  const speaker = yield* BidiTest.speaker()
  const output: BidiOutput.BidiOutput = {
    ...speaker.output,
    open: Effect.tap(speaker.output.open, ({ pause, resume }) =>
      Effect.forkScoped(
        Effect.sleep(at).pipe(Effect.andThen(pause!), Effect.andThen(Effect.sleep(lasts)), Effect.andThen(resume!))
      )
    )
  }
  return { ...speaker, output }
})

const play = Effect.fnUntraced(function* (scenario: typeof Scenario.Type) {
  const { agent, model } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      yield* line.accept
      yield* Effect.forkChild(
        Effect.forEach(scenario.actions, ({ after, does }) =>
          Effect.andThen(
            line.wait(after),
            does === "speak" ? line.emit({ _tag: "SpeechStarted" }, { _tag: "SpeechStopped" }) : Effect.void
          )
        )
      )
      for (const [r, reply] of scenario.replies.entries()) {
        const responseId = `r${r}`
        yield* line.emit({ _tag: "ResponseStarted", responseId })
        for (const [i, { frames, pace }] of reply.items.entries()) {
          const itemId = `${responseId}/${i}`
          for (const [f, units] of frames.entries()) {
            yield* line.wait(pace)
            const audio = new Uint8Array(units * FRAME.length)
            const delta = `word${f} `
            yield* line.emit(
              { _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta },
              { _tag: "AudioDelta", responseId, itemId, audio }
            )
          }
        }
        yield* line.emit({ _tag: "ResponseDone", responseId, stopReason: "complete" })
        yield* line.wait(reply.pause)
      }
    })
  )
  const speakers = yield* Effect.forEach(scenario.speakers, ({ at, lasts }) => stuttering(at, lasts))
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({ outputs: [recorder.output, ...speakers.map(({ output }) => output)] })
  yield* Effect.forkChild(
    Effect.forEach(scenario.actions, ({ after, does }) =>
      Effect.sleep(after).pipe(
        Effect.andThen(does === "interrupt" ? call.interrupt() : does === "type" ? call.send("Hm.") : Effect.void)
      )
    )
  )
  yield* BidiTest.advance("1 minute")
  const left = new Map<string, number>() // by item, what left the speaker that was furthest
  for (const speaker of speakers) {
    for (const { heard, itemId } of speaker.heard()) {
      left.set(itemId, Math.max(left.get(itemId) ?? 0, Duration.toMillis(heard)))
    }
  }
  const commands = model.commands().filter((command) => command._tag === "Interrupt")
  return { commands, events: recorder.events(), left, history: yield* call.history }
}, Effect.scoped)

describe("what was heard", () => {
  it.effect.prop(
    "keeps the laws",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const { commands, events, history, left } = yield* play(scenario).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps)
        )

        const produced = new Map<string, number>()
        const interrupted = new Set<string>()
        const active = new Set<string>()
        const texts = new Map<string, string>()
        for (const event of events) {
          if (event._tag === "ResponseStart") active.add(event.responseId)
          if (event._tag === "AudioStream") {
            assert.isFalse(interrupted.has(event.responseId), "audio after the interruption")
            produced.set(event.itemId, (produced.get(event.itemId) ?? 0) + event.audio.length / 48)
          }
          if (event._tag === "TranscriptStream") texts.set(event.itemId!, event.currentTranscript)
          if (event._tag === "Interruption") {
            // 4.
            const cut = commands.find(({ responseId }) => responseId === event.responseId)!
            const rest = cut.items.some((item) => item.heard < item.produced)
            assert.isTrue(active.has(event.responseId) || rest, "an interruption of nothing")
            interrupted.add(event.responseId)
          }
          if (event._tag === "ResponseComplete") active.delete(event.responseId)
        }

        // 5.
        assert.deepStrictEqual(
          commands.map(({ items, responseId }) => [responseId, items.reduce((sum, item) => sum + item.heard, 0)]),
          events.flatMap((event) =>
            event._tag === "Interruption" ? [[event.responseId, Duration.toMillis(event.heard)]] : []
          )
        )

        const cuts = new Map<string, BidiModel.HeardItem>()
        for (const { items } of commands) for (const item of items) cuts.set(item.itemId, item)
        for (const [itemId, millis] of produced) {
          const cut = cuts.get(itemId)
          const heard = left.get(itemId) ?? 0
          if (cut === undefined) {
            // 3.
            assert.closeTo(heard, millis, 1, `${itemId} was not heard to its end`)
            continue
          }
          // 1.
          assert.isTrue(Number.isInteger(cut.heard) && cut.heard >= 0 && cut.heard <= cut.produced)
          assert.strictEqual(cut.produced, Math.floor(millis + 1e-6))
          // 2.
          assert.closeTo(cut.heard, heard, 1)
        }

        // 6.
        const remembered = history.content.flatMap((message) => {
          if (message.role !== "assistant") return []
          const { id, full, interrupted } = message.options["effect-bidi"] as Record<string, any>
          const [part] = message.content
          return part?.type === "text" ? [[id, { text: part.text, full, interrupted }] as const] : []
        })
        const byItem = new Map(remembered)
        for (const [itemId, text] of texts) {
          const cut = cuts.get(itemId)
          const entry = byItem.get(itemId)
          const responseId = itemId.split("/")[0]!
          const heard = cut === undefined ? text : Transcript.heardText(text, cut.heard, cut.produced)
          if (cut === undefined && interrupted.has(responseId)) {
            assert.isUndefined(entry, "words that were not reached") // no audio of it arrived
          } else if (heard === "") {
            assert.isUndefined(entry)
          } else {
            assert.strictEqual(entry?.text, heard)
            if (heard !== text) assert.strictEqual(entry?.full, text)
          }
        }
      }),
    { arbitrary: { runs: RUNS }, timeout: 600_000 }
  )
})
