import { type BidiAgent, BidiError, CurrentConversation } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { agentWith, reasonOf } from "./support/agent.ts"

const sayExactly = (text: string) => `Say exactly: "${text}" Say it word for word, and nothing else.`

/** What a model was asked to say that says what it is asked to. */
const exactly = (instructions = "") => /: "(.*)"/.exec(instructions)?.[1] ?? instructions

/** Says what it is told, in two seconds; answers messages. */
const obedient =
  (over: Duration.Input = 0): BidiTest.Script =>
  (line) =>
    Effect.gen(function* () {
      yield* line.accept
      while (true) {
        const command = yield* line.next
        if (command._tag === "UserMessage") yield* line.reply({ text: `re ${command.parts}`, audio: "2 seconds", over })
        if (command._tag === "Respond") {
          yield* line.reply({ text: exactly(command.instructions), audio: "2 seconds", over })
        }
      }
    })

const start = Effect.fnUntraced(function* (
  script: BidiTest.Script,
  options?: Parameters<BidiAgent.Agent["start"]>[0] & { readonly model?: BidiTest.ModelOptions }
) {
  const { agent, model } = yield* agentWith(script, options?.model)
  const recorder = BidiTest.recorder()
  const speaker = yield* BidiTest.speaker()
  const call = yield* agent.start({ ...options, outputs: [recorder.output, speaker.output] })
  const asked = () =>
    model.commands().flatMap((command): ReadonlyArray<unknown> => {
      if (command._tag === "Respond") return [command.instructions]
      return command._tag === "UserMessage" ? command.parts : []
    })
  const interruptions = () => recorder.events().filter((event) => event._tag === "Interruption").length
  const heard = () => speaker.heard().map(({ heard }) => Duration.toMillis(heard))
  return { call, model, recorder, asked, interruptions, heard }
})

/** The bytes of the user's audio that reached the model: whether a frame was silent. */
const frames = (model: BidiTest.TestModel) =>
  model.log().flatMap((entry) => (entry._tag === "Audio" ? [entry.audio.every((byte) => byte === 0) ? "-" : "x"] : []))

const count = (frames: ReadonlyArray<string>) =>
  frames.reduce<Array<[string, number]>>((runs, frame) => {
    const last = runs.at(-1)
    if (last?.[0] === frame) last[1]++
    else runs.push([frame, 1])
    return runs
  }, [])

/** Speaks for so long in frames of 20 ms, sent by hand. */
const speak = (call: BidiAgent.Call<unknown>, duration: Duration.Input) =>
  Stream.runForEach(BidiTest.speech(duration), call.send).pipe(
    Effect.provideService(CurrentConversation.CurrentConversation, call),
    Effect.ignore
  )

