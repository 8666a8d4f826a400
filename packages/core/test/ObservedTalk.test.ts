import { Audio, BidiAgent, type BidiEvent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"

const seen = (recorder: BidiTest.Recorder) =>
  recorder
    .events()
    .flatMap((event) =>
      event._tag === "Playback" ? [[event.at, event.phase, event.itemId, Duration.toMillis(event.played)] as const] : []
    )

const talk = Effect.fnUntraced(function* (script: BidiTest.Script, interruption: BidiAgent.InterruptionOptions = {}) {
  const model = yield* BidiTest.model(script)
  const speaker = yield* BidiTest.speaker()
  const recorder = BidiTest.recorder()
  const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
  const call = yield* agent.start({ outputs: [speaker.output, recorder.output], interruption })
  return { call, recorder, speaker }
})

describe("what the person hears", () => {
  it.effect("begins and ends with the device, item by item", () =>
    Effect.gen(function* () {
      const { recorder } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.accept
          yield* line.wait("1 second")
          yield* line.reply({ text: "One.", audio: "2 seconds", itemId: "one" })
          yield* line.reply({ text: "Two.", audio: "1 second", itemId: "two" })
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(seen(recorder), [
        [1020, "started", "one", 20],
        [3000, "ended", "one", 2000],
        [3020, "started", "two", 20],
        [4000, "ended", "two", 1000]
      ])
    })
  )

  it.effect("ends where it was cut", () =>
    Effect.gen(function* () {
      const { recorder, speaker } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: "A long story.", audio: "10 seconds", itemId: "story" })
          yield* line.wait("1234 millis")
          yield* line.hear("Stop!")
        })
      )
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(seen(recorder), [
        [20, "started", "story", 20],
        [1234, "ended", "story", 1234]
      ])
      assert.deepStrictEqual(speaker.played(), Duration.millis(1234))
    })
  )

  it.effect("is paused and resumed by speech that turns out to be none", () =>
    Effect.gen(function* () {
      const { recorder } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.reply({ text: "A long story.", audio: "5 seconds", itemId: "story" })
          yield* line.wait("1 second")
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.wait("500 millis")
          yield* line.emit({ _tag: "SpeechStopped" })
        }),
        { falseInterruptionTimeout: "1 second" }
      )
      yield* BidiTest.advance("20 seconds")
      assert.deepStrictEqual(seen(recorder), [
        [20, "started", "story", 20],
        [1000, "paused", "story", 1000],
        [2500, "resumed", "story", 1000],
        [6500, "ended", "story", 5000]
      ])
    })
  )

  it.effect("ends and starts where the device runs dry", () =>
    Effect.gen(function* () {
      const sound = (millis: number) => ({
        _tag: "AudioDelta" as const,
        responseId: "r",
        itemId: "i",
        audio: Audio.silence(Audio.pcm(24_000), millis)
      })
      const { recorder } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.emit({ _tag: "ResponseStarted", responseId: "r" }, sound(300))
          yield* line.wait("1 second")
          yield* line.emit(sound(200), { _tag: "ResponseDone", responseId: "r", stopReason: "complete" })
        })
      )
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(seen(recorder), [
        [20, "started", "i", 20],
        [300, "ended", "i", 300],
        [1020, "started", "i", 320],
        [1200, "ended", "i", 500]
      ])
    })
  )

  const Between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const Steps = Schema.Array(Schema.Struct({ audio: Between(1, 3000), pause: Between(0, 2500) })).check(
    Schema.isMaxLength(5)
  )

  it.effect.prop(
    "law: what the events say was heard is what the speaker played, whenever the user cuts in",
    { steps: Steps, stop: Between(1, 6000) },
    ({ steps, stop }) =>
      Effect.gen(function* () {
        const { call, recorder, speaker } = yield* talk(
          Effect.fnUntraced(function* (line) {
            yield* line.accept
            for (const { audio, pause } of steps) {
              yield* line.reply({ audio })
              yield* line.wait(pause)
            }
          })
        )
        yield* BidiTest.advance(stop)
        yield* call.interrupt()
        yield* BidiTest.advance("20 seconds")
        const heard = new Map<string, number>()
        let open: string | undefined
        for (const [, phase, itemId, played] of seen(recorder)) {
          assert.strictEqual(open, phase === "started" ? undefined : itemId)
          open = phase === "started" ? itemId : undefined
          heard.set(itemId, played)
        }
        assert.isUndefined(open)
        const played = speaker.heard().filter(({ heard }) => Duration.toMillis(heard) >= 1)
        for (const { itemId, heard: millis } of played) {
          assert.approximately(heard.get(itemId) ?? 0, Duration.toMillis(millis), 1)
        }
        assert.strictEqual(heard.size, played.length)
      }).pipe(Effect.scoped),
    cases(20)
  )
})

describe("what the model hears", () => {
  it.effect("is told to those who ask, muted as it was", () =>
    Effect.gen(function* () {
      const { call, recorder } = yield* talk((line) => line.accept)
      const frame = { _tag: "AudioInput", audio: new Uint8Array([1, 2, 3, 4]), ...Audio.pcm(24_000) } as const
      yield* call.send(frame)
      yield* BidiTest.advance("1 second")
      yield* call.mute()
      yield* call.send(frame)
      assert.deepStrictEqual(
        recorder.events().flatMap((event) => (event._tag === "UserAudio" ? [[event.at, [...event.audio]]] : [])),
        [
          [0, [1, 2, 3, 4]],
          [1000, [0, 0, 0, 0]]
        ]
      )
    })
  )
})

describe("what enters the history", () => {
  it.effect("is told: what was typed, a reply, what was cut, and a note", () =>
    Effect.gen(function* () {
      const { call, recorder } = yield* talk(
        Effect.fnUntraced(function* (line) {
          yield* line.expectText("Tell me a story.")
          yield* line.reply({ text: "one two three four", audio: "4 seconds", itemId: "story" })
        })
      )
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("2 seconds")
      yield* call.interrupt()
      yield* call.note("It rains.")
      yield* BidiTest.settle
      const messages = recorder
        .events()
        .filter((event): event is BidiEvent.MessageAdded => event._tag === "MessageAdded")
      assert.deepStrictEqual(
        messages.map(({ entry, isUpdate }) => [
          isUpdate,
          entry._tag,
          entry._tag === "User" ? entry.parts : entry._tag === "ToolCall" ? entry.name : entry.text
        ]),
        [
          [false, "User", ["Tell me a story."]],
          [false, "Assistant", ""],
          [true, "Assistant", "one two three four"],
          [true, "Assistant", "one two"],
          [false, "Note", "It rains."]
        ]
      )
    })
  )
})
