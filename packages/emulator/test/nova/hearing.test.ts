import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { story } from "../../src/internal/assistant/story.ts"
import { interruption } from "../../src/internal/nova/turn.ts"
import {
  Nova,
  audio,
  audioStart,
  blocksIn,
  contentEnd,
  msIn,
  of,
  outline,
  promptStart,
  saidIn,
  sessionStart,
  words
} from "../support/nova.ts"
import { quiet, tone } from "../support/sound.ts"

const spoken = (ms: number, after = 1800, rate = 16_000) =>
  audio(Pcm.concat([tone(ms, 8000, rate), quiet(after, rate)]))
const noise = audio(tone(200, 8000, 16_000))
const ada = () => "my name is Ada"

describe("speech", () => {
  it.each([8000, 16_000, 24_000])("at %d a second is understood, told and answered", (rate) => {
    let heardMs = 0
    const stream = new Nova({
      begin: null,
      hear: (pcm) => {
        heardMs = Pcm.durationMs(pcm)
        return "my name is Ada"
      }
    })
    stream.send(
      sessionStart(),
      promptStart(),
      audioStart(rate),
      ...audio(quiet(1000, rate)),
      ...spoken(800, 1800, rate)
    )
    stream.settle()
    const [user] = blocksIn(stream.events)
    assert.deepInclude(user, { role: "USER", stage: "FINAL", stop: "PARTIAL_TURN", text: "my name is Ada" })
    assert.strictEqual(saidIn(stream.events), "Nice to meet you, Ada.")
    assert.closeTo(heardMs, 300 + 800 + 1750, 40)
  })

  it.each([
    ["HIGH", 1500],
    ["MEDIUM", 1750],
    ["LOW", 2000]
  ] as const)("is over after a pause that depends on the sensitivity: %s", (endpointingSensitivity, pauseMs) => {
    const isAnswered = (after: number) => {
      const stream = new Nova({ hear: ada, session: { turnDetectionConfiguration: { endpointingSensitivity } } })
      stream.send(...spoken(800, after))
      return blocksIn(stream.events).length > 0
    }
    assert.isFalse(isAnswered(pauseMs - 40))
    assert.isTrue(isAnswered(pauseMs + 40))
  })

  it("is over with the container", () => {
    const stream = new Nova({ hear: ada })
    stream.send(...audio(tone(800, 8000, 16_000)), contentEnd("audio"))
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "Nice to meet you, Ada.")
  })

  it("that cannot be made out is answered, and has no words", () => {
    for (const heard of ["", new Error("no ears")]) {
      const stream = new Nova({ hear: () => heard })
      stream.send(...spoken(800))
      stream.settle()
      assert.deepStrictEqual(
        blocksIn(stream.events).filter(({ role }) => role === "USER"),
        []
      )
      assert.match(saidIn(stream.events), /I heard \d\.\d seconds of speech, but I could not make out the words/)
    }
  })

  it("counts as input", () => {
    const stream = new Nova({ hear: ada })
    stream.send(...spoken(800))
    stream.settle()
    assert.closeTo(of(stream.events, "usageEvent")[0]!.details.delta.input.speechTokens, 2550 / 40, 1)
  })

  it("of hours of quiet nothing is kept", () => {
    const stream = new Nova()
    for (let i = 0; i < 200; i++) stream.send(...audio(quiet(1000, 16_000), 1000))
    assert.isBelow(stream.state.hearing.ms, 4000)
    assert.strictEqual(stream.state.hearing.startMs + stream.state.hearing.ms, 200_000)
  })
})

describe("an interruption", () => {
  const format = (ms: number) => {
    const stream = new Nova({ speed: 8 })
    stream.send(...words("tell me a long story"))
    stream.pass(ms)
    return stream
  }

  it("closes the sound, confirms what was heard, and says so", () => {
    const stream = format(2000)
    const before = stream.events.length
    stream.send(...noise)
    const blocks = outline(stream.events.slice(before))
    assert.match(blocks[0]!, /^TEXT ASSISTANT FINAL PARTIAL_TURN Day one/)
    assert.deepStrictEqual(blocks.slice(1), [`TEXT ASSISTANT FINAL INTERRUPTED ${interruption}`])
    const [end] = of(stream.events.slice(before), "contentEnd")
    assert.deepInclude(end, { type: "AUDIO", stopReason: "INTERRUPTED" })
    assert.isTrue(story.startsWith(saidIn(stream.events)))
    assert.closeTo(saidIn(stream.events).split(" ").length, 6, 3)
    assert.isAbove(msIn(stream.events), 14_000)
    assert.deepStrictEqual(stream.pass(10_000), [])
  })

  it("confirms sentences that were heard before the one that was cut", () => {
    const stream = format(9000)
    stream.send(...noise)
    const finals = blocksIn(stream.events).filter(({ stage }) => stage === "FINAL")
    assert.isAbove(finals.length, 2)
    assert.strictEqual(finals.at(-1)!.text, interruption)
    assert.isTrue(story.startsWith(saidIn(stream.events)))
    const told = saidIn(stream.events)
    // typing cuts in as well, and the story goes on where it was heard
    stream.send(...audio(quiet(1800, 16_000)), ...words("continue"))
    stream.settle()
    assert.include(saidIn(stream.events), `${story.slice(told.length).trim().slice(0, 60)}`)
  })

  it("by typed words is one, too", () => {
    const stream = format(2000)
    stream.send(...words("my name is Ada"))
    assert.strictEqual(blocksIn(stream.events).filter(({ stop }) => stop === "INTERRUPTED").length, 2)
    stream.settle()
    assert.isTrue(saidIn(stream.events).endsWith("Nice to meet you, Ada."))
  })

  it("comes after all was said as well, as long as it is being heard", () => {
    const stream = new Nova({ speed: 8 })
    stream.send(...words("my name is Ada"))
    stream.passWhile(() => stream.state.turn!.stage === "sending")
    const before = stream.events.length
    stream.send(...noise)
    assert.include(outline(stream.events.slice(before)).at(-1), "INTERRUPTED")
    assert.deepStrictEqual(
      of(stream.events.slice(before), "contentEnd").filter(({ type }) => type === "AUDIO"),
      []
    )
  })

  it("of a thought that nobody has heard of is none", () => {
    const stream = new Nova({ latencyMs: 500 })
    stream.send(...words("my name is Ada"), ...words("what is my name"))
    stream.pass(500)
    stream.settle()
    assert.strictEqual(saidIn(stream.events), "Nice to meet you, Ada. Your name is Ada.")
    assert.deepStrictEqual(
      blocksIn(stream.events).filter(({ stop }) => stop === "INTERRUPTED"),
      []
    )
  })

  it("is followed by sound on demand", () => {
    const stream = new Nova({ speed: 8 })
    stream.input({ _tag: "Arm", fault: { _tag: "LateAudio", chunks: 3 } })
    stream.send(...words("tell me a story"))
    stream.pass(500)
    const before = stream.events.length
    stream.send(...noise)
    const last = stream.events.slice(before).findLastIndex(({ event }) => event?.contentEnd !== undefined)
    assert.strictEqual(of(stream.events.slice(before + last), "audioOutput").length, 3)
  })
})
