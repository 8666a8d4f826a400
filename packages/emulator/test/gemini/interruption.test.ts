import { assert, describe, it } from "@effect/vitest"
import { story } from "../../src/internal/assistant/story.ts"
import {
  Gemini,
  at,
  audio,
  blockingClock,
  callsIn,
  contents,
  functions,
  msIn,
  outline,
  saidIn,
  text
} from "../support/gemini.ts"
import type { Begin } from "../support/gemini.ts"
import { tone } from "../support/sound.ts"

const noise = audio(tone(200, 8000, 16_000))

/** A story that has been told for a while. */
const format = (ms: number, begin: Begin = {}) => {
  const session = new Gemini({ speed: 8, begin })
  session.send(text("tell me a long story"))
  session.pass(ms)
  return session
}

describe("an interruption", () => {
  it("stops the turn: interrupted, then complete, and nothing generated", () => {
    const session = format(1000)
    const messages = session.send(...noise)
    assert.deepStrictEqual(outline(messages), [
      "serverContent.interrupted",
      "serverContent.turnComplete + usageMetadata"
    ])
    assert.deepStrictEqual(at(session.events, "serverContent", "generationComplete"), [])
    assert.deepStrictEqual(session.pass(60_000), [])
  })

  it("leaves what was heard until then, not what was sent", () => {
    const session = format(4000)
    assert.isAbove(msIn(session.events), 30_000)
    session.send(text("what did you just say"))
    session.settle()
    const told = saidIn(session.events).split("I said: ")[1]!
    assert.isTrue(story.startsWith(told))
    // four seconds of it
    assert.closeTo(told.split(" ").length, 12, 4)
    const before = session.events.length
    session.send(text("continue"))
    session.settle()
    assert.strictEqual(`${told} ${saidIn(session.events.slice(before))}`, story)
  })

  it("comes after all was generated as well, as long as it is being heard", () => {
    const session = new Gemini({ speed: 8 })
    session.send(text("my name is Ada"))
    session.passWhile(() => session.state.turn!.stage === "sending")
    assert.strictEqual(at(session.events, "serverContent", "generationComplete").length, 1)
    assert.deepStrictEqual(outline(session.send(...noise)), [
      "serverContent.interrupted",
      "serverContent.turnComplete + usageMetadata"
    ])
  })

  it("of a thought that nobody has heard of is no interruption", () => {
    const session = new Gemini({ latencyMs: 500 })
    session.send(text("my name is Ada"))
    assert.deepStrictEqual(session.send(text("what is my name")), [])
    session.pass(500)
    session.settle()
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada. Your name is Ada.")
    assert.strictEqual(at(session.events, "serverContent", "turnComplete").length, 1)
  })

  it("is not for who asked for none", () => {
    const session = format(500, { realtimeInputConfig: { activityHandling: "NO_INTERRUPTION" } })
    assert.deepStrictEqual(session.send(...noise, text("stop")), [])
    // written content interrupts in any case
    assert.deepStrictEqual(outline(session.send(contents(true, ["user", "stop"])))[0], "serverContent.interrupted")
  })

  it("calls off the functions that the model waits for", () => {
    const session = new Gemini({ begin: functions(blockingClock) })
    const [call] = callsIn(session.ask("what time is it"))
    assert.deepStrictEqual(outline(session.send(...noise)), [
      "toolCallCancellation",
      "serverContent.interrupted",
      "serverContent.turnComplete"
    ])
    assert.deepStrictEqual(at(session.events, "toolCallCancellation", "ids"), [[call!.id]])
  })
})

describe("on demand", () => {
  const withFault = (fault: Parameters<Gemini["input"]>[0] & { readonly _tag: "Arm" }) => {
    const session = new Gemini({ speed: 8 })
    session.input(fault)
    session.send(text("tell me a story"))
    session.pass(500)
    return session.send(...noise)
  }

  it("an interruption has sound in its message", () => {
    const [first, ...others] = withFault({ _tag: "Arm", fault: { _tag: "AudioWithInterruption" } })
    assert.isTrue(first!.serverContent.interrupted)
    assert.strictEqual(msIn([first!]), 100)
    assert.strictEqual(msIn(others), 0)
  })

  it("sound arrives after the turn is over", () => {
    const messages = withFault({ _tag: "Arm", fault: { _tag: "LateAudio", chunks: 3 } })
    assert.deepStrictEqual(outline(messages), [
      "serverContent.interrupted",
      "serverContent.turnComplete + usageMetadata",
      "serverContent.modelTurn"
    ])
    assert.strictEqual(msIn(messages), 300)
  })

  it("a response fails, is cut, or storms with calls", () => {
    const bent = (fault: Parameters<Gemini["input"]>[0] & { readonly _tag: "Arm" }) => {
      const session = new Gemini({ begin: functions(blockingClock) })
      session.input(fault)
      return session.ask("tell me a story")
    }
    const failed = bent({ _tag: "Arm", fault: { _tag: "FailResponse", afterChunks: 2 } })
    assert.strictEqual(msIn(failed), 200)
    assert.strictEqual(failed.at(-1)!.serverContent.turnCompleteReason, "RESPONSE_REJECTED")
    assert.deepStrictEqual(at(failed, "serverContent", "generationComplete"), [])
    const named = bent({ _tag: "Arm", fault: { _tag: "FailResponse", code: "MALFORMED_FUNCTION_CALL" } })
    assert.deepStrictEqual(outline(named), ["serverContent.turnComplete + usageMetadata"])
    assert.strictEqual(named.at(-1)!.serverContent.turnCompleteReason, "MALFORMED_FUNCTION_CALL")
    const cut = bent({ _tag: "Arm", fault: { _tag: "CutResponse", reason: "max_output_tokens", afterChunks: 2 } })
    assert.strictEqual(msIn(cut), 200)
    assert.strictEqual(at(cut, "serverContent", "generationComplete").length, 1)
    const filtered = bent({ _tag: "Arm", fault: { _tag: "CutResponse", reason: "content_filter" } })
    assert.strictEqual(filtered.at(-1)!.serverContent.turnCompleteReason, "GENERATED_AUDIO_SAFETY")
    assert.strictEqual(callsIn(bent({ _tag: "Arm", fault: { _tag: "ToolStorm", calls: 7 } })).length, 7)
    const cancelled = bent({ _tag: "Arm", fault: { _tag: "CancelCalls", reason: "turn_detected" } })
    assert.deepStrictEqual(outline(cancelled), [
      "toolCall + usageMetadata",
      "toolCallCancellation",
      "serverContent.interrupted",
      "serverContent.turnComplete"
    ])
  })
})