describe("what the agent is to say", () => {
  it.effect("is asked for word for word, one after the other, when nobody speaks", () =>
    Effect.gen(function* () {
      const { asked, call, heard, recorder } = yield* start(obedient("1 second"))
      yield* call.send("Hello.")
      yield* Effect.forkChild(call.say("One moment."))
      yield* Effect.forkChild(call.say("Here we go."))
      yield* BidiTest.advance("500 millis")
      assert.deepStrictEqual(asked(), ["Hello."])
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(asked(), ["Hello.", sayExactly("One moment."), sayExactly("Here we go.")])
      assert.deepStrictEqual(heard(), [2000, 2000, 2000])
      const said = recorder
        .events()
        .flatMap((event) => (event._tag === "TranscriptStream" && event.isFinal ? [event.currentTranscript] : []))
      assert.deepStrictEqual(said, ["re Hello.", "One moment.", "Here we go."])
    })
  )

  it.effect("can be the first word", () =>
    Effect.gen(function* () {
      const { asked } = yield* start(obedient(), { greeting: { text: "This call is recorded.", interruptible: false } })
      yield* BidiTest.advance("1 second")
      assert.deepStrictEqual(asked(), [sayExactly("This call is recorded.")])
    })
  )

  it.effect("is asked for again, with its words, when the connection is lost before it was said", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* start(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return yield* obedient()(line)
          yield* line.expect("Respond")
          yield* line.wait("1 second")
          yield* line.drop()
        })
      )
      yield* call.say("Mind the gap.")
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(asked(), [sayExactly("Mind the gap."), sayExactly("Mind the gap.")])
    })
  )

  it.effect("is gone on with when the connection is lost while it is said", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* start(
        Effect.fnUntraced(function* (line) {
          if (line.generation === 3) return yield* obedient()(line)
          yield* line.expect("Respond")
          yield* line.reply({ text: "Mind", audio: "1 second", itemId: `${line.generation}`, unfinished: true })
          yield* line.drop()
        })
      )
      yield* call.say("Mind the gap.")
      yield* BidiTest.advance("10 seconds")
      const [first, second, third] = asked()
      assert.strictEqual(first, sayExactly("Mind the gap."))
      assert.match(`${second}`, /^The connection was renewed while you were speaking.*Say exactly: "Mind the gap\."/)
      assert.strictEqual(third, second) // and not instructions about instructions
    })
  )

  it.effect("is asked for as it was when the connection is lost before its first word", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* start(
        Effect.fnUntraced(function* (line) {
          if (line.generation > 1) return yield* obedient()(line)
          yield* line.expect("Respond")
          yield* line.reply({ text: "Mind the doors." })
          yield* line.expect("Respond")
          yield* line.emit({ _tag: "ResponseStarted", responseId: "speechless" })
          yield* line.drop()
        })
      )
      yield* call.say("Mind the doors.")
      yield* call.say("Mind the gap.")
      yield* BidiTest.advance("10 seconds")
      // what was said before is not gone on with
      assert.strictEqual(asked()[2], sayExactly("Mind the gap."))
    })
  )

  it.effect("fails with the end of the conversation", () =>
    Effect.gen(function* () {
      const { call } = yield* start(obedient("5 seconds"))
      yield* call.send("Hello.")
      const waiting = yield* Effect.forkChild(Effect.exit(call.say("Too late.")))
      yield* BidiTest.advance("1 second")
      yield* call.stop()
      yield* BidiTest.advance("5 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(waiting)), "ConversationEnded")
      assert.strictEqual(reasonOf(yield* Effect.exit(call.say("Later still."))), "ConversationEnded")
    })
  )
})

