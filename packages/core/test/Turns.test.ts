/** Whose turn it is, where the application says so; and the order of what both sides said. */
import { type BidiAgent, CurrentConversation, Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { agentWith } from "./support/agent.ts"

/** Speaks for so many frames of 20 ms. */
const speak = (call: BidiAgent.Call<unknown>, frames: number) =>
  Stream.runForEach(BidiTest.speech(frames * 20), call.send).pipe(
    Effect.provideService(CurrentConversation.CurrentConversation, call)
  )

/** What reached a connection, frames counted. */
const reached = (model: BidiTest.TestModel, generation: number) =>
  model.log().reduce<Array<string>>((all, entry) => {
    if (entry.generation !== generation) return all
    if (entry._tag === "Command") all.push(entry.command._tag)
    if (entry._tag === "Audio") {
      const frames = /^audio (\d+)$/.exec(all.at(-1) ?? "")?.[1]
      if (frames === undefined) all.push("audio 1")
      else all[all.length - 1] = `audio ${Number(frames) + 1}`
    }
    return all
  }, [])

const start = Effect.fnUntraced(function* (script: BidiTest.Script) {
  const { agent, model } = yield* agentWith(script, { capabilities: { manualTurns: true } })
  const recorder = BidiTest.recorder()
  const speaker = yield* BidiTest.speaker()
  const call = yield* agent.start({ outputs: [recorder.output, speaker.output] })
  return { call, model, recorder, speaker }
})

describe("a turn of the application", () => {
  it.effect("silences the agent when it begins, and is answered when it is committed", () =>
    Effect.gen(function* () {
      const { call, model, recorder, speaker } = yield* start((line) =>
        Effect.gen(function* () {
          yield* line.expectText("Tell me a story.")
          yield* line.reply({ text: "Once there was a fox.", audio: "10 seconds" })
          yield* line.expect("Interrupt")
          yield* line.expect("TurnStart")
          yield* line.expect("TurnCommit")
          yield* line.reply({ text: "Yes?", audio: "1 second" })
        })
      )
      yield* call.send("Tell me a story.")
      yield* BidiTest.advance("2 seconds")
      yield* call.send({ _tag: "TurnStart" })
      yield* BidiTest.advance("100 millis")
      yield* Effect.forkChild(speak(call, 50))
      yield* BidiTest.advance("1 second")
      yield* call.send({ _tag: "TurnCommit" })
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(reached(model, 1), ["UserMessage", "Interrupt", "TurnStart", "audio 50", "TurnCommit"])
      const interruptions = recorder.events().filter((event) => event._tag === "Interruption")
      assert.deepStrictEqual(
        interruptions.map(({ heard, reason }) => [Duration.toMillis(heard), reason]),
        [[2000, "user_speech"]]
      )
      assert.deepStrictEqual(
        speaker.heard().map(({ heard }) => Duration.toMillis(heard)),
        [2000, 1000]
      )
    })
  )

  it.effect("that is taken back is not answered, and not told to the next connection", () =>
    Effect.gen(function* () {
      const { call, model } = yield* start((line) =>
        line.generation === 1
          ? Effect.gen(function* () {
              yield* line.expect("TurnStart")
              yield* line.expect("TurnClear")
              yield* line.wait("1 second")
              yield* line.drop()
            })
          : line.accept
      )
      yield* call.send({ _tag: "TurnStart" })
      yield* Effect.forkChild(speak(call, 50))
      yield* BidiTest.advance("2 seconds")
      yield* call.send({ _tag: "TurnClear" })
      yield* call.awaitIdle // nothing is owed
      yield* BidiTest.advance("5 seconds")
      assert.deepStrictEqual(reached(model, 1), ["TurnStart", "audio 50", "TurnClear"])
      assert.deepStrictEqual(reached(model, 2), [])
    })
  )

  it.effect("that is open when its connection is lost is begun again, with the last 2.5 seconds of it", () =>
    Effect.gen(function* () {
      const { call, model } = yield* start((line) =>
        line.generation === 1
          ? Effect.gen(function* () {
              yield* line.expect("TurnStart")
              yield* line.wait("3 seconds")
              yield* line.drop()
            })
          : Effect.gen(function* () {
              yield* line.expect("TurnStart")
              yield* line.expect("TurnCommit")
              yield* line.reply({ text: "I see." })
            })
      )
      yield* call.send({ _tag: "TurnStart" })
      yield* Effect.forkChild(speak(call, 200))
      yield* BidiTest.advance("5 seconds")
      yield* call.send({ _tag: "TurnCommit" })
      yield* BidiTest.advance("1 second")
      const again = reached(model, 2)
      // 125 frames are 2.5 seconds, and 51 were spoken since the loss
      assert.deepStrictEqual(again, ["TurnStart", "audio 176", "TurnCommit"])
    })
  )
})

describe("the history", () => {
  it.effect("has the words of the user before the reply to them, however late they are known", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        Effect.gen(function* () {
          yield* line.emit({ _tag: "SpeechStarted" }, { _tag: "SpeechStopped" })
          yield* line.emit({ _tag: "UserTurn", itemId: "u1", respond: true })
          yield* line.reply({ text: "At noon." })
          yield* line.emit({ _tag: "UserTurn", itemId: "u2", respond: true })
          yield* line.reply({ text: "You are welcome." })
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: "u2", text: "Thank you." })
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: "u1", text: "When does it leave?" })
        })
      )
      const call = yield* agent.start()
      yield* BidiTest.advance("2 seconds")
      const history = yield* Transcript.fromPrompt(yield* call.history)
      assert.deepStrictEqual(
        history.map((entry) => (entry._tag === "User" ? entry.parts[0] : entry._tag === "Assistant" && entry.text)),
        ["When does it leave?", "At noon.", "Thank you.", "You are welcome."]
      )
    })
  )
})
