/**
 * What was heard, as laws: replies of several items are produced at any pace, their words come with their sound, before
 * or after it, in any script; speakers stutter, or are out of sight and report what is true, a lie, or nothing; and the
 * user interrupts at any moment, in any way, once or several times in a row, and may be told to wait. A reply that was
 * cut off goes on arriving for a while. The connection may be lost in the middle.
 *
 * 1. What the model is told of an item is whole milliseconds, never negative, never above what was produced of it; and
 *    that is what arrived before the interruption.
 * 2. It is what left the speakers: of several, the one that was furthest.
 * 3. Nothing of a reply sounds after it was interrupted. What was not interrupted sounds to its end.
 * 4. What was heard to its end, or not begun, cannot be interrupted.
 * 5. `Interruption` events are the interruptions that the model was told, in the same order, with the same length.
 * 6. History holds of every item the words that were heard, and all of them besides: also those that came after the cut.
 *    It never holds words beyond the sound that was heard.
 * 7. At any moment history is a beginning of what was said, and of what has been produced no more than was heard by then.
 * 8. Everything settles: when the sound is over, and the grace for reports, the conversation is idle.
 *
 * `LAWS` sets how many conversations are played.
 */
import type { BidiOutput } from "@effect-bidi/core"
import { type BidiAgent, type BidiEvent, type BidiModel } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import type * as Prompt from "effect/ai/Prompt"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { heardText } from "../src/internal/history/heardText.ts"
import { minMillis } from "../src/internal/history/spoken.ts"
import { agentWith } from "./support/agent.ts"
import { cases } from "../../../scripts/cases.ts"
import { Steps } from "./support/steps.ts"

