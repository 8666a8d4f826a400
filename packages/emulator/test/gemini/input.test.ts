import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { Gemini, at, audio, frame, heardIn, msIn, outline, saidIn, text } from "../support/gemini.ts"
import type { Begin } from "../support/gemini.ts"
import { quiet, tone } from "../support/sound.ts"

const spoken = (ms: number, rate = 16_000, after = 600) => audio(Pcm.concat([tone(ms, 8000, rate), quiet(after, rate)]))
const detection = (automaticActivityDetection: object, more: object = {}) => ({
  realtimeInputConfig: { automaticActivityDetection, ...more }
})
const ada = () => "my name is Ada"

describe("speech", () => {
  it.each([8000, 11_025, 16_000, 24_000, 44_100, 48_000])("at %d a second is understood and answered", (rate) => {
    let heardMs = 0
    const session = new Gemini({
      hear: (pcm) => {
        heardMs = Pcm.durationMs(pcm)
        return "my name is Ada"
      }
    })
    session.send(...audio(quiet(500, rate)), ...spoken(800, rate))
    session.settle()
    assert.strictEqual(heardIn(session.events), "my name is Ada")
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.")
    // what belongs to it: 300 ms before, and the pause that ended it
    assert.closeTo(heardMs, 300 + 800 + 500, 40)
  })

  it("is told word by word, or in one piece by an older model, or not at all", () => {
    const piecesOf = (begin: Begin) => {
      const session = new Gemini({ hear: ada, begin })
      session.send(...spoken(800))
      return at(session.events, "serverContent", "inputTranscription", "text")
    }
    assert.deepStrictEqual(piecesOf({}), ["my", " name", " is", " Ada"])
    assert.deepStrictEqual(piecesOf({ model: "gemini-3.1-flash-live-preview" }), ["my name is Ada"])
    assert.deepStrictEqual(piecesOf({ inputAudioTranscription: null }), [])
  })

  it("that cannot be made out is answered all the same", () => {
    const unclear = new Gemini({ hear: () => "" })
    unclear.send(...spoken(800))
    unclear.settle()
    assert.match(heardIn(unclear.events), /^\(speech, 1\.\d s\)$/)
    assert.include(saidIn(unclear.events), "could not make out")
    const deaf = new Gemini({ hear: () => new Error("no ears") })
    deaf.send(...spoken(800))
    deaf.settle()
    assert.strictEqual(heardIn(deaf.events), "")
    assert.include(saidIn(deaf.events), "could not make out")
  })

  it("ends after the pause that was asked for", () => {
    const isAnswered = (after: number, wanted: object) => {
      const session = new Gemini({ hear: ada, begin: detection(wanted) })
      session.send(...spoken(800, 16_000, after))
      return session.state.conversation.entries.length > 0
    }
    assert.isFalse(isAnswered(400, {}))
    assert.isTrue(isAnswered(520, {}))
    assert.isTrue(isAnswered(220, { silenceDurationMs: 200 }))
    assert.isFalse(isAnswered(900, { endOfSpeechSensitivity: "END_SENSITIVITY_LOW" }))
    assert.isTrue(isAnswered(1020, { endOfSpeechSensitivity: "END_SENSITIVITY_LOW" }))
  })

  it("that is too soft for the sensitivity is none", () => {
    const isHeard = (level: number, startOfSpeechSensitivity: string) => {
      const session = new Gemini({ hear: ada, begin: detection({ startOfSpeechSensitivity }) })
      session.send(...audio(Pcm.concat([tone(800, level, 16_000), quiet(600, 16_000)])))
      return session.state.conversation.entries.length > 0
    }
    assert.isTrue(isHeard(700, "START_SENSITIVITY_HIGH"))
    assert.isFalse(isHeard(700, "START_SENSITIVITY_LOW"))
    assert.isTrue(isHeard(3000, "START_SENSITIVITY_LOW"))
  })

  it("is over when the stream is", () => {
    const session = new Gemini({ hear: ada })
    session.send(...audio(tone(800, 8000, 16_000)))
    assert.deepStrictEqual(session.settle(), [])
    session.send({ realtimeInput: { audioStreamEnd: true } })
    session.settle()
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.")
    // the microphone may come back
    session.send(...spoken(800))
    session.settle()
    assert.strictEqual(at(session.events, "serverContent", "turnComplete").length, 2)
  })

  it("may come as chunks of media, as older clients send it", () => {
    const session = new Gemini({ hear: ada })
    for (const { realtimeInput } of spoken(800)) session.send({ realtimeInput: { mediaChunks: [realtimeInput.audio] } })
    session.settle()
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.")
  })

  it("is told of as the model does it, unasked", () => {
    const signals = (model: string, reportsActivity?: boolean) => {
      const session = new Gemini({ hear: ada, begin: { model }, reportsActivity })
      session.send(...audio(quiet(1000, 16_000)), ...spoken(800))
      return at(session.events, "voiceActivity")
    }
    const both = [
      { type: "ACTIVITY_START", audioOffset: "0.7s" },
      { type: "ACTIVITY_END", audioOffset: "2.3s" }
    ]
    assert.deepStrictEqual(signals("gemini-3.1-flash-live-preview"), both)
    // a model whose ear is deaf
    assert.deepStrictEqual(signals("gemini-3.8-live"), [])
    assert.deepStrictEqual(signals("gemini-3.8-live", true), both)
    // asking for it is for another service
    const asked = new Gemini({ begin: { explicitVadSignal: true } })
    assert.match(asked.closes[0]!.reason, /Unknown name "explicitVadSignal"/)
  })

  it("of hours of quiet nothing is kept", () => {
    const session = new Gemini()
    for (let i = 0; i < 200; i++) session.send(...audio(quiet(1000, 16_000), 1000))
    assert.isBelow(session.state.hearing.ms, 3000)
    assert.strictEqual(session.state.hearing.startMs + session.state.hearing.ms, 200_000)
  })
})

