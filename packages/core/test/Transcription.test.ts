/** Words of the user that come late, or never. */
import { BidiError, Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { agentWith } from "./support/agent.ts"

const error = new BidiError.BidiError({ reason: new BidiError.Unanswered({ message: "the transcription failed" }) })

/** A turn of the user, and the reply to it. */
const turn = (line: BidiTest.Line, itemId: string) =>
  Effect.gen(function* () {
    yield* line.emit({ _tag: "SpeechStarted" }, { _tag: "SpeechStopped" })
    yield* line.emit({ _tag: "UserTurn", itemId, respond: true })
    yield* line.reply({ text: `re ${itemId}` })
  })

/** When connections were opened, in seconds, if each is renewed after a minute. */
const renewals = (script: (line: BidiTest.Line) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const { agent, model } = yield* agentWith(
      Effect.fnUntraced(function* (line) {
        yield* line.accept
        yield* script(line)
      }),
      { lifetime: "10 minutes" }
    )
    const recorder = BidiTest.recorder()
    const call = yield* agent.start({ outputs: [recorder.output], connection: { renew: { after: "1 minute" } } })
    yield* BidiTest.advance("190 seconds")
    const opened = recorder.events().flatMap((event) => (event._tag === "ConnectionStart" ? [event.generation] : []))
    const restarts = model.log().flatMap((entry) => (entry._tag === "Seeded" ? [Math.round(entry.at / 1000)] : []))
    return { call, events: recorder.events(), opened, restarts }
  })

describe("words of the user that never come", () => {
  it.effect("because their transcription failed hold up no renewal, and are told as an error", () =>
    Effect.gen(function* () {
      const { call, events, restarts } = yield* renewals((line) =>
        Effect.gen(function* () {
          yield* turn(line, `${line.generation}/a`)
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: `${line.generation}/a`, text: "Yes?" })
          yield* line.wait("59 seconds")
          yield* turn(line, `${line.generation}/b`)
          yield* line.emit({ _tag: "TranscriptFailed", itemId: `${line.generation}/b`, error })
        })
      )
      // at once when the failure is known, not after ten seconds
      assert.deepStrictEqual(restarts, [0, 60, 120, 180])
      const errors = events.flatMap((event) => (event._tag === "Error" ? [event.code] : []))
      assert.deepStrictEqual(errors, ["Unanswered", "Unanswered", "Unanswered"])
      const words = (yield* Transcript.fromPrompt(yield* call.history)).flatMap((entry) =>
        entry._tag === "User" ? entry.parts : []
      )
      assert.deepStrictEqual(words, ["Yes?", "Yes?", "Yes?", "Yes?"])
    })
  )

  it.effect("are given up, and hold up no later renewal", () =>
    Effect.gen(function* () {
      const { restarts } = yield* renewals((line) =>
        Effect.gen(function* () {
          yield* turn(line, `${line.generation}/a`)
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: `${line.generation}/a`, text: "Yes?" })
          yield* turn(line, `${line.generation}/b`) // half a minute and more before
        })
      )
      assert.deepStrictEqual(restarts, [0, 60, 120, 180])
    })
  )

  it.effect("are waited for a moment, when a renewal is due", () =>
    Effect.gen(function* () {
      const { restarts } = yield* renewals((line) =>
        Effect.gen(function* () {
          yield* turn(line, `${line.generation}/a`)
          yield* line.emit({ _tag: "TranscriptDone", role: "user", itemId: `${line.generation}/a`, text: "Yes?" })
          yield* line.wait("58 seconds")
          yield* turn(line, `${line.generation}/b`)
        })
      )
      assert.deepStrictEqual(restarts, [0, 63, 123, 183])
    })
  )
})

describe("a transcription that failed halfway", () => {
  it.effect("leaves the words there were, as final", () =>
    Effect.gen(function* () {
      const { agent } = yield* agentWith((line) =>
        line.emit(
          { _tag: "UserTurn", itemId: "u", respond: false },
          { _tag: "TranscriptDelta", role: "user", itemId: "u", delta: "When does" },
          { _tag: "TranscriptFailed", itemId: "u", error }
        )
      )
      const recorder = BidiTest.recorder()
      const call = yield* agent.start({ outputs: [recorder.output] })
      yield* BidiTest.settle
      assert.deepStrictEqual(
        recorder
          .events()
          .filter(({ _tag }) => _tag !== "MessageAdded")
          .map((event) => (event._tag === "TranscriptStream" ? [event.delta, event.isFinal] : event._tag)),
        ["ConnectionStart", ["When does", false], ["", true], "Error"]
      )
      assert.lengthOf((yield* call.history).content, 1)
    })
  )
})