describe("protected speech", () => {
  const ears: BidiTest.Script = (line) =>
    Effect.gen(function* () {
      yield* line.accept
      let speaking = false
      const hears = Effect.gen(function* () {
        while (true) {
          const loud = (yield* line.nextAudio).some((byte) => byte !== 0)
          if (loud === speaking) continue
          speaking = loud
          yield* line.emit({ _tag: loud ? "SpeechStarted" : "SpeechStopped" })
        }
      })
      yield* Effect.raceFirst(hears, obedient("1 second")(line))
    })

  it.effect("is not cut by the user's voice, which the model does not hear until it was heard", () =>
    Effect.gen(function* () {
      const { call, heard, interruptions, model } = yield* start(ears)
      yield* call.say("This call is recorded.", { interruptible: false })
      yield* Effect.forkChild(speak(call, "5 seconds"))
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(heard(), [2000])
      assert.strictEqual(interruptions(), 0)
      assert.deepStrictEqual(
        count(frames(model)).map(([kind]) => kind),
        ["-", "x"]
      )
      assert.closeTo(count(frames(model))[0]![1] * 20, 2000, 40)
    })
  )

  it.effect("is not cut by speech that began before", () =>
    Effect.gen(function* () {
      const { call, heard, interruptions } = yield* start(
        Effect.fnUntraced(function* (line) {
          yield* line.expect("Respond")
          yield* line.wait("100 millis")
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.reply({ text: "All of it.", audio: "2 seconds", responseId: "r" })
          yield* line.emit({ _tag: "Interrupted", responseId: "r" })
        })
      )
      yield* call.say("All of it.", { interruptible: false })
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(heard(), [2000])
      assert.strictEqual(interruptions(), 0)
    })
  )

  it.effect("makes typed text wait", () =>
    Effect.gen(function* () {
      const { asked, call, heard } = yield* start(obedient())
      yield* call.say("This call is recorded.", { interruptible: false })
      yield* Effect.forkChild(call.send("Whatever."))
      yield* BidiTest.advance("1 second")
      assert.strictEqual(asked().length, 1)
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(asked(), [sayExactly("This call is recorded."), "Whatever."])
      assert.deepStrictEqual(heard(), [2000, 2000])
    })
  )

  it.effect("is cut by force", () =>
    Effect.gen(function* () {
      const { call, heard, interruptions } = yield* start(obedient())
      yield* call.say("This call is recorded.", { interruptible: false })
      yield* BidiTest.advance("1 second")
      yield* call.interrupt()
      assert.strictEqual(interruptions(), 0)
      yield* call.interrupt({ force: true })
      assert.strictEqual(interruptions(), 1)
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(heard(), [1000])
    })
  )

  it.effect("stays protected on the next connection", () =>
    Effect.gen(function* () {
      const { call, interruptions, model } = yield* start(
        Effect.fnUntraced(function* (line) {
          yield* line.expect("Respond")
          if (line.generation > 1) return void (yield* line.reply({ text: " the gap.", audio: "2 seconds" }))
          yield* line.reply({ text: "Mind", audio: "1 second", unfinished: true })
          yield* line.drop()
        })
      )
      yield* call.say("Mind the gap.", { interruptible: false })
      yield* BidiTest.advance("1500 millis")
      yield* Effect.forkChild(speak(call, "1 second"))
      yield* call.interrupt()
      yield* BidiTest.advance("10 seconds")
      assert.strictEqual(interruptions(), 0)
      assert.deepStrictEqual(count(frames(model)), [["-", 50]])
    })
  )

  it.effect("protects nothing when it does not come", () =>
    Effect.gen(function* () {
      const { call, heard, interruptions } = yield* start(
        Effect.fnUntraced(function* (line) {
          yield* line.expect("Respond")
          const error = new BidiError.BidiError({ reason: new BidiError.ServerFault({ message: "no" }) })
          yield* line.emit({ _tag: "NoResponse", error })
          yield* line.expectText("Hello.")
          yield* line.reply({ text: "Hello.", audio: "2 seconds" })
        })
      )
      yield* call.say("Mind the gap.", { interruptible: false })
      yield* call.send("Hello.")
      yield* BidiTest.advance("1 second")
      yield* call.interrupt()
      assert.strictEqual(interruptions(), 1)
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(heard(), [1000])
    })
  )
})

describe("an input that is muted", () => {
  const talking = (words: Duration.Input) => BidiTest.caller(BidiTest.speech(words), BidiTest.pause("1 minute"))

  it.effect("is silence until the turn of the user is over, then nothing", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start({ inputs: [talking("10 seconds")] })
      yield* BidiTest.advance("1 second")
      yield* call.mute("caller")
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(count(frames(model)), [
        ["x", 50],
        ["-", 99]
      ])
      yield* call.unmute("caller")
      yield* BidiTest.advance("10 seconds")
      assert.deepStrictEqual(count(frames(model)), [
        ["x", 50],
        ["-", 99],
        ["x", 200]
      ])
    })
  )

  it.effect("is silence for longer while the model still thinks that the user speaks", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.emit({ _tag: "SpeechStarted" })
          yield* line.wait("6 seconds")
          yield* line.emit({ _tag: "SpeechStopped" })
        })
      )
      const call = yield* agent.start({ inputs: [talking("30 seconds")] })
      yield* BidiTest.advance("1 second")
      yield* call.mute()
      yield* BidiTest.advance("20 seconds")
      const [, silent] = count(frames(model))
      assert.closeTo(silent![1] * 20, 6000, 20) // a second of it to be sure
    })
  )

  it.effect("is one of several", () =>
    Effect.gen(function* () {
      const { agent, model } = yield* agentWith((line) => line.accept)
      const call = yield* agent.start({ inputs: [talking("1 second")] })
      yield* call.mute("another")
      yield* BidiTest.advance("2 seconds")
      assert.deepStrictEqual(count(frames(model)), [["x", 50]])
    })
  )
})