describe("activity that the client tells of", () => {
  const manual = detection({ disabled: true })
  const start = { realtimeInput: { activityStart: {} } }
  const end = { realtimeInput: { activityEnd: {} } }

  it("is a turn, pauses and all; sound outside of it is none", () => {
    let heardMs = 0
    const session = new Gemini({
      begin: manual,
      hear: (pcm) => {
        heardMs = Pcm.durationMs(pcm)
        return "my name is Ada"
      }
    })
    session.send(...spoken(800))
    session.send(start, ...spoken(500, 16_000, 1000), ...spoken(500, 16_000, 0), end)
    session.settle()
    assert.strictEqual(heardMs, 2000)
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.")
    assert.strictEqual(at(session.events, "serverContent", "turnComplete").length, 1)
  })

  it("interrupts, unless nothing may", () => {
    for (const isAllowed of [true, false]) {
      const handling = isAllowed ? "START_OF_ACTIVITY_INTERRUPTS" : "NO_INTERRUPTION"
      const session = new Gemini({ speed: 8, begin: detection({ disabled: true }, { activityHandling: handling }) })
      session.send(text("tell me a story"))
      session.pass(500)
      session.send(start)
      assert.strictEqual(at(session.events, "serverContent", "interrupted").length, isAllowed ? 1 : 0)
    }
  })

  it.each([
    ["started twice", [start, start]],
    ["ended before it started", [end]],
    ["ended twice", [start, end, end]],
    ["mixed with the end of a stream", [{ realtimeInput: { audioStreamEnd: true } }]]
  ] as const)("cannot be %s", (_, messages) => {
    const session = new Gemini({ begin: manual })
    session.send(...messages)
    assert.strictEqual(session.closes[0]?.code, 1007)
  })

  it("leaves typed words alone: they interrupt nothing", () => {
    const session = new Gemini({ speed: 8, begin: manual })
    session.send(text("my name is Ada"))
    session.pass(500)
    session.send(text("what is my name"))
    session.settle()
    assert.strictEqual(saidIn(session.events), "Nice to meet you, Ada.Your name is Ada.")
  })
})

describe("pictures", () => {
  const seen = (session: Gemini) => saidIn(session.ask("what do you see")).match(/\d+ bytes/g) ?? []
  const coverage = (turnCoverage: string) => ({ realtimeInputConfig: { turnCoverage } })

  it("are seen with the next words, once", () => {
    const session = new Gemini()
    session.send(frame(100), frame(200))
    assert.deepStrictEqual(seen(session), ["100 bytes", "200 bytes"])
    assert.deepStrictEqual(seen(session), [])
    assert.strictEqual(session.events.at(-1)!.usageMetadata.promptTokensDetails[2].tokenCount, 516)
  })

  it("that came while nothing happened are only seen where all of them count", () => {
    const only = new Gemini({ begin: coverage("TURN_INCLUDES_ONLY_ACTIVITY") })
    only.send(frame(100), frame(200))
    assert.deepStrictEqual(seen(only), ["200 bytes"])
    const all = new Gemini({ begin: coverage("TURN_INCLUDES_ALL_INPUT") })
    all.send(frame(100), frame(200))
    assert.deepStrictEqual(seen(all), ["100 bytes", "200 bytes"])
  })

  it("go with what is said, too", () => {
    const session = new Gemini({ hear: () => "what do you see", begin: coverage("TURN_INCLUDES_ONLY_ACTIVITY") })
    session.send(frame(50), ...audio(tone(300, 8000, 16_000)), frame(100), frame(200), ...spoken(300))
    session.settle()
    assert.deepStrictEqual(saidIn(session.events).match(/\d+ bytes/g), ["50 bytes", "100 bytes", "200 bytes"])
  })
})

it("sound counts as it is covered: what was said, or all there was", () => {
  const tokens = (turnCoverage: string) => {
    const session = new Gemini({ hear: ada, begin: { realtimeInputConfig: { turnCoverage } } })
    session.send(...audio(quiet(10_000, 16_000)), ...spoken(800))
    session.settle()
    return session.events.at(-1)!.usageMetadata.promptTokensDetails[0].tokenCount as number
  }
  assert.closeTo(tokens("TURN_INCLUDES_ONLY_ACTIVITY"), 40, 2)
  assert.closeTo(tokens("TURN_INCLUDES_ALL_INPUT"), (10_000 + 1300) / 40, 3)
})

it("a question while the user speaks is answered with what was said", () => {
  const session = new Gemini({ hear: () => "what is my name" })
  session.send(...audio(tone(800, 8000, 16_000)), text("my name is Ada"))
  assert.strictEqual(msIn(session.settle()), 0)
  session.send(...audio(quiet(600, 16_000)))
  session.settle()
  assert.deepStrictEqual(outline(session.events).filter((type) => type.includes("turnComplete")).length, 1)
  assert.include(saidIn(session.events), "Ada.")
})