const Between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Item = Schema.Struct({
  frames: Schema.Array(Between(1, 9)).check(Schema.isBetweenLength(1, 6)), // lengths, in units of 21 1/3 ms
  pace: Between(0, 150), // milliseconds before each frame
  shift: Between(-3, 3), // how many frames the words come after their sound, or before
  script: Schema.Literals(["word", "言葉", "คำ", "👩‍👧", "list,"])
})
const Reply = Schema.Struct({ items: Schema.Array(Item).check(Schema.isBetweenLength(1, 3)), pause: Between(0, 900) })
const Action = Schema.Struct({ after: Between(0, 700), does: Schema.Literals(["speak", "type", "interrupt"]) })
const Scenario = Schema.Struct({
  replies: Schema.Array(Reply).check(Schema.isBetweenLength(1, 4)),
  actions: Schema.Array(Action).check(Schema.isMaxLength(5)),
  /** When each speaker stops for a while, and for how long. */
  speakers: Schema.Array(Schema.Struct({ at: Between(0, 1000), lasts: Between(0, 300) })).check(Schema.isMaxLength(2)),
  /** What a speaker out of sight reports, if there is one: the truth, more or less than that by so much, or always 0. */
  remote: Schema.NullOr(
    Schema.Array(
      Schema.Struct({ after: Between(10, 400), off: Schema.Literals([0, 0, -1, -150, 200, -100_000]) })
    ).check(Schema.isMaxLength(6))
  ),
  waits: Schema.Boolean, // speech only pauses the agent
  lostAt: Schema.NullOr(Between(0, 3000)),
  /** When history is read. */
  looks: Schema.Array(Between(0, 400)).check(Schema.isMaxLength(4))
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

/** A speaker out of sight: what it plays is known here, and the conversation is told what the scenario says. */
const outOfSight = Effect.fnUntraced(function* (reports: NonNullable<(typeof Scenario.Type)["remote"]>) {
  const speaker = yield* BidiTest.speaker("browser")
  const output: BidiOutput.BidiOutput = {
    ...speaker.output,
    open: Effect.map(speaker.output.open, (sink) => ({ ...sink, playback: "remote" as const }))
  }
  const report = (call: BidiAgent.Call<unknown>) =>
    Effect.forEach(reports, ({ after, off }) =>
      Effect.andThen(
        Effect.sleep(after),
        Effect.suspend(() => {
          const playing = speaker.heard().at(-1)
          if (playing === undefined) return Effect.void
          const played = Duration.millis(Math.max(0, Duration.toMillis(playing.heard) + off))
          return call.send({ _tag: "PlaybackReport", itemId: playing.itemId, played })
        })
      )
    )
  return { ...speaker, output, report }
})

/** What the model has produced of an item, heard or not. */
interface Produced {
  text: string
  millis: number
}

const wordOf = ({ script }: typeof Item.Type, f: number) => `${script}${f}${script === "word" ? " " : ""}`

const play = Effect.fnUntraced(function* (scenario: typeof Scenario.Type) {
  const sent = new Map<string, Produced>()
  let next = 0
  const { agent, model } = yield* agentWith(
    Effect.fnUntraced(function* (line) {
      yield* line.accept
      let acting: Fiber.Fiber<unknown> | undefined
      if (line.generation === 1) {
        acting = yield* Effect.forkChild(
          Effect.forEach(scenario.actions, ({ after, does }) =>
            Effect.andThen(
              line.wait(after),
              does === "speak"
                ? line
                    .emit({ _tag: "SpeechStarted" })
                    .pipe(Effect.andThen(line.wait(200)), Effect.andThen(line.emit({ _tag: "SpeechStopped" })))
                : Effect.void
            )
          )
        )
        if (scenario.lostAt !== null) yield* Effect.forkChild(Effect.andThen(line.wait(scenario.lostAt), line.drop()))
      }
      while (next < scenario.replies.length) {
        const reply = scenario.replies[next]!
        const responseId = `r${next++}`
        yield* line.emit({ _tag: "ResponseStarted", responseId })
        for (const [i, item] of reply.items.entries()) {
          const itemId = `${responseId}/${i}`
          const { frames, pace, shift } = item
          const produced = { text: "", millis: 0 }
          sent.set(itemId, produced)
          let words = 0
          const speak = (until: number) =>
            Effect.suspend(() => {
              let delta = ""
              while (words < Math.min(until, frames.length)) delta += wordOf(item, words++)
              produced.text += delta
              if (delta === "") return Effect.void
              return line.emit({ _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta })
            })
          for (const [f, units] of frames.entries()) {
            yield* line.wait(pace)
            yield* speak(f - shift + 1)
            const audio = new Uint8Array(units * FRAME.length)
            produced.millis += audio.length / 48
            yield* line.emit({ _tag: "AudioDelta", responseId, itemId, audio })
          }
          yield* speak(frames.length)
          const { text } = produced
          yield* line.emit({ _tag: "TranscriptDone", role: "assistant", itemId, responseId, text })
        }
        yield* line.emit({ _tag: "ResponseDone", responseId, stopReason: "complete" })
        yield* line.wait(reply.pause)
      }
      if (acting !== undefined) yield* Fiber.join(acting)
    })
  )
  const near = yield* Effect.forEach(scenario.speakers, ({ at, lasts }) => stuttering(at, lasts))
  const far = scenario.remote === null ? undefined : yield* outOfSight(scenario.remote)
  const speakers = far === undefined ? near : [...near, far]
  const recorder = BidiTest.recorder()
  const call = yield* agent.start({
    outputs: [recorder.output, ...speakers.map(({ output }) => output)],
    ...(scenario.waits ? { interruption: { falseInterruptionTimeout: "300 millis" } } : {})
  })
  yield* Effect.forkChild(
    Effect.forEach(scenario.actions, ({ after, does }) =>
      Effect.sleep(after).pipe(
        Effect.andThen(does === "interrupt" ? call.interrupt() : does === "type" ? call.send("Hm.") : Effect.void)
      )
    )
  )
  if (far !== undefined) yield* Effect.forkChild(far.report(call))

  const heardBy = () => {
    const left = new Map<string, number>() // by item, what left the speaker that was furthest
    for (const speaker of speakers) {
      for (const { heard, itemId } of speaker.heard()) {
        left.set(itemId, Math.max(left.get(itemId) ?? 0, Duration.toMillis(heard)))
      }
    }
    return left
  }
  const honest = far === undefined || scenario.remote!.every(({ off }) => off === 0 || off === -1)
  const looks = Effect.forEach(scenario.looks, (after) =>
    Effect.andThen(
      Effect.sleep(after),
      Effect.map(call.history, (history) => {
        const produced = producedBy(recorder.events())
        const left = heardBy()
        for (const [itemId, { interrupted, text }] of remembered(history)) {
          const { millis, text: said } = produced.get(itemId)!
          if (interrupted) continue // words may have come later than the events about them
          // 7.
          assert.isTrue(said.startsWith(text), "words that nobody said")
          if (speakers.length === 0 || !honest) continue
          const most = heardText(said, { heard: (left.get(itemId) ?? 0) + 2, produced: millis })
          assert.isAtMost(text.length, most.length, "words that nobody has heard yet")
        }
      })
    )
  )
  const looking = yield* Effect.forkChild(looks)
  yield* BidiTest.advance("2 minutes")
  yield* Fiber.join(looking)
  // 8.
  const idle = yield* Effect.forkChild(call.awaitIdle)
  yield* BidiTest.settle
  assert.isDefined(idle.pollUnsafe(), "it never settles")
  const commands = model.commands().filter((command) => command._tag === "Interrupt")
  return {
    commands,
    events: recorder.events(),
    left: heardBy(),
    history: remembered(yield* call.history),
    sent,
    plays: speakers.length > 0,
    honest
  }
}, Effect.scoped)

/** What the events say of every item: its words, and how much sound there was of it. */
const producedBy = (events: ReadonlyArray<BidiEvent.Output>) => {
  const items = new Map<string, Produced>()
  const item = (itemId: string) => {
    const known = items.get(itemId) ?? { text: "", millis: 0 }
    items.set(itemId, known)
    return known
  }
  for (const event of events) {
    if (event._tag === "AudioStream") item(event.itemId).millis += event.audio.length / 48
    if (event._tag === "TranscriptStream" && event.role === "assistant")
      item(event.itemId!).text = event.currentTranscript
  }
  return items
}

interface Remembered {
  readonly text: string
  readonly full: string | undefined
  readonly interrupted: boolean
}

const remembered = ({ content }: Prompt.Prompt): ReadonlyMap<string, Remembered> =>
  new Map(
    content.flatMap((message) => {
      if (message.role !== "assistant") return []
      const { id, full, interrupted } = message.options["effect-bidi"] as Record<string, any>
      const [part] = message.content
      return part?.type === "text" ? [[id, { text: part.text, full, interrupted }] as const] : []
    })
  )

/** Whether the first list is the second, with some of it left out. */
const isWithin = (some: ReadonlyArray<string>, all: ReadonlyArray<string>) => {
  let at = 0
  for (const one of all) if (one === some[at]) at++
  return at === some.length
}

describe("what was heard", () => {
  it.effect.prop(
    "keeps the laws",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const { commands, events, history, honest, left, plays, sent } = yield* play(scenario).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, steps)
        )
        const lost = scenario.lostAt !== null

        const produced = producedBy(events)
        const interrupted = new Set<string>()
        const active = new Set<string>()
        const unfinished = new Set<string>() // those that were cut before all of it was produced
        for (const event of events) {
          if (event._tag === "ResponseStart") active.add(event.responseId)
          if (event._tag === "AudioStream") {
            assert.isFalse(interrupted.has(event.responseId), "audio after the interruption")
          }
          if (event._tag === "Interruption") {
            // 4.
            const cut = commands.find(({ responseId }) => responseId === event.responseId)
            const rest = cut?.items.some((item) => item.heard < item.produced) ?? lost
            assert.isTrue(active.has(event.responseId) || rest, "an interruption of nothing")
            interrupted.add(event.responseId)
            if (active.has(event.responseId)) unfinished.add(event.responseId)
          }
          if (event._tag === "ResponseComplete") {
            active.delete(event.responseId)
            if (event.stopReason === "error") unfinished.add(event.responseId)
          }
        }

        // 5. A connection that is lost takes with it what it was not told yet, and the next one is told in words.
        const told = commands.map(
          ({ items, responseId }) => `${responseId}: ${items.reduce((sum, item) => sum + item.heard, 0)}`
        )
        const announced = events.flatMap((event) =>
          event._tag === "Interruption" ? [`${event.responseId}: ${Duration.toMillis(event.heard)}`] : []
        )
        if (lost) assert.isTrue(isWithin(told, announced))
        else assert.deepStrictEqual(told, announced)

        const cuts = new Map<string, BidiModel.HeardItem>()
        for (const { items } of commands) for (const item of items) cuts.set(item.itemId, item)
        for (const [itemId, { millis }] of produced) {
          if (millis === 0) continue
          const cut = cuts.get(itemId)
          const heard = left.get(itemId) ?? 0
          if (cut === undefined) {
            // 3.
            if (plays && honest && !interrupted.has(itemId.split("/")[0]!)) {
              assert.closeTo(heard, millis, 1, `${itemId} was not heard to its end`)
            }
            continue
          }
          // 1.
          assert.isTrue(Number.isInteger(cut.heard) && cut.heard >= 0 && cut.heard <= cut.produced)
          assert.strictEqual(cut.produced, Math.floor(millis + 1e-6))
          // 2.
          if (plays && honest) assert.closeTo(cut.heard, heard, 2.5)
        }

        // 6.
        for (const [itemId, { millis, text }] of sent) {
          const responseId = itemId.split("/")[0]!
          const entry = history.get(itemId)
          const cut = cuts.get(itemId)
          if (entry !== undefined) {
            assert.isTrue(text.startsWith(entry.text), "words that nobody said")
            assert.isTrue((entry.full ?? entry.text).startsWith(entry.text))
          }
          if (!plays) continue
          if (!interrupted.has(responseId)) {
            if (!unfinished.has(responseId)) assert.strictEqual(entry?.text, text)
          } else if (cut === undefined) {
            if (lost) continue
            assert.isUndefined(entry, "words that were not reached")
            assert.strictEqual(produced.get(itemId)?.millis ?? 0, 0, "the model was not told of all items")
          } else if (!lost) {
            const all = cut.produced + (millis - produced.get(itemId)!.millis) // and what came after the cut
            const heard = heardText(text, { heard: cut.heard, produced: all })
            // words that run ahead of their sound are not thought to be spoken faster than a voice can
            if (all >= minMillis(text) || !unfinished.has(responseId)) assert.strictEqual(entry?.text ?? "", heard)
            else assert.isAtMost(entry?.text.length ?? 0, heard.length)
            if (entry !== undefined && entry.text !== text) assert.strictEqual(entry.full, text)
          }
        }
      }),
    cases(60)
  )
})
